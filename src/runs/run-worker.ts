import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import { endRun, finishIfDone, reviveRun, settleCancelled } from './advance-run.ts';
import type { CohortSource } from './cohort-source.ts';
import { expandRun } from './expand-run.ts';
import type { Run } from './run.ts';
import type { RunJob, RunQueue } from './run-queue.ts';
import { readRun, unfinishedRuns } from './run-table.ts';
import { type ChunkParts, workChunk } from './work-chunk.ts';
import { failsRun, isAway } from './work-slice.ts';

export interface RunWorkerParts extends ChunkParts {
  readonly database: Database;
  readonly tenant: string;
  readonly fhirBase: string;
  readonly clock: Clock;
  readonly cohorts: CohortSource;
  /** Seals cohorts. */
  readonly cipher: ValuesCipher;
  /** Opened when the first run needs it. */
  readonly openQueue: () => Promise<RunQueue>;
  /** Throws where the run's model version is no longer served as it was. */
  readonly checkModel: (model: Run['model']) => void;
  readonly event: (event: LogEvent) => void;
  /** How often other servers' runs are looked for. */
  readonly pollMs: number;
  /** True where no other server works on this database: what is taken when it starts was taken by one that is gone. */
  readonly alone: boolean;
  /** How often a chunk is tried, at growing intervals, while the record source answers about none of its members. */
  readonly unreachableAttempts: number;
  /** After this time without a sign of the server that took a job, another takes it. */
  readonly leaseMs: number;
}

export interface RunWorker {
  /** There is something to do: do not wait for the next look. */
  wake(): void;
  /** Finishes the slice under way and leaves the rest pending. */
  close(): Promise<void>;
}

/** How often an unreachable record source is asked for a cohort, and a job that fails for no known reason is tried. */
const expandAttempts = 5;
const unknownAttempts = 20;
/** What may pass by itself, however often it came. */
const passing: readonly string[] = ['DATABASE_UNAVAILABLE', 'STORAGE_FULL', 'STARTING', 'SHUTTING_DOWN'];

/** Takes one job after another: one chunk at a time, so that a run leaves room for everybody else. */
export function startRunWorker(parts: RunWorkerParts): RunWorker {
  const { database, tenant, fhirBase, event, leaseMs } = parts;
  const closing = new AbortController();
  let wakeUp = (): void => undefined;
  let woken = false;
  let openedBefore = false;
  let lookedForAbandonedMs = Number.NEGATIVE_INFINITY;
  let revivedMs = Number.NEGATIVE_INFINITY;

  const freeAbandoned = async (queue: RunQueue): Promise<void> => {
    const first = parts.alone && !openedBefore;
    openedBefore = true;
    if (!first && performance.now() - lookedForAbandonedMs < leaseMs / 4) return;
    lookedForAbandonedMs = performance.now();
    const jobs = await queue.freeAbandoned(first ? 0 : leaseMs);
    if (jobs > 0) event({ name: 'run.taken-over', jobs });
  };

  /** @returns whether there may be more to do at once */
  const step = async (): Promise<boolean> => {
    const unfinished = await unfinishedRuns(database, tenant, fhirBase);
    if (unfinished.length === 0) return false;
    const queue = await parts.openQueue();
    await freeAbandoned(queue);
    const job = await queue.take();
    if (job !== undefined) {
      await workJob(parts, queue, job, closing.signal);
      return true;
    }
    if (performance.now() - revivedMs < leaseMs) return false;
    revivedMs = performance.now();
    for (const id of unfinished) await reviveRun(parts, queue, id);
    return false;
  };

  const loop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      woken = false;
      let more = false;
      try {
        more = await step();
      } catch (error) {
        if (!closing.signal.aborted) event({ name: 'error.unexpected', error });
      }
      if (!more && !woken) await sleep();
    }
  };
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, parts.pollMs);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (closing.signal.aborted) wakeUp();
    });
  const ended = loop();

  return {
    wake() {
      woken = true;
      wakeUp();
    },
    async close() {
      closing.abort();
      wakeUp();
      await ended;
    },
  };
}

async function workJob(parts: RunWorkerParts, queue: RunQueue, job: RunJob, signal: AbortSignal): Promise<void> {
  const { database, event } = parts;
  const touching = setInterval(() => {
    queue.touch(job).catch((error: unknown) => event({ name: 'error.unexpected', error }));
  }, parts.leaseMs / 3);
  let run: Run | undefined;
  try {
    run = await readRun(database, parts.tenant, job.run);
    await workRun(parts, queue, job, run, signal);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'RUN_UNKNOWN') await queue.complete(job);
    // What fails because the server closes says nothing about the job.
    else if (signal.aborted) await queue.giveBack(job);
    else if (run !== undefined && givesUp(error, job, parts.unreachableAttempts)) {
      await endRun(parts, queue, run, error);
      await queue.complete(job);
    } else {
      event({ name: 'run.postponed', run: job.run, attempts: job.attempts, error });
      await queue.postpone(job, error);
    }
  } finally {
    clearInterval(touching);
  }
}

async function workRun(
  parts: RunWorkerParts,
  queue: RunQueue,
  job: RunJob,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  const wanted = job.chunk === undefined ? 'expanding' : 'running';
  let state = run.state;
  if (state === wanted) {
    parts.checkModel(run.model);
    if (job.chunk === undefined) {
      const { cipher, clock } = parts;
      state = await expandRun(parts.database, queue, parts.cohorts, run, {
        cipher,
        signal,
        now: () => clock.now(),
        event: parts.event,
      });
      if (state === 'expanding') return await queue.giveBack(job);
      const { members } = await readRun(parts.database, parts.tenant, run.id);
      if (members !== undefined) parts.event({ name: 'run.started', run: run.id, members });
    } else {
      const exhausted = job.attempts + 1 >= parts.unreachableAttempts;
      const end = await workChunk(parts, run, job.chunk, { signal, exhausted });
      if (end === 'stopped') return await queue.giveBack(job);
      if (end === 'withdrawn') state = (await readRun(parts.database, parts.tenant, run.id)).state;
    }
  }
  await queue.complete(job);
  if (state === 'cancelling') await settleCancelled(parts, queue, run.id);
  else await finishIfDone(parts, queue, run.id);
}

/** Whether trying again is of no use. */
function givesUp(error: unknown, { chunk, attempts }: RunJob, unreachableAttempts: number): boolean {
  if (failsRun(error)) return true;
  const code = error instanceof PredictionError ? error.code : 'INTERNAL';
  if (passing.includes(code)) return false;
  if (isAway(error)) return attempts + 1 >= (chunk === undefined ? expandAttempts : unreachableAttempts);
  if (chunk === undefined && code !== 'INTERNAL') return true;
  return attempts + 1 >= unknownAttempts;
}
