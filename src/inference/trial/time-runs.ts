import type { Tensors } from '../../model-catalog/tensor.ts';
import type { ModelSession } from '../model-session.ts';
import { probeRows, type Samples } from './probe-rows.ts';

export interface TimedRun {
  readonly rows: number;
  /** The least of several, in milliseconds. */
  readonly ms: number;
}

const sizes = [1, 2, 8, 32] as const;
const mostRuns = 20;
/** After a run that took longer, in milliseconds, there is none with more rows. */
const longestMs = 1_000;

/**
 * How long runs of 1, 2, 8 and 32 rows take, each after one that is not counted. The last two are left out where they would
 * take more than what is left of the budget, the second where the first took a second.
 * @param samples `free`: the number of rows is; where it is not they are run as they are
 */
export async function timeRuns(
  session: ModelSession,
  samples: Samples & { readonly free: boolean },
  wanted: readonly string[],
  budgetMs: number,
): Promise<TimedRun[]> {
  const runs: TimedRun[] = [];
  const started = performance.now();
  for (const rows of samples.free ? sizes : [1]) {
    const last = runs.at(-1);
    const expectedMs = last === undefined ? 0 : 2 * (last.ms / last.rows) * rows;
    const leftMs = budgetMs - (performance.now() - started);
    if (last !== undefined && (rows > 2 || last.ms > longestMs) && expectedMs > leftMs) break;
    const feeds = samples.free ? probeRows(samples, rows, rows, 'drawn') : samples.tensors;
    runs.push({ rows, ms: await leastTime(session, feeds, wanted, leftMs / sizes.length) });
  }
  return runs;
}

async function leastTime(
  session: ModelSession,
  feeds: Tensors,
  wanted: readonly string[],
  ms: number,
): Promise<number> {
  const timed = async (): Promise<number> => {
    const started = performance.now();
    await session.run(feeds, wanted);
    return performance.now() - started;
  };
  const first = await timed();
  // One that takes its time is not run again to learn the same.
  if (first > ms) return first;
  const until = performance.now() + ms;
  let least = await timed();
  for (let count = 1; count < mostRuns && performance.now() < until; count++) least = Math.min(least, await timed());
  return least;
}
