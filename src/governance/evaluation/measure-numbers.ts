import { type BootstrapSettings, bootstrapFigures } from './bootstrap.ts';
import { type Figure, z95 } from './figure.ts';
import type { Measures } from './measure-events.ts';
import { proportion } from './wilson.ts';

/** Measurements and what was measured, row by row, in the unit of the outcome. */
export interface PairedNumbers {
  readonly scores: Float64Array;
  readonly truths: Float64Array;
}

const names = ['mae', 'rmse', 'r2', 'bias', 'lower-limit-of-agreement', 'upper-limit-of-agreement'] as const;

/**
 * Errors of a measurement, as score less truth: mean absolute error, root mean squared error, R² against the mean of the
 * truths, bias, and the limits of agreement that 95 % of differences lie between where they are normal (Bland and Altman,
 * Lancet 1986;i:307).
 */
export function numberMeasures(pairs: PairedNumbers, settings: BootstrapSettings): Measures {
  const rows = pairs.scores.length;
  const figures = bootstrapFigures(rows, valuesOf(pairs), (counts) => valuesOf(pairs, counts), settings);
  const reasons: Readonly<Partial<Record<(typeof names)[number], string>>> =
    rows === 0 ? {} : { r2: 'all truths are the same number', ...limitsNeedTwo };
  return Object.fromEntries(
    names.map((name, index): [string, Figure] => [
      name,
      figures[index] ?? { unavailable: reasons[name] ?? 'no row has a score and a label' },
    ]),
  );
}

const limitsNeedTwo = {
  'lower-limit-of-agreement': 'there is one row only',
  'upper-limit-of-agreement': 'there is one row only',
} as const;

/** In the order of `names`. */
function valuesOf({ scores, truths }: PairedNumbers, counts?: Uint32Array): (number | undefined)[] {
  let [rows, absolute, squares, differences, sum] = [0, 0, 0, 0, 0];
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const each = (add: (score: number, truth: number, times: number) => void): void => {
    for (let row = 0; row < scores.length; row += 1) {
      const times = counts === undefined ? 1 : (counts[row] ?? 0);
      if (times > 0) add(scores[row] ?? Number.NaN, truths[row] ?? Number.NaN, times);
    }
  };
  each((score, truth, times) => {
    rows += times;
    absolute += times * Math.abs(score - truth);
    squares += times * (score - truth) ** 2;
    differences += times * (score - truth);
    sum += times * truth;
    least = Math.min(least, truth);
    greatest = Math.max(greatest, truth);
  });
  if (rows === 0) return names.map(() => undefined);
  const bias = differences / rows;
  let [ofTruths, ofDifferences] = [0, 0];
  each((score, truth, times) => {
    ofTruths += times * (truth - sum / rows) ** 2;
    ofDifferences += times * (score - truth - bias) ** 2;
  });
  const half = rows < 2 ? undefined : z95 * Math.sqrt(ofDifferences / (rows - 1));
  return [
    absolute / rows,
    Math.sqrt(squares / rows),
    // Their mean is rounded, and the squares of what that leaves are not 0.
    least === greatest ? undefined : 1 - squares / ofTruths,
    bias,
    half === undefined ? undefined : bias - half,
    half === undefined ? undefined : bias + half,
  ];
}

/** How often the truth lies within the interval that the model gives: the score less and plus half its width. */
export function intervalCoverage({ scores, truths }: PairedNumbers, halfWidth: number): Figure {
  const within = scores.reduce(
    (count, score, row) => count + Number(Math.abs(score - (truths[row] ?? Number.NaN)) <= halfWidth),
    0,
  );
  return proportion(within, scores.length, 'no row has a score and a label');
}
