import type { Sql } from '../../platform/database.ts';

/** Whose studies: those of one record source. */
export interface NoticeScope {
  readonly tenant: string;
  readonly fhirBase: string;
}

/** A study of a subscription, for one model. */
export interface NoticeKey {
  readonly model: string;
  /** Logical id of the ImagingStudy. */
  readonly study: string;
}

/** What is taken to be worked on. */
export interface TakenNotice extends NoticeKey {
  readonly subscription: string;
  /** See `finishNotice`. */
  readonly notices: number;
  readonly asOf: Date;
  readonly attempts: number;
  readonly waits: number;
  readonly seen?: string;
}

export interface NoticeTimes {
  readonly now: Date;
  /** That has to pass after the last notice. */
  readonly quietMs: number;
  /** After the first notice it is due at the latest, however many come. */
  readonly longestMs: number;
}

/**
 * Notes that a study was told of: it is due once it has been quiet. Any number of notices are one row, also while somebody works on it.
 * @param found with the version that a search found: nothing is noted where the study waits, or that one was predicted about already
 * @returns how many are noted
 */
export async function noteStudies(
  sql: Sql,
  { tenant, fhirBase }: NoticeScope,
  subscription: string,
  found: readonly (NoticeKey & { readonly version?: string })[],
  { now, quietMs, longestMs }: NoticeTimes,
): Promise<number> {
  const { rowCount } = await sql.query(
    `insert into study_notices as kept (tenant, fhir_base, model_id, study_id, subscription, told, first_at, due_at, changed_at)
     select $1, $2, model, study, $3, told, $7::timestamptz, $8::timestamptz, $7
       from unnest($4::text[], $5::text[], $6::text[]) as given (model, study, told)
     on conflict (tenant, fhir_base, model_id, study_id) do update set
       subscription = excluded.subscription, told = excluded.told, notices = kept.notices + 1, as_of = null, attempts = 0, waits = 0,
       changed_at = excluded.changed_at,
       first_at = case when kept.due_at is null or kept.taken_until is not null then excluded.first_at else kept.first_at end,
       due_at = case when kept.due_at is null or kept.taken_until is not null then excluded.due_at
         else greatest(kept.due_at, least(excluded.due_at, kept.first_at + $9 * interval '1 millisecond')) end
     where excluded.told is null
        or ((kept.due_at is null or kept.taken_until is not null) and kept.seen is distinct from excluded.told)`,
    [
      tenant,
      fhirBase,
      subscription,
      found.map(({ model }) => model),
      found.map(({ study }) => study),
      found.map(({ version }) => version ?? null),
      now,
      new Date(now.getTime() + quietMs),
      longestMs,
    ],
  );
  return rowCount;
}

/** How many studies of a subscription wait. */
export async function countDue(sql: Sql, { tenant, fhirBase }: NoticeScope, subscription: string): Promise<number> {
  const { rows } = await sql.query<{ waiting: number }>(
    `select count(*)::int as waiting from study_notices
     where tenant = $1 and fhir_base = $2 and subscription = $3 and due_at is not null`,
    [tenant, fhirBase, subscription],
  );
  return rows[0]?.waiting ?? 0;
}

/**
 * Takes the study that has been due for longest and that nobody works on, until `leaseMs` from now. One that was taken before, and not
 * finished, keeps its as-of.
 */
export async function takeNotice(
  sql: Sql,
  { tenant, fhirBase }: NoticeScope,
  now: Date,
  leaseMs: number,
): Promise<TakenNotice | undefined> {
  const { rows } = await sql.query<Row>(
    `update study_notices set taken_until = $4, as_of = coalesce(as_of, date_trunc('minute', $3::timestamptz))
     where (tenant, fhir_base, model_id, study_id) = (
       select tenant, fhir_base, model_id, study_id from study_notices
       where tenant = $1 and fhir_base = $2 and due_at <= $3 and (taken_until is null or taken_until <= $3)
       order by due_at limit 1 for update skip locked)
     returning model_id, study_id, subscription, notices, as_of, attempts, waits, seen`,
    [tenant, fhirBase, now, new Date(now.getTime() + leaseMs)],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { model_id, study_id, subscription, notices, as_of, attempts, waits, seen } = row;
  return {
    model: model_id,
    study: study_id,
    subscription,
    notices,
    asOf: as_of,
    attempts,
    waits,
    ...(seen === null ? {} : { seen }),
  };
}

interface Row {
  readonly model_id: string;
  readonly study_id: string;
  readonly subscription: string;
  readonly notices: number;
  readonly as_of: Date;
  readonly attempts: number;
  readonly waits: number;
  readonly seen: string | null;
}

/** Who works on it goes on doing so. */
export async function holdNotice(sql: Sql, scope: NoticeScope, key: NoticeKey, until: Date): Promise<void> {
  await sql.query(`update study_notices set taken_until = $5 where ${byKey} and taken_until is not null`, [
    ...keyOf(scope, key),
    until,
  ]);
}

/** What becomes of a study that was worked on. */
export interface NoticeEnd {
  /** When it is to be worked on again; absent: only once it is told of again. */
  readonly dueAt?: Date;
  readonly attempts?: number;
  readonly waits?: number;
  /** Version of the study that was predicted about; absent: what was seen before stays. */
  readonly seen?: string;
  /** Whose study it is. */
  readonly subject?: string;
  readonly at: Date;
}

/** Ends the work on a study. Where it was told of meanwhile, it is due as that notice says. */
export async function finishNotice(sql: Sql, scope: NoticeScope, taken: TakenNotice, end: NoticeEnd): Promise<void> {
  await sql.query(
    `update study_notices set taken_until = null, as_of = null, changed_at = $6,
       seen = coalesce($7, seen), subject_id = coalesce($8, subject_id),
       due_at = case when notices = $5 then $9::timestamptz else due_at end,
       attempts = case when notices = $5 then $10 else attempts end,
       waits = case when notices = $5 then $11 else waits end
     where ${byKey}`,
    [
      ...keyOf(scope, taken),
      taken.notices,
      end.at,
      end.seen ?? null,
      end.subject ?? null,
      end.dueAt ?? null,
      end.attempts ?? 0,
      end.waits ?? 0,
    ],
  );
}

/** Frees what was taken by servers that are gone, where no other server works on this database. */
export async function freeNotices(sql: Sql, { tenant, fhirBase }: NoticeScope): Promise<number> {
  const { rowCount } = await sql.query(
    'update study_notices set taken_until = null where tenant = $1 and fhir_base = $2 and taken_until is not null',
    [tenant, fhirBase],
  );
  return rowCount;
}

/** Forgets studies of which nothing was heard since `before` and nothing is to be done. */
export async function pruneNotices(sql: Sql, { tenant, fhirBase }: NoticeScope, before: Date): Promise<number> {
  const { rowCount } = await sql.query(
    'delete from study_notices where tenant = $1 and fhir_base = $2 and due_at is null and changed_at < $3',
    [tenant, fhirBase, before],
  );
  return rowCount;
}

const byKey = 'tenant = $1 and fhir_base = $2 and model_id = $3 and study_id = $4';

function keyOf({ tenant, fhirBase }: NoticeScope, { model, study }: NoticeKey): string[] {
  return [tenant, fhirBase, model, study];
}
