import Type, { type Static } from 'typebox';
import { strict } from '../schema-terms.ts';
import { doi, text } from './card-terms.ts';

/** Measures that have a code, and how people call them. Every other measure is named in words. */
export const measureNames: Readonly<Record<string, string>> = {
  auroc: 'Area under the ROC curve',
  'average-precision': 'Average precision',
  brier: 'Brier score',
  accuracy: 'Accuracy',
  recall: 'Recall (sensitivity)',
  specificity: 'Specificity',
  precision: 'Precision (positive predictive value)',
  f1: 'F1 score',
  mae: 'Mean absolute error',
  rmse: 'Root mean squared error',
  r2: 'R²',
  'calibration-slope': 'Calibration slope',
  'calibration-intercept': 'Calibration intercept',
  'c-statistic': 'C-statistic',
};

/** Where something was measured, and how people call that. */
export const settingNames = {
  'cross-validation': 'cross-validation of the training data',
  'internal-test': 'test data of the same source as the training data',
  external: 'data of another source',
  local: 'data of the site that runs the model',
} as const;

export type MeasureSetting = keyof typeof settingNames;

/** One measured number of a model card. */
export const measureSchema = Type.Object(
  {
    outcome: Type.Optional(text('id of the outcome that it is about; absent: the model as a whole')),
    measure: text(
      `one of ${Object.keys(measureNames).join(', ')}; any other in words, with an upper-case letter first`,
    ),
    value: Type.Unsafe<number | string>({
      type: ['number', 'string'],
      minLength: 1,
      description: 'a number, or a text as published, with its interval',
    }),
    threshold: Type.Optional(Type.Number({ description: 'score from which on the outcome counts as predicted' })),
    interval: Type.Optional(
      Type.Object(
        {
          low: Type.Number({ description: 'its lower end' }),
          high: Type.Number({ description: 'its upper end' }),
          level: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description: 'its level, such as 0.95' }),
          method: text('how it was computed, such as bootstrap over people, 2000 draws'),
        },
        { ...strict, description: 'how certain the value is' },
      ),
    ),
    n: Type.Optional(Type.Integer({ minimum: 1, description: 'how many people or samples it was measured in' })),
    events: Type.Optional(Type.Integer({ minimum: 0, description: 'how many of them had the outcome' })),
    group: Type.Optional(text('the group of people it is about, such as women; absent: everybody')),
    population: text('in whom it was measured'),
    setting: Type.Optional(
      Type.Unsafe<MeasureSetting>({
        type: 'string',
        enum: Object.keys(settingNames),
        description: 'where it was measured; absent where the source does not say',
      }),
    ),
    doi,
  },
  { ...strict, description: 'one measured number' },
);

export type Measure = Static<typeof measureSchema>;
