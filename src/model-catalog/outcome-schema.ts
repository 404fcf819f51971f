import Type, { type Static } from 'typebox';
import {
  calibrationSchema,
  classLabelSchema,
  intervalSchema,
  linkSchema,
  temperatureSchema,
} from './post-processing-schema.ts';
import { featureName, strict } from './schema-terms.ts';

/**
 * The outcomes of `manifest.json`: what columns of the outputs say, and in which form a reader meets it. A probability and a
 * survival curve become a RiskAssessment; points, a measurement, a finding, a class and an anomaly become an Observation.
 */

const text = (description: string) => Type.String({ minLength: 1, description });

const coding = Type.Object(
  {
    system: Type.String({ format: 'uri', description: 'URI of the code system' }),
    code: text('code in it'),
    display: Type.Optional(text('its display')),
  },
  strict,
);

const bandWithin = (limits: { readonly minimum?: number; readonly maximum?: number }, unit: string) =>
  Type.Object(
    {
      code: text('names the band'),
      display: text('what people see'),
      from: Type.Number({ ...limits, description: `${unit}, inclusive` }),
      below: Type.Optional(Type.Number({ ...limits, description: `${unit}, exclusive; absent for the highest band` })),
      riskProbability: Type.Optional(
        Type.Union(
          [
            Type.Literal('negligible'),
            Type.Literal('low'),
            Type.Literal('moderate'),
            Type.Literal('high'),
            Type.Literal('certain'),
          ],
          { description: 'code of the HL7 risk-probability CodeSystem, where one fits; for probabilities only' },
        ),
      ),
    },
    strict,
  );

const bandsWithin = (limits: { readonly minimum?: number; readonly maximum?: number }, unit: string) =>
  Type.Optional(
    Type.Object(
      {
        citation: text('where the bands are published'),
        levels: Type.Array(bandWithin(limits, unit), {
          minItems: 2,
          description: 'from the least score upwards, each where the one before ends',
        }),
      },
      { ...strict, description: 'present only where bands are published' },
    ),
  );

const column = Type.Integer({
  minimum: 0,
  description: 'column that holds it, counted through all declared outputs one after the other',
});
const named = {
  id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'names the outcome in results' }),
  label: Type.String({ minLength: 1, maxLength: 120, description: 'what people see' }),
};
const every = { ...named, column };

const horizon = Type.String({ pattern: '^P\\d+[YMWD]$', description: 'ISO 8601 duration from as-of' });

const probability = Type.Object(
  {
    ...every,
    kind: Type.Literal('probability', { description: '0 to 1, of an event within the horizon' }),
    coding: Type.Optional(Type.Array(coding, { minItems: 1, description: 'what happens, as codes' })),
    horizon,
    link: Type.Optional(linkSchema),
    calibration: Type.Optional(calibrationSchema),
    classLabel: Type.Optional(classLabelSchema),
    bands: bandsWithin({ minimum: 0, maximum: 1 }, 'probability'),
  },
  strict,
);

const survival = Type.Object(
  {
    ...named,
    kind: Type.Literal('survival', { description: 'a curve: how probable an event is within each of several times' }),
    coding: Type.Optional(Type.Array(coding, { minItems: 1, description: 'what happens, as codes' })),
    columns: Type.Union([Type.Literal('survival'), Type.Literal('cumulative-incidence')], {
      description:
        'what the columns of `times` hold: the probability to be without the event until then, S(t), of which 1 - S(t) is given; or to have had it, which is given as it is',
    }),
    times: Type.Array(
      Type.Object(
        {
          at: horizon,
          column: Type.Integer({ minimum: 0, description: 'column that holds the probability for it' }),
        },
        strict,
      ),
      {
        minItems: 2,
        description: 'the points of the curve, from the earliest; a risk that falls from one to the next is refused',
      },
    ),
    horizon: Type.String({
      pattern: '^P\\d+[YMWD]$',
      description: 'that of `times` whose risk is the score: bands, cards and contributions are about it',
    }),
    bands: bandsWithin({ minimum: 0, maximum: 1 }, 'probability'),
  },
  strict,
);

const observed = {
  coding: Type.Array(coding, { minItems: 1, description: 'what is observed: Observation.code' }),
  horizon: Type.Optional(horizon),
  effective: Type.Optional(
    Type.Array(featureName, {
      minItems: 1,
      uniqueItems: true,
      description: 'measured features whose newest time is the time of the Observation; without it as-of',
    }),
  ),
};

const points = Type.Object(
  {
    ...every,
    ...observed,
    kind: Type.Literal('points', { description: 'a whole number of points of a score' }),
    range: Type.Tuple([Type.Integer(), Type.Integer()], { description: 'fewest and most points the score can give' }),
    bands: bandsWithin({}, 'points'),
  },
  strict,
);

