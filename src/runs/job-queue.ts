import { createHash, randomUUID } from 'node:crypto';
import { type Db, PgBoss } from 'pg-boss';
import type { Database, Sql } from '../platform/database.ts';
import type { LogEvent } from '../platform/events.ts';

/** A job that was taken. */
export type TakenJob<Data> = Data & {
  readonly id: string;
  /** How often it was taken before. */
  readonly attempts: number;
};

/** Jobs of one kind on one FHIR base. A job is in it once, queued or taken, whoever enqueues it how often. */
export interface JobQueue<Data> {
  /** Part of the transaction that `sql` is. */
  enqueue(sql: Sql, jobs: readonly Data[]): Promise<void>;
  /** Takes the next job, for as long as it is touched. */
  take(): Promise<TakenJob<Data> | undefined>;
  touch(job: TakenJob<Data>): Promise<void>;
  complete(job: TakenJob<Data>): Promise<void>;
  /** Puts the job off for a while, longer each time. */
  postpone(job: TakenJob<Data>, error: unknown): Promise<void>;
  /** Gives the job back, to be taken at once; that it was taken does not count. */
  giveBack(job: TakenJob<Data>): Promise<void>;
  /** Frees jobs that were not touched for `idleMs`: the server that took them is gone. @returns how many */
  freeAbandoned(idleMs: number): Promise<number>;
  /** Takes the jobs about one thing that nobody has taken out of the queue. @returns how many are taken, and left alone */
  withdraw(sql: Sql, about: string): Promise<number>;
  /** Forgets jobs that are done. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

const schema = 'pgboss';
const daySeconds = 86_400;

export interface JobQueueOptions<Data> {
  readonly tenant: string;
  /** Part of the queue's name, so that a server never sees a job about patients of another record source. */
  readonly fhirBase: string;
  /** What kind of jobs these are: the beginning of the queue's name. */
  readonly kind: string;
  /** The same for the same job, by which it is in the queue once. */
  readonly keyOf: (data: Data) => string;
  /** The property of the data that names what a job is about. */
  readonly aboutProperty: keyof Data & string;
}

/**
 * Opens pg-boss on the house's database, in a schema of its own. Its own upkeep is off: it would disturb the bedside at
 * its own times; what these jobs need of it stands here.
 */
export async function openJobQueue<Data extends object>(
  database: Database,
  { tenant, fhirBase, kind, keyOf, aboutProperty }: JobQueueOptions<Data>,
  event: (event: LogEvent) => void,
): Promise<JobQueue<Data>> {
  const name = `${kind}-${createHash('sha256').update(`${tenant} ${fhirBase}`).digest('hex').slice(0, 16)}`;
  const boss = new PgBoss({
    db: queueDatabase(database),
    backend: database.kind === 'pglite' ? 'pglite' : 'postgres',
    schema,
    supervise: false,
    schedule: false,
    bamIntervalSeconds: daySeconds,
    queueCacheIntervalSeconds: daySeconds,
  });
  boss.on('error', (error) => event({ name: 'error.unexpected', error }));
  await boss.start();
  await boss.createQueue(name, {
    policy: 'exclusive',
    retryLimit: 10_000,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 30,
    expireInSeconds: daySeconds,
    retentionSeconds: 365 * daySeconds,
    deleteAfterSeconds: daySeconds,
  });
  // Reads the queue into pg-boss's memory, which it could not do inside a transaction.
  await boss.touch(name, randomUUID());

  /** An update that is cancelled and resumed is queued again without a delay. */
  const requeue = async (sql: Sql, ids: readonly string[]): Promise<void> => {
    await boss.cancel(name, [...ids], { db: queueDatabase(sql) });
    await boss.resume(name, [...ids], { db: queueDatabase(sql) });
  };

  return {
    async enqueue(sql, jobs) {
      if (jobs.length === 0) return;
      const named = jobs.map((data) => ({ data, singletonKey: keyOf(data) }));
      await boss.insert(name, named, { db: queueDatabase(sql) });
    },
    async take() {
      const [job] = await boss.fetch<Data>(name, { includeMetadata: true });
      if (job === undefined) return undefined;
      // Taking leaves the time of an earlier touch, by which the job would count as abandoned.
      await boss.touch(name, job.id);
      return { ...job.data, id: job.id, attempts: job.retryCount };
    },
    async touch(job) {
      await boss.touch(name, job.id);
    },
    async complete(job) {
      await boss.complete(name, job.id);
    },
    async postpone(job, error) {
      await boss.fail(name, job.id, { error: error instanceof Error ? error.name : typeof error });
    },
    giveBack: (job) =>
      database.transaction(async (sql) => {
        await requeue(sql, [job.id]);
        // A job that was never started is taken without counting.
        await sql.query(
          `update ${schema}.job set started_on = null where name = $1 and id = $2 and state = 'created'`,
          [name, job.id],
        );
      }),
    freeAbandoned: (idleMs) =>
      database.transaction(async (sql) => {
        const { rows } = await sql.query<{ id: string }>(
          `select id from ${schema}.job where name = $1 and state = 'active'
             and greatest(heartbeat_on, started_on) <= clock_timestamp() - $2 * interval '1 millisecond'
           for update skip locked`,
          [name, idleMs],
        );
        const ids = rows.map(({ id }) => id);
        if (ids.length > 0) await requeue(sql, ids);
        return ids.length;
      }),
    async withdraw(sql, about) {
      const { rows } = await sql.query<{ id: string; taken: boolean }>(
        `select id, state = 'active' as taken from ${schema}.job
         where name = $1 and state in ('created', 'retry', 'active') and data->>$3 = $2 for update`,
        [name, about, aboutProperty],
      );
      const queued = rows.flatMap(({ id, taken }) => (taken ? [] : [id]));
      if (queued.length > 0) await boss.deleteJob(name, queued, { db: queueDatabase(sql) });
      return rows.length - queued.length;
    },
    async tidy() {
      await boss.deleteStoredJobs(name);
    },
    close: () => boss.stop({ graceful: false }),
  };
}

/** pg-boss sends texts of several statements without values, which only the simple protocol takes. */
function queueDatabase(sql: Sql): Db {
  return {
    executeSql: (text, values) => sql.query(text, values === undefined || values.length === 0 ? undefined : values),
  };
}
