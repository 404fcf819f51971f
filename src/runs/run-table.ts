import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import { storableText } from '../platform/storable-text.ts';
import type { Run, RunState } from './run.ts';

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly fhir_base: string;
  readonly model_id: string;
  readonly model_version: string;
  readonly model_digest: string;
  readonly cohort: string;
  readonly as_of: Date;
  readonly write_back: boolean;
  readonly explain: boolean;
  readonly chunk_size: number;
  readonly state: RunState;
  readonly reason_code: string | null;
  readonly reason: string | null;
  readonly requester: string | null;
  readonly schedule: string | null;
  readonly changed_since: Date | null;
  readonly follows: string | null;
  readonly members: number | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly worked_from: Date | null;
  readonly done_before: number | null;
}

const columns = `id, tenant, fhir_base, model_id, model_version, model_digest, cohort, as_of, write_back, explain, chunk_size,
  state, reason_code, reason, requester, schedule, changed_since, follows, members, created_at, started_at, finished_at,
  worked_from, done_before`;

/** A run as it is first kept. */
export type NewRun = Omit<Run, 'state' | 'reason' | 'members' | 'startedAt' | 'finishedAt' | 'workedFrom'> & {
  /** What is kept of the key and of what was asked for with it; see idempotency.ts. */
  readonly repeats?: { readonly key: string; readonly request: string };
};

/** Keeps a new run in state `expanding`. @returns false where the idempotency key is taken for its base: nothing is kept then */
export async function insertRun(sql: Sql, run: NewRun): Promise<boolean> {
  const { rowCount } = await sql.query(
    `insert into runs (id, tenant, fhir_base, model_id, model_version, model_digest, cohort, as_of, write_back, explain,
       chunk_size, state, requester, schedule, idempotency_key, request_hash, created_at, changed_since, follows)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'expanding', $12, $13, $14, $15, $16, $17, $18)
     on conflict (tenant, fhir_base, idempotency_key) where idempotency_key is not null do nothing`,
    [
      run.id,
      run.tenant,
      run.fhirBase,
      run.model.id,
      run.model.version,
      run.model.digest,
      run.keptCohort,
      run.asOf,
      run.writeBack,
      run.explain,
      run.chunkSize,
      run.requester ?? null,
      run.schedule ?? null,
      run.repeats?.key ?? null,
      run.repeats?.request ?? null,
      run.createdAt,
      run.changedSince ?? null,
      run.follows ?? null,
    ],
  );
  return rowCount === 1;
}

/** The run of an idempotency key at one base, and what is kept of what was asked for then. @param key as it is kept */
export async function findRunByKey(
  sql: Sql,
  { tenant, fhirBase }: Pick<Run, 'tenant' | 'fhirBase'>,
  key: string,
): Promise<{ readonly run: Run; readonly request: string } | undefined> {
  const { rows } = await sql.query<Row & { request_hash: string }>(
    `select ${columns}, request_hash from runs where tenant = $1 and fhir_base = $2 and idempotency_key = $3`,
    [tenant, fhirBase, key],
  );
  const [row] = rows;
  return row === undefined ? undefined : { run: runOf(row), request: row.request_hash };
}

/** Throws RUN_UNKNOWN, also for an id that is no UUID. */
export async function readRun(sql: Sql, tenant: string, id: string): Promise<Run> {
  const { rows } = isUuid(id)
    ? await sql.query<Row>(`select ${columns} from runs where tenant = $1 and id = $2`, [tenant, id])
    : { rows: [] };
  const [row] = rows;
  if (row === undefined)
    throw new PredictionError('RUN_UNKNOWN', 'There is no such run on this server; GET /runs lists them.');
  return runOf(row);
}

/** Where a page of the list ended. */
export interface RunPageKey {
  readonly createdAt: Date;
  readonly id: string;
}

/** The newest first; at most `count`, behind `after`. */
export async function listRuns(sql: Sql, tenant: string, count: number, after?: RunPageKey): Promise<Run[]> {
  const behind = after === undefined ? '' : 'and (created_at, id) < ($3, $4)';
  const { rows } = await sql.query<Row>(
    `select ${columns} from runs where tenant = $1 ${behind} order by created_at desc, id desc limit $2`,
    after === undefined ? [tenant, count] : [tenant, count, after.createdAt, after.id],
  );
  return rows.map(runOf);
}

