import type { TimedRun } from '../trial/time-runs.ts';

/** How long runs take, learnt at load. */
export interface RunCost {
  /** Milliseconds that a run of so many rows is expected to take, corrected by all runs since. */
  expectedMs(rows: number): number;
  /** The most rows that took no longer than so many milliseconds at load, when nobody waited; at least 1. */
  rowsWithin(ms: number): number;
  took(rows: number, ms: number): void;
}

/** So much of each new measurement goes into the correction. */
const weight = 0.1;

/** A fixed part and a part for each row, from the shortest and the longest batch that were timed. */
export function runCost(runs: readonly TimedRun[]): RunCost {
  const [first, last] = [runs[0], runs.at(-1)];
  const rows = (last?.rows ?? 1) - (first?.rows ?? 1);
  const rowMs = rows > 0 ? Math.max(((last?.ms ?? 0) - (first?.ms ?? 0)) / rows, 1e-6) : (first?.ms ?? 0);
  const fixedMs = Math.max((first?.ms ?? 0) - rowMs, 0);
  let correction = 1;
  const planned = (count: number): number => fixedMs + rowMs * count;
  return {
    expectedMs: (count) => correction * planned(count),
    rowsWithin: (ms) => Math.max(1, Math.floor((ms - fixedMs) / (rowMs || 1e-6))),
    took(count, ms) {
      const plannedMs = planned(count);
      if (plannedMs > 0) correction += weight * (ms / plannedMs - correction);
    },
  };
}
