import type { BatchGrade } from '../../model-catalog/engine-report.ts';
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
const workRuns = 3;
/** So much work is not measured again, in milliseconds. */
const plainlyMuchMs = 500;
/** About how long a further size is timed, in milliseconds. */
const sizedMs = 20;

/**
 * How long runs of 1, 2, 8 and 32 rows take, each after one that is not counted. The last two are left out where they would
 * take more than what is left of the budget, the second where the first took a second.
 * @param samples `free`: the number of rows is; where it is not they are run as they are. `mostRows`: of more than these, and more than two, none is run
 */
export async function timeRuns(
  session: ModelSession,
  samples: Samples & { readonly free: boolean; readonly mostRows: number },
  wanted: readonly string[],
  budgetMs: number,
): Promise<TimedRun[]> {
  const runs: TimedRun[] = [];
  const started = performance.now();
  for (const rows of samples.free ? sizes : [1]) {
    const last = runs.at(-1);
    const expectedMs = last === undefined ? 0 : 2 * (last.ms / last.rows) * rows;
    const leftMs = budgetMs - (performance.now() - started);
    if (rows > 2 && rows > samples.mostRows) break;
    if (last !== undefined && (rows > 2 || last.ms > longestMs) && expectedMs > leftMs) break;
    const feeds = samples.free ? probeRows(samples, rows, rows, 'drawn') : samples.tensors;
    runs.push({ rows, ms: await leastTime(session, feeds, wanted, leftMs / sizes.length) });
  }
  return runs;
}

/**
 * The runs with one of so many rows among them, timed where it was not.
 * @param samples see timeRuns; the number of rows is free
 */
export async function withRunOf(
  rows: number,
  runs: readonly TimedRun[],
  session: ModelSession,
  samples: Samples,
  wanted: readonly string[],
): Promise<readonly TimedRun[]> {
  if (runs.some((run) => run.rows === rows)) return runs;
  const feeds = probeRows(samples, rows, rows, 'drawn');
  const ms = await leastTime(session, feeds, wanted, sizedMs);
  return [...runs, { rows, ms }].sort((left, right) => left.rows - right.rows);
}

/** Those of the runs that occur where rows are filled up to a multiple: the first is that of a lone row. */
export function runsAsServed(runs: readonly TimedRun[], batches: BatchGrade): readonly TimedRun[] {
  return batches.grade === 'padded' ? runs.filter(({ rows }) => rows % batches.padTo === 0) : runs;
}

/**
 * How much work a run of so many rows is, in milliseconds: the time that this process worked meanwhile, so that it is the same
 * however busy the machine is; none where another computer does the work.
 */
export async function workOf(
  rows: number,
  session: ModelSession,
  samples: Samples,
  wanted: readonly string[],
): Promise<number> {
  const feeds = probeRows(samples, rows, rows, 'drawn');
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < workRuns && (count === 0 || least <= plainlyMuchMs); count++) {
    const [started, worked] = [performance.now(), process.cpuUsage()];
    await session.run(feeds, wanted);
    const { user, system } = process.cpuUsage(worked);
    // Other threads of this process work too: the run did no more than fits in its time.
    least = Math.min(least, (user + system) / 1000, performance.now() - started);
  }
  return least;
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
