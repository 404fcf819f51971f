import { setInterval as every } from 'node:timers';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { ValuesCipher } from '../../platform/values-cipher.ts';
import type { JobQueue, TakenJob } from '../job-queue.ts';
import { sealAnswer } from './job-secret.ts';
import { finishJob, isAnyWaiting, isWaiting, type JobScope, pruneJobs, startJob } from './operation-job-table.ts';
import { openRequest } from './seal-request.ts';

/** What the queue holds of a job: the key of its row. */
export interface OperationJobData {
  readonly job: string;
}

/** What is done for a job; the entrance that takes the requests knows. */
export interface OperationWork {
  /** The answer to a request. Throws what the path throws, and soon after `signal` is aborted. */
  answer(request: string, signal: AbortSignal): Promise<string>;
  /** The answer where it failed. */
  failure(request: string, error: unknown): string;
}

export interface OperationWorkerParts extends JobScope {
  readonly database: Database;
  readonly clock: Clock;
  readonly work: OperationWork;
  /** Seals what waits. */
  readonly cipher: ValuesCipher;
  readonly openQueue: () => Promise<JobQueue<OperationJobData>>;
  readonly event: (event: LogEvent) => void;
  /** Jobs worked on at once. */
  readonly lanes: number;
  /** How often other servers' jobs are looked for. */
  readonly pollMs: number;
  /** True where no other server works on this database: what is taken when it starts was taken by one that is gone. */
  readonly alone: boolean;
  /** After this time without a sign of the server that took a job, another takes it. */
  readonly leaseMs: number;
  /** A job that waited for so long is answered about by nobody any more. */
  readonly overdueMs: number;
  /** How long an answer is kept. */
  readonly keptMs: number;
}

export interface OperationWorker {
  /** There is something to do: do not wait for the next look. */
  wake(): void;
  /** The job of this key was cancelled: what is under way here is given up. */
  giveUp(key: string): void;
  /** Gives up what is under way, and leaves it to the next start or to another server. */
  close(): Promise<void>;
}

/** So often a job is taken before it counts as one that ends the server that takes it. */
const mostAttempts = 5;
const pruneEveryMs = 60_000;
/** What may pass by itself. */
const passing: readonly string[] = ['DATABASE_UNAVAILABLE', 'STORAGE_FULL', 'STARTING', 'SHUTTING_DOWN'];

