import Type, { type Static } from 'typebox';
import { featureName, strict } from './schema-terms.ts';

/** `explanation.saliency` of `manifest.json`: pictures of where an image moved a score. */

/** Most runs of the model for the pictures of one subject. */
export const mostPatches = 1024;
/** Most numbers of an image that is occluded: each run copies it on the thread that answers requests. */
export const mostNumbers = 2 ** 20;

const ofAny = {
  feature: featureName,
  outcomes: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description: 'ids of the outcomes that pictures may be about; absent: all',
    }),
  ),
  most: Type.Integer({
    minimum: 1,
    maximum: 8,
    description:
      'how many pictures a report has at most: of the outcomes that are most probable; of a class that is said',
  }),
};

const sizes = (description: string) =>
  Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })], {
    description: `[rows, columns] ${description}`,
  });

const occlusion = Type.Object(
  {
    ...ofAny,
    by: Type.Literal('occlusion', {
      description: 'what each patch of the image in turn does to the score when it is replaced by one value',
    }),
    patch: sizes('of a patch, in pixels of the tensor; through all slices and channels'),
    stride: sizes('from one patch to the next, at most; no more than the patch, so that none is left out'),
    baseline: Type.Union([Type.Literal('mean'), Type.Number()], {
      description:
        'what stands in the place of a patch: the mean of each channel of this image, or a number as the model takes it',
    }),
  },
  strict,
);

const activation = Type.Object(
  {
    ...ofAny,
    by: Type.Literal('activation', {
      description: 'a map that the graph itself gives, such as a class activation map',
    }),
    output: Type.String({
      minLength: 1,
      description:
        'name of one of the declared outputs, which holds the map row by row, flat: one for all, one for each class, or one for each outcome, in their order',
    }),
    grid: sizes('of the map, which is laid over the whole tensor'),
  },
  strict,
);

const ways = [occlusion, activation] as const;
// With a discriminator, so that an error names the key of the way that was meant.
export const saliencySchema = Type.Unsafe<Static<(typeof ways)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'by' },
  properties: { by: { type: 'string', description: 'how; the other keys follow from it' } },
  required: ['by'],
  oneOf: [...ways],
  description: 'pictures for the report of where an image moved a score',
});

export type Saliency = Static<typeof saliencySchema>;
export type OcclusionSaliency = Static<typeof occlusion>;
export type ActivationSaliency = Static<typeof activation>;
