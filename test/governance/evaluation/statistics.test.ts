import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aurocArea } from '../../../src/governance/evaluation/auroc.ts';
import { averagePrecision } from '../../../src/governance/evaluation/average-precision.ts';
import { isotonicCurve } from '../../../src/governance/evaluation/calibration-curve.ts';
import { type Figure, z95 } from '../../../src/governance/evaluation/figure.ts';
import { rankScores } from '../../../src/governance/evaluation/labelled-scores.ts';
import { classFigures } from '../../../src/governance/evaluation/measure-classes.ts';
import { discrimination, probabilityMeasures } from '../../../src/governance/evaluation/measure-events.ts';
import { numberMeasures } from '../../../src/governance/evaluation/measure-numbers.ts';
import { thresholdTable } from '../../../src/governance/evaluation/threshold-table.ts';
import { proportion } from '../../../src/governance/evaluation/wilson.ts';

interface EventVector {
  readonly name: string;
  readonly scores: number[];
  readonly labels: number[];
  readonly auroc: number;
  readonly aurocVariance: number;
  readonly averagePrecision: number;
  readonly brier: number;
  readonly scaledBrier: number;
  readonly logLoss: number;
  readonly observedToExpected: number;
  readonly observedToExpectedLow: number;
  readonly observedToExpectedHigh: number;
  readonly ece: number;
  readonly slope: number;
  readonly slopeSe: number;
  readonly intercept: number;
  readonly interceptSe: number;
  readonly thresholds: Record<string, number>[];
  readonly roc: [number[], number[]];
  readonly isotonic: [number[], number[]];
}

interface Vectors {
  readonly events: EventVector[];
  readonly measurement: (Record<string, number> & { name: string; scores: number[]; labels: number[] })[];
  readonly classes: {
    readonly name: string;
    readonly scores: number[];
    readonly labels: number[];
    readonly known: number[];
    readonly accuracy: number;
    readonly precision: number[];
    readonly recall: number[];
    readonly f1: number[];
    readonly support: number[];
    readonly macroF1: number;
    readonly confusion: number[][];
  }[];
  readonly wilson: [number, number, number, number][];
}

/** Made by test/governance/vectors/make_vectors.py with scikit-learn, statsmodels and numpy. */
const vectors = JSON.parse(readFileSync(new URL('../vectors/vectors.json', import.meta.url), 'utf8')) as Vectors;
const settings = { seed: 1, resamples: 200 };

const ranked = ({ scores, labels }: Pick<EventVector, 'scores' | 'labels'>) =>
  rankScores({ scores: Float64Array.from(scores), events: Uint8Array.from(labels) });
const numberOf = (figure: Figure | undefined): number => {
  if (figure === undefined || !('value' in figure)) throw new Error(`no value: ${JSON.stringify(figure)}`);
  return figure.value;
};
const intervalOf = (figure: Figure | undefined) => {
  if (figure === undefined || !('interval' in figure)) throw new Error(`no interval: ${JSON.stringify(figure)}`);
  return figure.interval;
};