/** Takes jobs from the queue, some at a time, and keeps their answers. */
export function startOperationWorker(parts: OperationWorkerParts): OperationWorker {
  const { database, clock, event, leaseMs } = parts;
  const closing = new AbortController();
  const running = new Map<string, { readonly cancelled: AbortController; readonly ended: Promise<void> }>();
  let wakeUp = (): void => undefined;
  let woken = false;
  let lookedForAbandonedMs: number | undefined;
  let prunedMs = Number.NEGATIVE_INFINITY;
  /** Whether jobs were taken out of the queue since it was tidied. */
  let mayHoldDone = false;

  const freeAbandoned = async (queue: JobQueue<OperationJobData>): Promise<void> => {
    const first = lookedForAbandonedMs === undefined;
    if (lookedForAbandonedMs !== undefined && performance.now() - lookedForAbandonedMs < leaseMs / 4) return;
    lookedForAbandonedMs = performance.now();
    const jobs = await queue.freeAbandoned(first && parts.alone ? 0 : leaseMs);
    if (jobs > 0) event({ name: 'operation-job.taken-over', jobs });
  };
  /** The queue is opened for it only where jobs were in it: opening it costs statements. */
  const prune = async (): Promise<void> => {
    const expired = await pruneJobs(database, parts.tenant, clock.now());
    if (expired === 0 && !mayHoldDone) return;
    await (await parts.openQueue()).tidy();
    mayHoldDone = running.size > 0;
  };
  /** @returns whether there may be more to do at once */
  const step = async (): Promise<boolean> => {
    if (performance.now() - prunedMs >= pruneEveryMs) {
      prunedMs = performance.now();
      await prune();
    }
    if (!(await isAnyWaiting(database, parts))) return false;
    const queue = await parts.openQueue();
    mayHoldDone = true;
    await freeAbandoned(queue);
    const job = await queue.take();
    if (job === undefined) return false;
    const cancelled = new AbortController();
    const ended = workJob(parts, queue, job, closing.signal, cancelled).finally(() => {
      running.delete(job.job);
      wake();
    });
    running.set(job.job, { cancelled, ended });
    return true;
  };
  const loop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      woken = false;
      let more = false;
      try {
        more = running.size < parts.lanes && (await step());
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
  const wake = (): void => {
    woken = true;
    wakeUp();
  };
  const looped = loop();

  return {
    wake,
    giveUp: (key) => running.get(key)?.cancelled.abort(),
    async close() {
      closing.abort();
      wakeUp();
      await looped;
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

/** Never rejects: what goes wrong with the queue or the database is told, and the job is taken again after its lease. */
async function workJob(
  parts: OperationWorkerParts,
  queue: JobQueue<OperationJobData>,
  job: TakenJob<OperationJobData>,
  closing: AbortSignal,
  cancelled: AbortController,
): Promise<void> {
  const { database, clock, event } = parts;
  const unexpected = (error: unknown): void => event({ name: 'error.unexpected', error });
  const touching = every(() => {
    queue.touch(job).catch(unexpected);
    isWaiting(database, job.job).then((waits) => waits || cancelled.abort(), unexpected);
  }, parts.leaseMs / 3);
  try {
    const startedMs = performance.now();
    const startedAt = clock.now();
    const started = await startJob(database, job.job, startedAt);
    if (started === undefined || startedAt.getTime() - started.createdAt.getTime() >= parts.overdueMs)
      return await queue.complete(job);
    const request = openIfHeld(started.request, job, parts);
    if ('error' in request) {
      event({ name: 'operation-job.postponed', attempts: job.attempts, error: request.error });
      return await queue.postpone(job, request.error);
    }
    const answer = await answerOf(parts, job, request.text, AbortSignal.any([closing, cancelled.signal]));
    if (closing.aborted && answer.error !== undefined) return await queue.giveBack(job);
    if (answer.error !== undefined && mayPass(answer.error, job.attempts)) {
      event({ name: 'operation-job.postponed', attempts: job.attempts, error: answer.error });
      return await queue.postpone(job, answer.error);
    }
    const finishedAt = clock.now();
    const expiresAt = new Date(finishedAt.getTime() + parts.keptMs);
    const sealed = sealAnswer(answer.text, started.sealKey);
    if (await finishJob(database, job.job, sealed, { finishedAt, expiresAt })) {
      const waitedMs = startedAt.getTime() - started.createdAt.getTime();
      event({ name: 'operation-job.finished', waitedMs, durationMs: performance.now() - startedMs });
    }
    await queue.complete(job);
  } catch (error) {
    unexpected(error);
  } finally {
    clearInterval(touching);
  }
}

/** The request; where its key is not here, what is wrong: another server of the database may have it. */
function openIfHeld(
  kept: string,
  { job }: OperationJobData,
  { cipher }: OperationWorkerParts,
): { readonly text: string } | { readonly error: unknown } {
  try {
    return { text: openRequest(kept, job, cipher) };
  } catch (error) {
    return { error };
  }
}

/** The answer, and the failure it tells of where it does. */
async function answerOf(
  { work }: OperationWorkerParts,
  job: TakenJob<OperationJobData>,
  request: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly error?: unknown }> {
  try {
    if (job.attempts >= mostAttempts)
      throw new PredictionError('INTERNAL', `The job was begun ${job.attempts} times, and its server ended each time.`);
    // Given up before it began: whoever waits for the signal would wait for ever.
    signal.throwIfAborted();
    return { text: await work.answer(request, signal) };
  } catch (error) {
    return { text: work.failure(request, error), error };
  }
}

function mayPass(error: unknown, attempts: number): boolean {
  return error instanceof PredictionError && passing.includes(error.code) && attempts + 1 < mostAttempts;
}
