import { hash } from 'node:crypto';
import { PredictionError } from '../../platform/errors.ts';
import { type JobQueue, openJobQueue } from '../job-queue.ts';
import { isJobId, jobKey, newJobId, openAnswer, sealKeyOf } from './job-secret.ts';
import {
  countWaiting,
  deleteJob,
  giveUpOnce,
  insertJob,
  type JobRow,
  lastOfOnce,
  notePoll,
  readJob,
} from './operation-job-table.ts';
import {
  type OperationJobData,
  type OperationWorker,
  type OperationWorkerParts,
  startOperationWorker,
} from './operation-worker.ts';
import { sealRequest } from './seal-request.ts';

/** Who asks about a job. */
export interface JobCaller {
  /** Key of the principal. */
  readonly owner: string;
  /** The only patient that the caller may ask about, where the token says so. */
  readonly patient?: string;
}

export type JobStatus =
  | { readonly state: 'waiting'; readonly createdAt: Date; readonly startedAt?: Date }
  | { readonly state: 'answered'; readonly answer: string; readonly expiresAt: Date }
  /** Nobody will answer it any more. */
  | { readonly state: 'overdue'; readonly expiresAt: Date };

/** What is asked for, as `OperationWork.answer` takes it, and by whom about whom. */
export interface AskedJob {
  readonly owner: string;
  /** Logical id of the Patient. */
  readonly subject: string;
  readonly request: string;
}

/** `created`: by this call; `under-way`: by an earlier one; `ended`: so short a time ago that none is made again. */
export type OnceState = 'created' | 'under-way' | 'ended';

/** Operations that are worked on while their callers do something else (OP-50 to OP-55). */
export interface OperationJobs {
  /** @returns the id. Throws RATE_LIMITED where the caller has too many jobs under way. */
  create(job: AskedJob): Promise<string>;
  /**
   * The same for what is needed once, whoever asks for it: its answer is with nobody, and what it makes lies elsewhere.
   * @param once names what it makes
   * @param restMs after one has ended, none is made again for so long
   * Throws RATE_LIMITED.
   */
  createOnce(job: AskedJob & { readonly once: string; readonly restMs: number }): Promise<OnceState>;
  /** Throws RESOURCE_UNKNOWN for another caller's job as for none, and RATE_LIMITED where it is asked after too often. */
  read(id: string, caller: JobCaller): Promise<JobStatus>;
  /** From then on there is no such job. Throws RESOURCE_UNKNOWN. */
  cancel(id: string, caller: JobCaller): Promise<void>;
  /** From then on jobs are worked on. */
  start(): void;
  close(): Promise<void>;
}

export interface OperationJobsParts extends Omit<OperationWorkerParts, 'openQueue'> {
  /** Unfinished jobs that one caller may have. */
  readonly mostWaiting: number;
  /** A caller may ask so soon after it asked. */
  readonly pollGapMs: number;
}

export function openOperationJobs(parts: OperationJobsParts): OperationJobs {
  const { database, tenant, fhirBase, clock, event, overdueMs } = parts;
  let queue: Promise<JobQueue<OperationJobData>> | undefined;
  let worker: OperationWorker | undefined;
  let isClosed = false;
  const openQueue = (): Promise<JobQueue<OperationJobData>> => {
    if (isClosed) throw new PredictionError('SHUTTING_DOWN', 'The server is closing and takes no job.');
    const keyOf = ({ job }: OperationJobData): string => job;
    const options = { tenant, fhirBase, kind: 'operations', keyOf, aboutProperty: 'job' } as const;
    queue ??= openJobQueue<OperationJobData>(database.background, options, event).catch((error: unknown) => {
      queue = undefined;
      throw error;
    });
    return queue;
  };
  const find = async (id: string, { owner, patient }: JobCaller): Promise<JobRow> => {
    const job = isJobId(id) ? await readJob(database, tenant, jobKey(id), clock.now()) : undefined;
    if (job !== undefined && job.owner === owner && (patient === undefined || patient === job.subject)) return job;
    throw new PredictionError(
      'RESOURCE_UNKNOWN',
      'There is no such asynchronous request of yours: it was cancelled, its answer has expired, or another client made it. Ask anew.',
    );
  };

  /** @returns its id; `isKept` is false where one of the same `once` is under way */
  const keep = async ({ owner, subject, request }: AskedJob, once?: string) => {
    if ((await countWaiting(database, parts, owner)) >= parts.mostWaiting) {
      throw new PredictionError(
        'RATE_LIMITED',
        `You have ${parts.mostWaiting} asynchronous requests under way, which is as many as one client may have: wait until some are answered, or cancel them.`,
        { retryAfterSeconds: 5 },
      );
    }
    const opened = await openQueue();
    const id = newJobId();
    const [key, createdAt] = [jobKey(id), clock.now()];
    const expiresAt = new Date(createdAt.getTime() + overdueMs + parts.keptMs);
    const sealed = sealRequest(request, key, parts.cipher);
    const isKept = await database.transaction(async (sql) => {
      const job = { key, owner, subject, request: sealed, sealKey: sealKeyOf(id), createdAt, expiresAt };
      if (!(await insertJob(sql, parts, once === undefined ? job : { ...job, once }))) return false;
      await opened.enqueue(sql, [{ job: key }]);
      return true;
    });
    if (isKept) event({ name: 'operation-job.created' });
    worker?.wake();
    return { id, isKept };
  };

  return {
    async create(job) {
      const { id } = await keep(job);
      return id;
    },
    async createOnce({ once, restMs, ...job }) {
      const now = clock.now();
      const name = { tenant, fhirBase, once: hash('sha256', once) };
      await giveUpOnce(database, name, new Date(now.getTime() - overdueMs));
      const last = await lastOfOnce(database, name, new Date(now.getTime() - restMs));
      if (last !== undefined) return last;
      return (await keep(job, name.once)).isKept ? 'created' : 'under-way';
    },
    async read(id, caller) {
      const { answer, createdAt, startedAt, expiresAt } = await find(id, caller);
      if (answer !== undefined) return { state: 'answered', answer: openAnswer(answer, sealKeyOf(id)), expiresAt };
      const now = clock.now();
      if (now.getTime() - createdAt.getTime() >= overdueMs) return { state: 'overdue', expiresAt };
      if (!(await notePoll(database, jobKey(id), now, parts.pollGapMs))) {
        throw new PredictionError(
          'RATE_LIMITED',
          'You asked for this a moment ago: wait for as long as Retry-After says before you ask again.',
          { retryAfterSeconds: Math.ceil(parts.pollGapMs / 1000) },
        );
      }
      return { state: 'waiting', createdAt, ...(startedAt === undefined ? {} : { startedAt }) };
    },
    async cancel(id, caller) {
      await find(id, caller);
      const key = jobKey(id);
      const opened = await openQueue();
      await database.transaction(async (sql) => {
        await deleteJob(sql, key);
        await opened.withdraw(sql, key);
      });
      worker?.giveUp(key);
      event({ name: 'operation-job.cancelled' });
    },
    start() {
      worker ??= startOperationWorker({ ...parts, database: database.background, openQueue });
    },
    async close() {
      isClosed = true;
      await worker?.close();
      const opened = await queue?.catch(() => undefined);
      await opened?.close();
    },
  };
}