describe.each(vectors.events)('of scores that are $name', (vector) => {
  const rows = ranked(vector);

  it('the AUROC and its variance by DeLong are those of all pairs', () => {
    const area = aurocArea(rows);
    expect(area?.value).toBeCloseTo(vector.auroc, 9);
    expect(area?.variance).toBeCloseTo(vector.aurocVariance, 12);
    const { low, high, method } = intervalOf(discrimination(rows, settings).auroc);
    expect(method).toBe('delong');
    expect(high - low).toBeCloseTo(2 * z95 * Math.sqrt(vector.aurocVariance), 9);
  });

  it('average precision, losses and calibration are those of scikit-learn and statsmodels', () => {
    const measures = probabilityMeasures(rows, settings);
    expect(averagePrecision(rows)).toBeCloseTo(vector.averagePrecision, 9);
    expect(numberOf(measures.brier)).toBeCloseTo(vector.brier, 9);
    expect(numberOf(measures['scaled-brier'])).toBeCloseTo(vector.scaledBrier, 9);
    expect(numberOf(measures['log-loss'])).toBeCloseTo(vector.logLoss, 9);
    expect(numberOf(measures['expected-calibration-error'])).toBeCloseTo(vector.ece, 9);
    expect(numberOf(measures['calibration-slope'])).toBeCloseTo(vector.slope, 9);
    expect(numberOf(measures['calibration-intercept'])).toBeCloseTo(vector.intercept, 9);
    const slope = intervalOf(measures['calibration-slope']);
    expect((slope.high - slope.low) / (2 * z95)).toBeCloseTo(vector.slopeSe, 8);
    const intercept = intervalOf(measures['calibration-intercept']);
    expect((intercept.high - intercept.low) / (2 * z95)).toBeCloseTo(vector.interceptSe, 8);
  });

  it('as many events as expected is a ratio with the interval of its logarithm', () => {
    const ratio = probabilityMeasures(rows, settings)['observed-expected-ratio'];
    expect(numberOf(ratio)).toBeCloseTo(vector.observedToExpected, 9);
    expect(intervalOf(ratio).low).toBeCloseTo(vector.observedToExpectedLow, 9);
    expect(intervalOf(ratio).high).toBeCloseTo(vector.observedToExpectedHigh, 9);
  });

  it('the threshold table is that of the confusion matrices', () => {
    const thresholds = vector.thresholds.map(({ threshold = 0 }) => ({ at: threshold, because: 'vector' }));
    const table = thresholdTable(rows, thresholds, true, settings);
    for (const [index, expected] of vector.thresholds.entries()) {
      const row = table[index];
      expect(numberOf(row?.recall)).toBeCloseTo(expected.recall ?? 0, 9);
      expect(intervalOf(row?.recall).low).toBeCloseTo(expected.recallLow ?? 0, 9);
      expect(intervalOf(row?.recall).high).toBeCloseTo(expected.recallHigh ?? 0, 9);
      expect(numberOf(row?.specificity)).toBeCloseTo(expected.specificity ?? 0, 9);
      expect(numberOf(row?.precision)).toBeCloseTo(expected.precision ?? 0, 9);
      expect(numberOf(row?.negativePredictiveValue)).toBeCloseTo(expected.npv ?? 0, 9);
      expect(numberOf(row?.f1)).toBeCloseTo(expected.f1 ?? 0, 9);
      expect(numberOf(row?.accuracy)).toBeCloseTo(expected.accuracy ?? 0, 9);
      expect(row?.alertsPer100).toBeCloseTo(expected.alertsPer100 ?? 0, 9);
      expect(numberOf(row?.netBenefit)).toBeCloseTo(expected.netBenefit ?? 0, 9);
    }
  });

  it('the ROC curve has the points of scikit-learn', () => {
    const { cuts, eventCount, otherCount } = rows;
    const [falseRates, trueRates] = vector.roc;
    expect([0, ...cuts.map((cut) => cut.falsePositives / otherCount)]).toEqual(falseRates);
    expect([0, ...cuts.map((cut) => cut.truePositives / eventCount)]).toEqual(trueRates);
  });

  it('the smooth calibration curve is the isotonic regression', () => {
    const curve = isotonicCurve(rows);
    const [scores, observed] = vector.isotonic;
    for (const [index, score] of scores.entries()) {
      const after = curve.findIndex((point) => point.score >= score);
      expect(curve[after]?.observed).toBeCloseTo(observed[index] ?? 0, 9);
    }
  });
});

describe.each(vectors.measurement)('of $name', (vector) => {
  it('errors, R2, bias and the limits of agreement are those of scikit-learn and numpy', () => {
    const pairs = { scores: Float64Array.from(vector.scores), truths: Float64Array.from(vector.labels) };
    const measures = numberMeasures(pairs, settings);
    expect(numberOf(measures.mae)).toBeCloseTo(vector.mae ?? 0, 9);
    expect(numberOf(measures.rmse)).toBeCloseTo(vector.rmse ?? 0, 9);
    expect(numberOf(measures.r2)).toBeCloseTo(vector.r2 ?? 0, 9);
    expect(numberOf(measures.bias)).toBeCloseTo(vector.bias ?? 0, 9);
    expect(numberOf(measures['lower-limit-of-agreement'])).toBeCloseTo(vector.lowerLimit ?? 0, 9);
    expect(numberOf(measures['upper-limit-of-agreement'])).toBeCloseTo(vector.upperLimit ?? 0, 9);
  });
});

describe('R2 of rows whose truths are all the same number', () => {
  it.each([0.1, 0.3, 1 / 3, 1e-9, 120])('is none, also where their mean is rounded: %d', (truth) => {
    const scores = Float64Array.from({ length: 30 }, (_, row) => truth + row / 100);
    const { r2, mae } = numberMeasures({ scores, truths: new Float64Array(30).fill(truth) }, settings);
    expect(r2).toEqual({ unavailable: 'all truths are the same number' });
    expect(numberOf(mae)).toBeCloseTo(0.145, 9);
  });
});

describe.each(vectors.classes)('of $name', (vector) => {
  it('accuracy, precision, recall, F1 and the confusion matrix are those of scikit-learn', () => {
    const pairs = { said: Uint16Array.from(vector.scores), truths: Uint16Array.from(vector.labels) };
    const { measures, classes, confusion } = classFigures(pairs, vector.known.map(String), settings);
    expect(numberOf(measures.accuracy)).toBeCloseTo(vector.accuracy, 9);
    expect(numberOf(measures['macro-f1'])).toBeCloseTo(vector.macroF1, 9);
    expect(confusion).toEqual(vector.confusion);
    for (const [index, row] of classes.entries()) {
      expect(row.rows).toBe(vector.support[index]);
      expect(numberOf(row.precision)).toBeCloseTo(vector.precision[index] ?? 0, 9);
      expect(numberOf(row.recall)).toBeCloseTo(vector.recall[index] ?? 0, 9);
      expect(numberOf(row.f1)).toBeCloseTo(vector.f1[index] ?? 0, 9);
    }
  });
});

describe('an interval of Wilson', () => {
  it.each(vectors.wilson)('of %i in %i is that of statsmodels', (successes, of, low, high) => {
    const interval = intervalOf(proportion(successes, of, ''));
    expect(interval.low).toBeCloseTo(low, 9);
    expect(interval.high).toBeCloseTo(high, 9);
  });
});
