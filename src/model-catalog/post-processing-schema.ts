import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';

/** What is done to the numbers of the graph before they are a score: link, calibration, prediction interval. */

const text = (description: string) => Type.String({ minLength: 1, description });
const column = Type.Integer({ minimum: 0 });

/** How numbers that the graph gives become a probability. */
export const linkSchema = Type.Union(
  [
    Type.Literal('sigmoid', {
      description: 'the column holds what goes into the logistic function: log-odds, a margin',
    }),
    Type.Object(
      {
        softmax: Type.Array(column, {
          minItems: 2,
          uniqueItems: true,
          description: 'the columns that share a softmax, `column` among them',
        }),
      },
      strict,
    ),
  ],
  { description: 'makes a probability of numbers that are none yet; absent: the column holds the probability' },
);

const platt = Type.Object(
  {
    method: Type.Literal('platt', { description: 'a logistic curve over the log-odds' }),
    slope: Type.Number({ exclusiveMinimum: 0, description: 'of the log-odds' }),
    intercept: Type.Number({ description: 'added to the log-odds' }),
  },
  {
    ...strict,
    description:
      'p = 1 / (1 + exp(-(slope × z + intercept))), z being the log-odds before calibration: under the link sigmoid the column itself, else ln(p / (1 - p)). Of scikit-learn: slope = -a_, intercept = -b_ (Platt 1999)',
  },
);

const isotonic = Type.Object(
  {
    method: Type.Literal('isotonic', { description: 'straight lines between points that never fall' }),
    x: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), {
      minItems: 2,
      description: 'probabilities, strictly rising',
    }),
    y: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), {
      minItems: 2,
      description: 'what each becomes, never falling; straight lines between, the ends beyond',
    }),
  },
  { ...strict, description: 'of the probability after the link: X_thresholds_ and y_thresholds_ of scikit-learn' },
);

const temperature = Type.Object(
  {
    method: Type.Literal('temperature', { description: 'one divisor for all that goes into the link' }),
    temperature: Type.Number({ exclusiveMinimum: 0, description: 'what each log-odds, or logit, is divided by' }),
  },
  { ...strict, description: 'needs a link: it divides the numbers that go into it (Guo 2017)' },
);

const calibrations = [platt, isotonic, temperature] as const;
// With a discriminator, so that an error names the key of the method that was meant.
export const calibrationSchema = Type.Unsafe<Static<(typeof calibrations)[number]>>({
  type: 'object',
  description: 'corrects the probability by what was learnt on other data',
  discriminator: { propertyName: 'method' },
  properties: { method: { type: 'string', description: 'how' } },
  required: ['method'],
  oneOf: [...calibrations],
});

export const temperatureSchema = temperature;

export const intervalSchema = Type.Object(
  {
    method: Type.Literal('split-conformal', { description: 'one width for all, from errors on held-out data' }),
    coverage: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: '0.9: of ten values nine lie within',
    }),
    halfWidth: Type.Number({
      exclusiveMinimum: 0,
      description: 'in `unit`: the quantile of absolute errors on data that the model was not fitted to',
    }),
    source: text('on which data it was found'),
  },
  { ...strict, description: 'where the measured value is expected: the score less and plus `halfWidth`' },
);

/** What a class, or a positive outcome, is called by the graph; checked against the labels in model.onnx where it has any. */
export const classLabelSchema = Type.Union([Type.String({ minLength: 1 }), Type.Integer()], {
  description: 'what the graph calls it: its label in the classifier or the ZipMap, or in an output of strings',
});

export type Link = Static<typeof linkSchema>;
export type Calibration = Static<typeof calibrationSchema>;