/**
 * The newest finished run of a schedule with a model that went over what had changed; undefined before the first.
 * @param notAfter one made later than this was made by a clock that was wrong, and is the end of nothing
 */
export async function lastFinishedOf(
  sql: Sql,
  { tenant, fhirBase }: Pick<Run, 'tenant' | 'fhirBase'>,
  schedule: string,
  model: string,
  notAfter: Date,
): Promise<Run | undefined> {
  const { rows } = await sql.query<Row>(
    `select ${columns} from runs where tenant = $1 and fhir_base = $2 and schedule = $3 and model_id = $4
       and state = 'finished' and changed_since is not null and created_at <= $5
     order by created_at desc, id desc limit 1`,
    [tenant, fhirBase, schedule, model, notAfter],
  );
  return rows.map(runOf)[0];
}

/** Ids of the runs of one base that are not at their end, the oldest first. */
export async function unfinishedRuns(sql: Sql, tenant: string, fhirBase: string): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `select id from runs where tenant = $1 and fhir_base = $2 and state in ('expanding', 'running', 'cancelling')
     order by created_at, id`,
    [tenant, fhirBase],
  );
  return rows.map(({ id }) => id);
}

/** The versions (`id@version`) that unfinished runs of a record source are about, each with one of these runs. */
export async function versionsOfUnfinishedRuns(
  sql: Sql,
  tenant: string,
  fhirBase: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql.query<{ version: string; id: string }>(
    `select model_id || '@' || model_version as version, min(id::text) as id from runs
     where tenant = $1 and fhir_base = $2 and state in ('expanding', 'running', 'cancelling') group by 1`,
    [tenant, fhirBase],
  );
  return new Map(rows.map(({ version, id }) => [version, id]));
}

/**
 * Holds a run as it is until the transaction ends. Whoever changes a run and its jobs locks or moves the run first: two
 * that do so in another order would wait for each other.
 */
export async function lockRun(sql: Sql, id: string): Promise<void> {
  await sql.query('select 1 from runs where id = $1 for no key update', [id]);
}

/** From `at` on the run is worked on, with as much done as there is now: its pace is reckoned from there. */
export async function beginWork(sql: Sql, id: string, at: Date): Promise<void> {
  await sql.query(
    `update runs set worked_from = $2, done_before =
       (select coalesce(sum(members), 0) from run_tallies where run = $1 and kind in ('scored', 'abstained', 'failed'))
     where id = $1`,
    [id, at],
  );
}

/**
 * Moves a run from one of `from` to `to`.
 * @param at becomes the end of the run where `to` is one, and the start where it runs for the first time
 * @returns false where it was in another state, which stays
 */
export async function moveRun(
  sql: Sql,
  id: string,
  from: readonly RunState[],
  to: RunState,
  at: Date,
  reason?: { readonly code: string; readonly message: string },
): Promise<boolean> {
  const ended = to === 'finished' || to === 'cancelled' || to === 'failed';
  const { rowCount } = await sql.query(
    `update runs set state = $3, reason_code = $5, reason = $6,
       finished_at = case when $7 then $4::timestamptz end,
       started_at = case when $3 = 'running' then coalesce(started_at, $4::timestamptz) else started_at end
     where id = $1 and state = any($2)`,
    [id, from, to, at, reason?.code ?? null, reason === undefined ? null : storableText(reason.message), ended],
  );
  return rowCount === 1;
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function runOf(row: Row): Run {
  return {
    id: row.id,
    tenant: row.tenant,
    fhirBase: row.fhir_base,
    model: { id: row.model_id, version: row.model_version, digest: row.model_digest },
    keptCohort: row.cohort,
    asOf: row.as_of,
    writeBack: row.write_back,
    explain: row.explain,
    chunkSize: row.chunk_size,
    state: row.state,
    createdAt: row.created_at,
    ...(row.reason_code === null ? {} : { reason: { code: row.reason_code, message: row.reason ?? '' } }),
    ...(row.requester === null ? {} : { requester: row.requester }),
    ...(row.schedule === null ? {} : { schedule: row.schedule }),
    ...(row.changed_since === null ? {} : { changedSince: row.changed_since }),
    ...(row.follows === null ? {} : { follows: row.follows }),
    ...(row.members === null ? {} : { members: row.members }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.worked_from === null ? {} : { workedFrom: { at: row.worked_from, done: row.done_before ?? 0 } }),
  };
}
