import { randomUUID } from 'node:crypto';
import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import { reviveRun } from './advance-run.ts';
import { changedSince } from './changed-since.ts';
import { keptKey, keptRequest } from './idempotency.ts';
import { type MemberPageKey, type MemberQuery, readMemberPage } from './member-pages.ts';
import { reopenMembers } from './member-table.ts';
import type { Cohort, Run, RunMember, RunOrigin, RunRequest } from './run.ts';
import { openRunQueue, type RunQueue } from './run-queue.ts';
import {
  beginWork,
  findRunByKey,
  insertRun,
  lastFinishedOf,
  listRuns,
  moveRun,
  type RunPageKey,
  readRun,
} from './run-table.ts';
import { paceOf, type RunPace, type RunTally, readTally } from './run-tally.ts';
import { type RunWorker, type RunWorkerParts, startRunWorker } from './run-worker.ts';
import { clockToleranceMs } from './schedules/look-table.ts';
import type { Schedule } from './schedules/schedule.ts';
import { createScheduleTicker, type Every } from './schedules/schedule-ticker.ts';
import { type SealedCohort, sealCohort, shownCohort } from './sealed-cohort.ts';
import { transientCodes } from './transient-codes.ts';

export interface RunReport {
  readonly run: Run;
  readonly cohort: Cohort | SealedCohort;
  readonly tally: RunTally;
  readonly pace?: RunPace;
}

/** The cohort runs of one house. */
export interface Runs {
  /**
   * Makes a run, unless one was made with the same key already.
   * Throws MODEL_UNKNOWN, MODEL_NOT_READY, MODEL_DISABLED, AS_OF_IN_FUTURE, RUN_CONFLICT where the key was used for another
   * request, and what CohortSource.check, `checkCohort` and `checkWriteBack` throw.
   */
  create(request: RunRequest, origin: RunOrigin): Promise<{ readonly run: Run; readonly repeated: boolean }>;
  /**
   * Makes a run inside a transaction that does something beside it, for one that is asked for by nobody who could be
   * told about a bad cohort. @returns undefined where the key was used already
   */
  createInside(sql: Sql, request: RunRequest, origin: RunOrigin): Promise<Run | undefined>;
  /** What `createInside` needs and cannot do inside a transaction. */
  prepare(): Promise<void>;
  /** Throws RUN_UNKNOWN, as do all that take an id. */
  read(id: string): Promise<RunReport>;
  list(count: number, after?: RunPageKey): Promise<RunReport[]>;
  members(id: string, query: MemberQuery, count: number, after?: MemberPageKey): Promise<RunMember[]>;
  /** What is under way is finished, what is done stays. Throws RUN_CONFLICT for a run that has ended otherwise. */
  cancel(id: string): Promise<Run>;
  /**
   * Lets a run that has ended go on with the members that are left, and with those whose failure may have passed
   * (`transientCodes`). Throws RUN_CONFLICT for a finished run without such members, and while it is cancelled.
   */
  resume(id: string): Promise<Run>;
  /** From then on runs are worked on, and schedules fire unless `schedules` is false. */
  start(options?: { readonly schedules?: boolean }): Promise<void>;
  /** There is a new run: do not wait for the next look. */
  wake(): void;
  /** Finishes the slice under way; what is left stays pending for the next start, or for another server. */
  close(): Promise<void>;
}

export interface RunsParts extends Omit<RunWorkerParts, 'openQueue' | 'checkModel'> {
  /** Throws MODEL_UNKNOWN, MODEL_NOT_READY or MODEL_DISABLED. */
  readonly findModel: (id: string, version?: string) => Run['model'];
  /** Throws DEMONSTRATION_ONLY or VERSION_NOT_WRITABLE where results of the version may not be written. */
  readonly checkWriteBack: (model: Run['model']) => void;
  /** Throws PARAMETER_INVALID where the version predicts about studies and the cohort is of patients, or the other way round. */
  readonly checkCohort: (model: Run['model'], cohort: Cohort) => void;
  /** IANA zone of the site, in which days are counted where nobody names another. */
  readonly timeZone: string;
  readonly chunkSize: number;
  readonly schedules: readonly Schedule[];
  readonly every: Every;
}

