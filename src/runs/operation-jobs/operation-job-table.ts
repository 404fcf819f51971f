import type { Sql } from '../../platform/database.ts';

/** Whose jobs: those of one record source. */
export interface JobScope {
  readonly tenant: string;
  readonly fhirBase: string;
}

/** A job as it is first kept. */
export interface NewJob {
  readonly key: string;
  /** Key of the principal that asks. */
  readonly owner: string;
  /** Logical id of the Patient it is about. */
  readonly subject: string;
  /** What is asked, as the worker's `answer` takes it. */
  readonly request: string;
  readonly sealKey: Buffer;
  /** See `OperationJobs.createOnce`; absent: any number of such jobs may be under way. */
  readonly once?: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** A job as it stands. */
export interface JobRow {
  readonly owner: string;
  readonly subject: string;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly expiresAt: Date;
  /** Sealed; absent until there is one. */
  readonly answer?: Buffer;
}

/** @returns false where one of the same `once` is under way, and this one is not kept */
export async function insertJob(sql: Sql, { tenant, fhirBase }: JobScope, job: NewJob): Promise<boolean> {
  const { key, owner, subject, request, sealKey, once = null, createdAt, expiresAt } = job;
  const { rowCount } = await sql.query(
    `insert into operation_jobs (key, tenant, fhir_base, owner, subject_id, request, seal_key, once, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (tenant, fhir_base, once) where once is not null and finished_at is null do nothing`,
    [key, tenant, fhirBase, owner, subject, request, sealKey, once, createdAt, expiresAt],
  );
  return rowCount === 1;
}

/** What is to be made once, by whichever job. */
export interface OnceName extends JobScope {
  readonly once: string;
}

/** Whether one is under way, or has ended after `since`; undefined where there is neither. */
export async function lastOfOnce(
  sql: Sql,
  { tenant, fhirBase, once }: OnceName,
  since: Date,
): Promise<'under-way' | 'ended' | undefined> {
  const { rows } = await sql.query<{ ended: boolean }>(
    `select finished_at is not null as ended from operation_jobs
     where tenant = $1 and fhir_base = $2 and once = $3 and (finished_at is null or finished_at > $4)
     order by ended limit 1`,
    [tenant, fhirBase, once, since],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return row.ended ? 'ended' : 'under-way';
}

/** A job that was made at `before` or earlier, and that nobody will finish, keeps no other from being made. */
export async function giveUpOnce(sql: Sql, { tenant, fhirBase, once }: OnceName, before: Date): Promise<void> {
  await sql.query(
    `update operation_jobs set once = null
     where tenant = $1 and fhir_base = $2 and once = $3 and finished_at is null and created_at <= $4`,
    [tenant, fhirBase, once, before],
  );
}

/** Unfinished jobs of one caller. */
export async function countWaiting(sql: Sql, { tenant, fhirBase }: JobScope, owner: string): Promise<number> {
  const { rows } = await sql.query<{ waiting: number }>(
    `select count(*)::int as waiting from operation_jobs
     where tenant = $1 and fhir_base = $2 and owner = $3 and finished_at is null`,
    [tenant, fhirBase, owner],
  );
  return rows[0]?.waiting ?? 0;
}

/** Whether any job of the record source is unfinished. */
export async function isAnyWaiting(sql: Sql, { tenant, fhirBase }: JobScope): Promise<boolean> {
  const { rows } = await sql.query(
    'select 1 from operation_jobs where tenant = $1 and fhir_base = $2 and finished_at is null limit 1',
    [tenant, fhirBase],
  );
  return rows.length > 0;
}

/** The job of a key, unless it has expired. */
export async function readJob(sql: Sql, tenant: string, key: string, now: Date): Promise<JobRow | undefined> {
  const { rows } = await sql.query<Row>(
    `select owner, subject_id, created_at, started_at, expires_at, answer from operation_jobs
     where tenant = $1 and key = $2 and expires_at > $3`,
    [tenant, key, now],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    owner: row.owner,
    subject: row.subject_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.answer === null ? {} : { answer: row.answer }),
  };
}

interface Row {
  readonly owner: string;
  readonly subject_id: string;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly expires_at: Date;
  readonly answer: Buffer | null;
}

/** Notes that an unfinished job is asked after. @returns false where that was less than `gapMs` ago, and is not noted */
export async function notePoll(sql: Sql, key: string, now: Date, gapMs: number): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update operation_jobs set polled_at = $2
     where key = $1 and (polled_at is null or polled_at > $2 or polled_at <= $3)`,
    [key, now, new Date(now.getTime() - gapMs)],
  );
  return rowCount === 1;
}

/** Notes that a job is worked on. @returns undefined where it is finished or was cancelled */
export async function startJob(
  sql: Sql,
  key: string,
  now: Date,
): Promise<{ readonly request: string; readonly sealKey: Buffer; readonly createdAt: Date } | undefined> {
  const { rows } = await sql.query<{ request: string; seal_key: Buffer; created_at: Date }>(
    `update operation_jobs set started_at = $2 where key = $1 and finished_at is null
     returning request, seal_key, created_at`,
    [key, now],
  );
  const [row] = rows;
  return row === undefined ? undefined : { request: row.request, sealKey: row.seal_key, createdAt: row.created_at };
}

export async function isWaiting(sql: Sql, key: string): Promise<boolean> {
  const { rows } = await sql.query('select 1 from operation_jobs where key = $1 and finished_at is null', [key]);
  return rows.length > 0;
}

/** Keeps the answer, and no longer what was asked. @returns false where the job was cancelled or finished meanwhile */
export async function finishJob(
  sql: Sql,
  key: string,
  answer: Buffer,
  at: { readonly finishedAt: Date; readonly expiresAt: Date },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update operation_jobs set answer = $2, finished_at = $3, expires_at = $4, request = null, seal_key = null
     where key = $1 and finished_at is null`,
    [key, answer, at.finishedAt, at.expiresAt],
  );
  return rowCount === 1;
}

export async function deleteJob(sql: Sql, key: string): Promise<void> {
  await sql.query('delete from operation_jobs where key = $1', [key]);
}

/** Forgets what has expired, of every record source. */
export async function pruneJobs(sql: Sql, tenant: string, now: Date): Promise<number> {
  const { rowCount } = await sql.query('delete from operation_jobs where tenant = $1 and expires_at <= $2', [
    tenant,
    now,
  ]);
  return rowCount;
}
