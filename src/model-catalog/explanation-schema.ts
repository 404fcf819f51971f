import Type, { type Static } from 'typebox';
import { saliencySchema } from './saliency-schema.ts';
import { featureName, strict } from './schema-terms.ts';

/** How the contributions of a score are computed: `explanation` of `manifest.json`. */

const because = Type.String({ minLength: 1, description: 'why this method with these values' });
const against = Type.String({
  minLength: 1,
  maxLength: 160,
  description: 'what contributions are measured against, as a reader is told: `the average of the training data`',
});
const person = (description: string) =>
  Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean(), Type.String()]), { description });

const occlusion = Type.Object(
  {
    method: Type.Literal('occlusion', {
      description: 'the difference made by the value of the reference person in the place of one input',
    }),
    reference: person('the reference person: a value for each input feature that may be occluded'),
    parts: Type.Optional(
      Type.Array(featureName, {
        minItems: 1,
        uniqueItems: true,
        description:
          'inputs that are occluded part by part: sequences as if one bin held no measurement, texts without one word',
      }),
    ),
    saliency: Type.Optional(saliencySchema),
    because,
  },
  strict,
);

const additive = Type.Object(
  {
    method: Type.Literal('additive', {
      description:
        'for a score that is a sum of what each feature gives: the difference to the reference person, exactly',
    }),
    reference: person('the reference person: a value for every input feature'),
    because,
  },
  strict,
);

const linear = Type.Object(
  {
    method: Type.Literal('linear', {
      description: 'for linear and logistic models: each coefficient times the difference of its column from the mean',
    }),
    means: Type.Array(Type.Number(), {
      minItems: 1,
      description:
        'mean of each input column in the data that contributions are measured against, as the model takes it',
    }),
    against,
    because,
  },
  strict,
);

const treeShap = Type.Object(
  {
    method: Type.Literal('tree-shap', {
      description: 'for trees that say how many training samples passed each node: TreeSHAP along their paths',
    }),
    against,
    because,
  },
  strict,
);

const permutationShapley = Type.Object(
  {
    method: Type.Literal('permutation-shapley', {
      description:
        'for any model: Shapley values against the rows of explanation/background.csv, estimated from permutations of the features',
    }),
    permutations: Type.Integer({
      minimum: 2,
      maximum: 100,
      description: 'how many orders of the features are tried, each forwards and backwards',
    }),
    seed: Type.Integer({ minimum: 0, maximum: 4294967295, description: 'what the orders are drawn from' }),
    against,
    because,
  },
  strict,
);

const methods = [occlusion, additive, linear, treeShap, permutationShapley] as const;
// With a discriminator, so that an error names the key of the method that was meant.
export const explanationSchema = Type.Unsafe<Static<(typeof methods)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'method' },
  properties: { method: { type: 'string', description: 'how; the other keys follow from it' } },
  required: ['method'],
  oneOf: [...methods],
  description: 'how contributions are computed',
});

/** Most rows of explanation/background.csv. */
export const mostBackgroundRows = 200;
export const backgroundFile = 'explanation/background.csv';

export type ExplanationMethod = Static<typeof explanationSchema>;

/** The reference person, where the method has one. */
export function referencePerson(explanation: ExplanationMethod): Readonly<Record<string, number | boolean | string>> {
  return 'reference' in explanation ? explanation.reference : {};
}