export function openRuns(parts: RunsParts): Runs {
  const { database, tenant, fhirBase, clock, event } = parts;
  let queue: Promise<RunQueue> | undefined;
  let worker: RunWorker | undefined;
  let closed: Promise<void> | undefined;
  const openQueue = (): Promise<RunQueue> => {
    if (closed !== undefined) throw new PredictionError('SHUTTING_DOWN', 'The server is closing and takes no run.');
    queue ??= openRunQueue(database.background, { tenant, fhirBase }, event).catch((error: unknown) => {
      queue = undefined;
      throw error;
    });
    return queue;
  };
  const checkModel = (model: Run['model']): void => {
    const served = parts.findModel(model.id, model.version);
    if (served.digest === model.digest) return;
    throw new PredictionError(
      'MODEL_NOT_READY',
      `The files of model ${model.id}@${model.version} are not those the run began with: one run is one model. Put them back and resume, or make a new run.`,
    );
  };
  /** From when on the studies of a run have changed, and which run of its schedule came before; nothing for a cohort without `since`. */
  const reachBack = async (
    sql: Sql,
    { cohort }: RunRequest,
    model: string,
    of: { readonly at: Date; readonly now: Date; readonly timeZone?: string; readonly schedule?: string },
  ): Promise<Pick<Run, 'changedSince' | 'follows'>> => {
    if (!('search' in cohort) || cohort.since === undefined) return {};
    const { at, now, schedule, timeZone = parts.timeZone } = of;
    const notAfter = new Date(now.getTime() + clockToleranceMs);
    const last =
      schedule === undefined ? undefined : await lastFinishedOf(sql, { tenant, fhirBase }, schedule, model, notAfter);
    if (last === undefined) return { changedSince: changedSince(cohort.since, { at, timeZone }) };
    return { changedSince: changedSince(cohort.since, { at, timeZone, last: last.createdAt }), follows: last.id };
  };
  const createInside: Runs['createInside'] = async (sql, request, { idempotencyKey, timeZone, ...origin }) => {
    const now = clock.now();
    const asOf = request.asOf ?? new Date(Math.floor(now.getTime() / 60_000) * 60_000);
    if (asOf.getTime() > now.getTime())
      throw new PredictionError('AS_OF_IN_FUTURE', 'asOf lies in the future: leave it out for now.');
    const id = randomUUID();
    const model = parts.findModel(request.model, request.version);
    parts.checkCohort(model, request.cohort);
    const run = {
      id,
      tenant,
      fhirBase,
      model,
      keptCohort: sealCohort(request.cohort, id, parts.cipher),
      asOf,
      writeBack: request.writeBack ?? true,
      explain: request.explain ?? true,
      chunkSize: parts.chunkSize,
      createdAt: now,
      ...(idempotencyKey && {
        repeats: { key: keptKey(idempotencyKey), request: keptRequest(idempotencyKey, request) },
      }),
      ...(await reachBack(sql, request, model.id, {
        at: request.asOf ?? now,
        now,
        timeZone,
        schedule: origin.schedule,
      })),
      ...origin,
    };
    if (run.writeBack) parts.checkWriteBack(run.model);
    if (!(await insertRun(sql, run))) return undefined;
    await (await openQueue()).enqueue(sql, [{ run: run.id }]);
    event({
      name: 'run.created',
      run: run.id,
      model: `${run.model.id}@${run.model.version}`,
      ...(origin.schedule === undefined ? {} : { schedule: origin.schedule }),
    });
    return await readRun(sql, tenant, run.id);
  };
  const repeatOf = async (request: RunRequest, { idempotencyKey }: RunOrigin): Promise<Run | undefined> => {
    if (idempotencyKey === undefined) return undefined;
    const found = await findRunByKey(database, { tenant, fhirBase }, keptKey(idempotencyKey));
    if (found === undefined || found.request === keptRequest(idempotencyKey, request)) return found?.run;
    throw new PredictionError(
      'RUN_CONFLICT',
      'This Idempotency-Key was used for another request. Take a new key for a new run, or send what was sent first.',
    );
  };
  /** A run as it is worked on here, and nowhere else. */
  const readOwn = async (id: string): Promise<Run> => {
    const run = await readRun(database, tenant, id);
    if (run.fhirBase === fhirBase) return run;
    throw new PredictionError(
      'RUN_CONFLICT',
      `This run is about the patients of ${run.fhirBase}; this server reads from ${fhirBase}. Ask a server whose FHIR_BASE_URL is that one.`,
    );
  };
  const reportOf = async (run: Run): Promise<RunReport> => {
    const tally = await readTally(database, run);
    const pace = paceOf(run, tally, clock.now());
    return { run, cohort: shownCohort(run, parts.cipher), tally, ...(pace === undefined ? {} : { pace }) };
  };

  const runs: Runs = {
    async create(request, origin) {
      const model = parts.findModel(request.model, request.version);
      const repeat = await repeatOf(request, origin);
      if (repeat !== undefined) return { run: repeat, repeated: true };
      parts.checkCohort(model, request.cohort);
      await parts.cohorts.check(request.cohort);
      await openQueue();
      const run = await database.transaction((sql) => createInside(sql, request, origin));
      worker?.wake();
      if (run !== undefined) return { run, repeated: false };
      const first = await repeatOf(request, origin);
      if (first === undefined) throw new PredictionError('INTERNAL', 'A run vanished while it was made.');
      return { run: first, repeated: true };
    },
    createInside,
    async prepare() {
      await openQueue();
    },
    read: async (id) => reportOf(await readRun(database, tenant, id)),
    async list(count, after) {
      const runs = await listRuns(database, tenant, count, after);
      return await Promise.all(runs.map(reportOf));
    },
    async members(id, query, count, after) {
      return await readMemberPage(database, (await readRun(database, tenant, id)).id, query, count, after);
    },
    async cancel(id) {
      const { state } = await readOwn(id);
      if (state === 'finished' || state === 'failed')
        throw new PredictionError('RUN_CONFLICT', `The run is ${state}; only a run that goes on can be cancelled.`);
      const opened = await openQueue();
      const cancelled = await database.transaction(async (sql) => {
        const moved = await moveRun(sql, id, ['expanding', 'running'], 'cancelling', clock.now());
        const taken = await opened.withdraw(sql, id);
        return taken === 0 && (await moveRun(sql, id, ['cancelling'], 'cancelled', clock.now())) && moved;
      });
      if (cancelled) event({ name: 'run.cancelled', run: id });
      return await readRun(database, tenant, id);
    },
    async resume(id) {
      const run = await readOwn(id);
      if (run.state === 'cancelling')
        throw new PredictionError(
          'RUN_CONFLICT',
          'The run is cancelling and cannot be resumed. Wait until it is cancelled.',
        );
      checkModel(run.model);
      const opened = await openQueue();
      const to = run.members === undefined ? 'expanding' : 'running';
      const resumed = await database.transaction(async (sql) => {
        const at = clock.now();
        const finished = run.state === 'finished';
        if (!(await moveRun(sql, id, finished ? ['finished'] : ['cancelled', 'failed'], to, at))) return false;
        const reopened = await reopenMembers(sql, id, transientCodes);
        if (finished && reopened === 0)
          throw new PredictionError(
            'RUN_CONFLICT',
            `The run is finished, and no member of it failed for a reason that may have passed (${transientCodes.join(', ')}). Make a new run.`,
          );
        if (to === 'running') await beginWork(sql, id, at);
        return true;
      });
      if (resumed) event({ name: 'run.resumed', run: id });
      await reviveRun(parts, opened, id);
      worker?.wake();
      return await readRun(database, tenant, id);
    },
    async start({ schedules = true } = {}) {
      worker ??= startRunWorker({ ...parts, database: database.background, openQueue, checkModel });
      if (schedules) await ticker.start();
    },
    wake: () => worker?.wake(),
    close() {
      closed ??= (async () => {
        try {
          await ticker.close();
        } finally {
          try {
            await worker?.close();
          } finally {
            await (await queue)?.close();
          }
        }
      })();
      return closed;
    },
  };
  const ticker = createScheduleTicker({ ...parts, runs });
  return runs;
}
