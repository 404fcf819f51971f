import { checked, type Figure } from './figure.ts';
import { seededDraws } from './seeded-draws.ts';

/** How intervals without a formula are made. */
export interface BootstrapSettings {
  /** Whole number; the same seed gives the same intervals. */
  readonly seed: number;
  /** How often the rows are drawn again. */
  readonly resamples: number;
}

/** A figure of the rows as they are; undefined where they have none, and nothing is made up. */
type Values = readonly (number | undefined)[];

/**
 * Percentile intervals (Efron) of several figures over the same resamples, in which whole rows are drawn with repetition.
 * The number of events is drawn too: held fixed, the interval of the Brier score of a rare event would be far too narrow.
 * A figure that a resample does not have (no event was drawn) is left out of that one; where more than one in twenty lack
 * it, it has no interval, and says so.
 * @param of the figures of a resample, in the order of `values`: how often each row was drawn
 * @returns in the order of `values`; undefined where there is no value
 */
export function bootstrapFigures(
  rows: number,
  values: Values,
  of: (counts: Uint32Array) => Values,
  { seed, resamples }: BootstrapSettings,
): (Figure | undefined)[] {
  const found = values.map((): number[] => []);
  const draw = seededDraws(seed);
  const counts = new Uint32Array(rows);
  for (let resample = 0; rows >= fewestRows && resample < resamples; resample += 1) {
    counts.fill(0);
    for (let drawn = 0; drawn < rows; drawn += 1) {
      const row = draw(rows);
      counts[row] = (counts[row] ?? 0) + 1;
    }
    for (const [index, value] of of(counts).entries())
      if (value !== undefined && Number.isFinite(value)) found[index]?.push(value);
  }
  return values.map((value, index) =>
    value === undefined ? undefined : withInterval(value, rows, found[index] ?? [], resamples),
  );
}

const fewestRows = 20;

function withInterval(value: number, rows: number, values: readonly number[], resamples: number): Figure {
  if (rows < fewestRows)
    return checked({ value, noInterval: `${rows} rows are too few to draw again from; it takes ${fewestRows}` });
  if (values.length < Math.max(100, resamples * 0.95)) {
    const noInterval = `${values.length} of ${resamples} resamples have this figure; an interval needs 95 % of them, and 100`;
    return checked({ value, noInterval });
  }
  const sorted = Float64Array.from(values).sort();
  // As if it was certain, which nothing is.
  if (sorted[0] === sorted.at(-1)) return checked({ value, noInterval: 'every resample gives the same figure' });
  const interval = { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), method: 'bootstrap' as const };
  return checked({ value, interval });
}

/** The quantile of sorted numbers, linear between two of them. */
export function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
