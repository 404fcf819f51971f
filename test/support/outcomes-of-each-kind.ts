import type {
  AnomalyOutcome,
  ClassOutcome,
  MeasurementOutcome,
  SurvivalOutcome,
} from '../../src/model-catalog/outcome-schema.ts';

const coded = (code: string) => [{ system: 'https://example.org/codes', code }];

/** Free of the event after one, two and five years. */
export const survival: SurvivalOutcome = {
  kind: 'survival',
  id: 'death',
  label: 'Death',
  coding: coded('death'),
  columns: 'survival',
  times: [
    { at: 'P1Y', column: 0 },
    { at: 'P2Y', column: 1 },
    { at: 'P5Y', column: 2 },
  ],
  horizon: 'P2Y',
  bands: {
    citation: 'none: synthetic',
    levels: [
      { code: 'low', display: 'low', from: 0, below: 0.2 },
      { code: 'high', display: 'high', from: 0.2, riskProbability: 'high' },
    ],
  },
};

export const anomaly: AnomalyOutcome = {
  kind: 'anomaly',
  id: 'unlike',
  label: 'Unlike the training data',
  coding: coded('unlike'),
  column: 0,
  threshold: { value: 3.5, percentile: 95, source: 'reconstruction error on 400 held-out panels' },
  decimals: 1,
};

export const progression: MeasurementOutcome = {
  kind: 'measurement',
  id: 'progression',
  label: 'Progression',
  coding: coded('progression'),
  column: 1,
  unit: 'mg/dL',
  range: [0, 400],
  decimals: 0,
  interval: { method: 'split-conformal', coverage: 0.9, halfWidth: 52.5, source: '110 held-out patients' },
};

export const mostProbable: ClassOutcome = {
  kind: 'class',
  id: 'kind',
  label: 'Kind',
  coding: coded('kind'),
  classes: [
    { number: 0, column: 2, code: 'benign', display: 'benign' },
    { number: 1, column: 3, code: 'malignant', display: 'malignant' },
  ],
};
