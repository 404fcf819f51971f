import Type, { type Static } from 'typebox';
import { described, strict } from './schema-terms.ts';

/**
 * The form of the report that `fhirsight evaluate` writes: how well one outcome of one model version did on rows whose truth
 * is known. Every figure has its interval, or says why there is none; nothing stands for "not known".
 */

const text = (description: string) => Type.String({ minLength: 1, description });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const counts = (description: string) => Type.Record(Type.String(), Type.Integer({ minimum: 1 }), { description });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of its bytes' });
const file = Type.Object({ name: text('its name, without folders'), sha256 }, strict);

const interval = Type.Object(
  {
    low: Type.Number(),
    high: Type.Number(),
    method: Type.Enum(['delong', 'wilson', 'wald', 'log-wald', 'newcombe', 'bootstrap'], {
      description: 'how it was made',
    }),
  },
  { ...strict, description: 'of 95 %' },
);

const figure = Type.Union(
  [
    Type.Object({ value: Type.Number(), interval }, strict),
    Type.Object({ value: Type.Number(), noInterval: text('why there is no interval') }, strict),
    Type.Object({ unavailable: text('why there is no number') }, strict),
  ],
  { description: 'a number and its interval, or why there is none' },
);
const measures = Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*( at -?[0-9.e-]+)?$' }), figure, {
  description: 'by name, such as auroc, average-precision, brier, calibration-slope, mae',
});

const threshold = Type.Object(
  {
    threshold: Type.Number({ description: 'an alert is a score at or above it' }),
    because: text('where it comes from: asked for, a band of the model, or the grid'),
    truePositives: count('alerts with an event'),
    falsePositives: count('alerts without'),
    falseNegatives: count('events without an alert'),
    trueNegatives: count('neither'),
    recall: figure,
    specificity: figure,
    precision: figure,
    negativePredictiveValue: figure,
    accuracy: figure,
    f1: figure,
    alertsPer100: Type.Number({ minimum: 0, maximum: 100, description: 'how many of 100 rows have an alert' }),
    netBenefit: Type.Optional(figure),
  },
  strict,
);

const share = Type.Number({ minimum: 0, maximum: 1 });

const curves = Type.Object(
  {
    roc: Type.Array(Type.Object({ falsePositiveRate: share, recall: share }, strict)),
    precisionRecall: Type.Array(Type.Object({ recall: share, precision: share }, strict)),
    calibration: Type.Optional(
      Type.Object(
        {
          groups: Type.Array(
            Type.Object(
              { rows: count('in it'), events: count('among them'), meanScore: share, observed: figure },
              strict,
            ),
            { description: 'ten groups of about as many rows, from the lowest probability up' },
          ),
          isotonic: Type.Array(Type.Object({ score: share, observed: share }, strict), {
            description: 'isotonic regression: the curve without a smoothing parameter',
          }),
        },
        strict,
      ),
    ),
    decision: Type.Optional(
      Type.Array(Type.Object({ threshold: share, model: Type.Number(), everybody: Type.Number() }, strict), {
        description: 'net benefit by threshold',
      }),
    ),
    histogram: Type.Array(
      Type.Object({ from: Type.Number(), to: Type.Number(), events: count('in it'), others: count('in it') }, strict),
      { description: 'how many rows have which score' },
    ),
  },
  { ...strict, description: 'points of the drawn curves; long ones are thinned out' },
);

const subgroups = Type.Object(
  {
    by: text('what the rows are told apart by, such as sex'),
    notKnown: count('rows of which it is not known'),
    groups: Type.Array(
      Type.Object(
        {
          group: text('such as female'),
          rows: count('in it'),
          events: Type.Optional(count('among them')),
          tooFew: Type.Optional(text('why there are no figures')),
          measures,
          differences: described(
            measures,
            'that of the group less that of all other rows of which it is known; of a ratio, divided by it',
          ),
        },
        strict,
      ),
    ),
  },
  strict,
);

export const evaluationReportSchema = Type.Object(
  {
    schema: Type.Literal(1, { description: 'version of the form of the report' }),
    model: Type.Object(
      {
        id: text('id of the model'),
        version: text('its version'),
        title: text('its name for people'),
        digest: text('of everything that makes its numbers'),
        demonstration: Type.Boolean({ description: 'it is a demonstration, and for no clinical use' }),
      },
      strict,
    ),
    outcome: Type.Object(
      {
        id: text('id of the outcome'),
        label: text('its name for people'),
        kind: text('what its score is'),
        unit: Type.Optional(text('UCUM')),
        horizon: Type.Optional(text('ISO 8601 duration from as-of')),
      },
      strict,
    ),
    data: Type.Object(
      {
        matrix: Type.Optional(file),
        cohort: Type.Optional(text('who, as it was asked for')),
        time: Type.Optional(text('as-of of the rows, as it was asked for')),
        labels: Type.Union(
          [
            Type.Object({ column: text('of the matrix') }, strict),
            Type.Object({ file }, strict),
            Type.Object({ events: file }, strict),
          ],
          { description: 'where the truth comes from' },
        ),
      },
      { ...strict, description: 'what it was evaluated on' },
    ),
    settings: Type.Object(
      {
        seed: Type.Integer({ minimum: 0 }),
        resamples: Type.Integer({ minimum: 100, description: 'how often a bootstrap draws the rows again' }),
        fewest: Type.Integer({ minimum: 2, description: 'rows, events and others that a group needs to have figures' }),
      },
      strict,
    ),
    rows: Type.Object(
      {
        read: count('all of them: the sum of the next five'),
        evaluated: count('with a score and a label'),
        abstained: count('about which the model may not speak'),
        failed: count('that could not be made or scored'),
        withoutLabel: count('whose truth is not known'),
        leftOut: count('that were not followed long enough, or had the event before'),
        reasons: Type.Object(
          {
            abstained: counts('by reason; a row may have several'),
            failed: counts('by error code'),
            leftOut: counts('by reason'),
          },
          strict,
        ),
      },
      { ...strict, description: 'what became of the rows' },
    ),
    notes: Type.Array(Type.String({ minLength: 1 }), { description: 'what a reader of the figures must know' }),
    measures,
    thresholds: Type.Optional(Type.Array(threshold)),
    classes: Type.Optional(
      Type.Array(
        Type.Object(
          { code: text('of the class'), rows: count('of it'), precision: figure, recall: figure, f1: figure },
          strict,
        ),
      ),
    ),
    confusion: Type.Optional(
      Type.Array(Type.Array(Type.Integer({ minimum: 0 })), {
        description: 'rows by true class, then by the class that the model said, in the order of `classes`',
      }),
    ),
    curves: Type.Optional(curves),
    subgroups: Type.Array(subgroups),
  },
  strict,
);

export type EvaluationReport = Static<typeof evaluationReportSchema>;