const measurement = Type.Object(
  {
    ...every,
    ...observed,
    kind: Type.Literal('measurement', { description: 'a number with a unit' }),
    unit: Type.String({ minLength: 1, description: 'UCUM' }),
    range: Type.Tuple([Type.Number(), Type.Number()], {
      description: 'lowest and highest value that the model can give inside its population; another is its failure',
    }),
    decimals: Type.Integer({
      minimum: 0,
      maximum: 6,
      description: 'how many a reader is shown; the value itself is not rounded',
    }),
    interval: Type.Optional(intervalSchema),
    bands: bandsWithin({}, 'in `unit`'),
  },
  strict,
);

const finding = Type.Object(
  {
    ...every,
    ...observed,
    kind: Type.Literal('finding', {
      description: 'how probable it is, 0 to 1, that something is there now, as on an image; no event to come',
    }),
    link: Type.Optional(linkSchema),
    calibration: Type.Optional(calibrationSchema),
    classLabel: Type.Optional(classLabelSchema),
    bands: bandsWithin({ minimum: 0, maximum: 1 }, 'probability'),
  },
  strict,
);

const oneOfSeveral = Type.Object(
  {
    ...named,
    ...observed,
    kind: Type.Literal('class', { description: 'one of several declared classes' }),
    column: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'column that holds the number of the class; absent: each class has its own',
      }),
    ),
    link: Type.Optional(
      Type.Literal('softmax', {
        description: 'of columns of the classes that are no probabilities yet; without it they are, and add up to 1',
      }),
    ),
    calibration: Type.Optional(temperatureSchema),
    ties: Type.Optional(
      Type.Literal('first', {
        description:
          'of classes that are equally probable the one that is declared first; without it there is no answer',
      }),
    ),
    classes: Type.Array(
      Type.Object(
        {
          number: Type.Number({ description: 'what the output column holds for it, and what its score is' }),
          column: Type.Optional(
            Type.Integer({
              minimum: 0,
              description: 'column that holds how probable it is; the class of the greatest is said',
            }),
          ),
          classLabel: Type.Optional(classLabelSchema),
          code: text('names the class'),
          display: text('what people see'),
          coding: Type.Optional(Type.Array(coding, { minItems: 1, description: 'the same as codes of others' })),
        },
        strict,
      ),
      { minItems: 2, description: 'every class that the model can give' },
    ),
  },
  strict,
);

const anomaly = Type.Object(
  {
    ...every,
    ...observed,
    kind: Type.Literal('anomaly', {
      description: 'how unlike the training data the inputs are: a number from 0, no probability, without a unit',
    }),
    threshold: Type.Object(
      {
        value: Type.Number({ exclusiveMinimum: 0, description: 'from here on the inputs count as unusual' }),
        percentile: Type.Optional(
          Type.Number({
            exclusiveMinimum: 0,
            exclusiveMaximum: 100,
            description: 'so many percent of the source lie below it',
          }),
        ),
        source: text('on which data it was found, and how'),
      },
      { ...strict, description: 'where unusual begins: it makes the two bands of the outcome' },
    ),
    decimals: Type.Integer({
      minimum: 0,
      maximum: 6,
      description: 'how many a reader is shown; the value itself is not rounded',
    }),
  },
  strict,
);

const kinds = [probability, survival, points, measurement, finding, oneOfSeveral, anomaly] as const;
// With a discriminator, so that an error names the key of the kind that was meant.
export const outcomeSchema = Type.Unsafe<Static<(typeof kinds)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  properties: { kind: { type: 'string', description: 'what the score is; the other keys follow from it' } },
  required: ['kind'],
  oneOf: [...kinds],
});

export type Outcome = Static<typeof outcomeSchema>;
export type ProbabilityOutcome = Extract<Outcome, { kind: 'probability' }>;
export type SurvivalOutcome = Extract<Outcome, { kind: 'survival' }>;
export type MeasurementOutcome = Extract<Outcome, { kind: 'measurement' }>;
export type FindingOutcome = Extract<Outcome, { kind: 'finding' }>;
export type AnomalyOutcome = Extract<Outcome, { kind: 'anomaly' }>;
/** Whose score is the probability of an event within a time, and whose result is a RiskAssessment. */
export type RiskOutcome = ProbabilityOutcome | SurvivalOutcome;
/** Whose result is an Observation. */
export type ObservedOutcome = Exclude<Outcome, RiskOutcome>;
export type Band = Static<ReturnType<typeof bandWithin>>;
export type ClassOutcome = Extract<Outcome, { kind: 'class' }>;
export type OutcomeClass = Static<typeof oneOfSeveral>['classes'][number];
