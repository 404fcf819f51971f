import type { Figure } from './figure.ts';
import type { RankedScores } from './labelled-scores.ts';
import { proportion } from './wilson.ts';

/** Rows whose probabilities are alike. */
export interface CalibrationGroup {
  readonly rows: number;
  readonly events: number;
  readonly meanScore: number;
  /** Share of events among them. */
  readonly observed: Figure;
}

/** Predicted probability, and how often it happened; between two points the line is straight. */
export interface CurvePoint {
  readonly score: number;
  readonly observed: number;
}

const groups = 10;

/** Ten groups of about as many rows, by rank; rows of one score stay together, so there may be fewer. From the lowest up. */
export function calibrationGroups({ scores, events, cuts }: RankedScores): CalibrationGroup[] {
  const found: CalibrationGroup[] = [];
  let [begin, passed] = [0, 0];
  for (const { end } of cuts) {
    const due = Math.floor((end * groups) / scores.length);
    if (due === passed && end < scores.length) continue;
    passed = due;
    const rows = end - begin;
    const happened = sum(events.subarray(begin, end));
    found.push({
      rows,
      events: happened,
      meanScore: sum(scores.subarray(begin, end)) / rows,
      observed: proportion(happened, rows, 'no row'),
    });
    begin = end;
  }
  return found.reverse();
}

/**
 * The calibration curve without a smoothing parameter: isotonic regression by pooling adjacent violators, as in the CORP
 * reliability diagram (Dimitriadis, Gneiting and Jordan, PNAS 2021;118:e2016191118). From the lowest score up.
 */
export function isotonicCurve({ cuts }: Pick<RankedScores, 'cuts'>): CurvePoint[] {
  const pools: { rows: number; events: number; from: number; to: number }[] = [];
  for (let index = cuts.length - 1; index >= 0; index -= 1) {
    const here = cuts[index];
    const above = cuts[index - 1] ?? { truePositives: 0, end: 0 };
    if (here === undefined) continue;
    let pool = {
      rows: here.end - above.end,
      events: here.truePositives - above.truePositives,
      from: here.score,
      to: here.score,
    };
    for (let last = pools.at(-1); last && last.events * pool.rows >= pool.events * last.rows; last = pools.at(-1)) {
      pools.pop();
      pool = { rows: last.rows + pool.rows, events: last.events + pool.events, from: last.from, to: pool.to };
    }
    pools.push(pool);
  }
  return pools.flatMap(({ rows, events, from, to }) =>
    (from === to ? [from] : [from, to]).map((score) => ({ score, observed: events / rows })),
  );
}

/**
 * Expected calibration error with ten bins of equal width (Naeini 2015): the mean distance between the mean probability and
 * the share of events, weighted by rows. Undefined without rows.
 */
export function expectedCalibrationError({
  scores,
  events,
}: Pick<RankedScores, 'scores' | 'events'>): number | undefined {
  if (scores.length === 0) return undefined;
  const bins = Array.from({ length: groups }, () => 0);
  for (let row = 0; row < scores.length; row += 1) {
    const score = scores[row] ?? 0;
    const at = Math.min(groups - 1, Math.floor(score * groups));
    bins[at] = (bins[at] ?? 0) + (events[row] ?? 0) - score;
  }
  return sum(bins.map(Math.abs)) / scores.length;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
