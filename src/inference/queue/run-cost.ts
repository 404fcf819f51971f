import type { TimedRun } from '../trial/time-runs.ts';

/** How long runs take, learnt at load. Rows are counted as they are asked for, and cost what the run of them costs, filled up. */
export interface RunCost {
  /** Milliseconds that a run of so many rows is expected to take, corrected by all runs since. */
  expectedMs(rows: number): number;
  /** The most rows whose run took no longer than so many milliseconds at load, when nobody waited; at least one run as it is filled up. */
  rowsWithin(ms: number): number;
  took(rows: number, ms: number): void;
}

/** So much of each new measurement goes into the correction. */
const weight = 0.1;

/**
 * A fixed part and a part for each row, from the shortest and the longest batch that were timed.
 * @param runs of rows as they were run, by their number
 * @param padTo rows of a run are filled up to a multiple of it
 */
export function runCost(runs: readonly TimedRun[], padTo = 1): RunCost {
  const first = runs[0] ?? { rows: 1, ms: 0 };
  const last = runs.at(-1) ?? first;
  const rows = last.rows - first.rows;
  const rowMs = rows > 0 ? Math.max((last.ms - first.ms) / rows, 1e-6) : first.ms / first.rows;
  const fixedMs = Math.max(first.ms - rowMs * first.rows, 0);
  let correction = 1;
  const planned = (count: number): number => fixedMs + rowMs * Math.ceil(count / padTo) * padTo;
  return {
    expectedMs: (count) => correction * planned(count),
    rowsWithin: (ms) => Math.max(1, Math.floor((ms - fixedMs) / (rowMs || 1e-6) / padTo)) * padTo,
    took(count, ms) {
      const plannedMs = planned(count);
      if (plannedMs > 0) correction += weight * (ms / plannedMs - correction);
    },
  };
}
