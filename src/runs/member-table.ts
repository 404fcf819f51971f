import type { Sql } from '../platform/database.ts';
import { storableText } from '../platform/storable-text.ts';
import type { MemberState, RunMember, RunState } from './run.ts';

/** One member of a cohort as it was read; with an error where it cannot be predicted about. */
export interface FoundSubject {
  readonly subject: string;
  /** `ImagingStudy/id`; absent where the cohort is of subjects. */
  readonly focus?: string;
  /** How many runs have taken it from the one before; absent: it was found by this one. */
  readonly waits?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Adds what is not a member yet, while the cohort of the run is read: one that is read again after a crash adds nothing
 * twice, and one that is read too late adds nobody.
 */
export async function addMembers(sql: Sql, run: string, found: readonly FoundSubject[]): Promise<void> {
  await sql.query(
    `with reading as materialized (select id from runs where id = $1 and state = 'expanding' for share)
     insert into run_members (run, ordinal, subject_id, state, error_code, error, focus, waits)
     select reading.id, (select coalesce(max(ordinal), 0) from run_members where run = $1) + row_number() over (order by place),
       subject, case when code is null then 'pending' else 'failed' end, code, message, about, waited
     from reading, unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[]) with ordinality
       as given (subject, code, message, about, waited, place)
     where not exists (
       select 1 from run_members known where known.run = $1 and known.subject_id = subject and known.focus = about)
     on conflict (run, subject_id, focus) do nothing`,
    [
      run,
      found.map(({ subject }) => storableText(subject)),
      found.map(({ error }) => error?.code ?? null),
      found.map(({ error }) => (error === undefined ? null : storableText(error.message))),
      found.map(({ focus }) => storableText(focus ?? '')),
      found.map(({ waits }) => waits ?? 0),
    ],
  );
}

/** Keeps how many members there are, and counts those that were no subjects, before anybody is predicted about. */
export async function countMembers(sql: Sql, run: string): Promise<void> {
  await sql.query('update runs set members = (select count(*) from run_members where run = $1) where id = $1', [run]);
  await sql.query('delete from run_tallies where run = $1', [run]);
  await sql.query(
    `with failed as (
       select error_code, count(*) as members from run_members where run = $1 and state = 'failed' group by error_code
     )
     insert into run_tallies (run, kind, code, members)
     select $1, 'error', error_code, members from failed
     union all
     select $1, 'failed', '', sum(members) from failed having count(*) > 0`,
    [run],
  );
}

/** A stretch of ordinals, both ends included: the members of one job. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** The chunks that hold a pending member, in order. */
export async function pendingChunks(sql: Sql, run: string, chunkSize: number): Promise<Chunk[]> {
  const { rows } = await sql.query<{ chunk: number }>(
    `select distinct (ordinal - 1) / $2 as chunk from run_members where run = $1 and state = 'pending' order by chunk`,
    [run, chunkSize],
  );
  return rows.map(({ chunk }) => ({ from: chunk * chunkSize + 1, to: (chunk + 1) * chunkSize }));
}

export interface PendingMember {
  readonly ordinal: number;
  readonly subject: string;
  /** See RunMember. */
  readonly focus?: string;
}

export async function pendingMembers(sql: Sql, run: string, { from, to }: Chunk): Promise<PendingMember[]> {
  const { rows } = await sql.query<{ ordinal: number; subject_id: string; focus: string }>(
    `select ordinal, subject_id, focus from run_members where run = $1 and ordinal between $2 and $3 and state = 'pending'
     order by ordinal`,
    [run, from, to],
  );
  return rows.map(({ ordinal, subject_id, focus }) => ({
    ordinal,
    subject: subject_id,
    ...(focus === '' ? {} : { focus }),
  }));
}

export async function hasPendingMembers(sql: Sql, run: string): Promise<boolean> {
  const { rows } = await sql.query<{ pending: boolean }>(
    `select exists (select 1 from run_members where run = $1 and state = 'pending') as pending`,
    [run],
  );
  return rows[0]?.pending === true;
}

/**
 * Makes failed members pending again whose error is one of `codes`. Part of a transaction that has moved the run.
 * @returns how many
 */
export async function reopenMembers(sql: Sql, run: string, codes: readonly string[]): Promise<number> {
  const { rows } = await sql.query<{ reopened: number }>(
    `with failed as (
       select ordinal, error_code from run_members where run = $1 and state = 'failed' and error_code = any($2)
     ),
     reopened as (
       update run_members member set state = 'pending', error_code = null, error = null
       from failed where member.run = $1 and member.ordinal = failed.ordinal
       returning failed.error_code
     ),
     counted as (
       select 'error' as kind, error_code as code, count(*) as members from reopened group by error_code
       union all
       select 'failed', '', count(*) from reopened
     ),
     tallied as (
       update run_tallies tally set members = tally.members - counted.members
       from counted where tally.run = $1 and tally.kind = counted.kind and tally.code = counted.code
     )
     select count(*)::int as reopened from reopened`,
    [run, codes],
  );
  await sql.query('delete from run_tallies where run = $1 and members = 0', [run]);
  return rows[0]?.reopened ?? 0;
}

/** How many members a chunk holds, whatever has come of them. */
export async function countChunk(sql: Sql, run: string, { from, to }: Chunk): Promise<number> {
  const { rows } = await sql.query<{ members: number }>(
    'select count(*)::int as members from run_members where run = $1 and ordinal between $2 and $3',
    [run, from, to],
  );
  return rows[0]?.members ?? 0;
}

/** What came of a member. */
export type MemberResult = Omit<RunMember, 'subject' | 'focus' | 'state'> & {
  readonly state: Exclude<MemberState, 'pending'>;
};

/**
 * Keeps what came of members that are still pending, and counts it, in one statement. The run's row is locked first:
 * two servers that count for the same run would otherwise wait for each other.
 * @returns the state of the run at that moment
 */
export async function recordMembers(sql: Sql, run: string, results: readonly MemberResult[]): Promise<RunState> {
  const column = (read: (result: MemberResult) => string | number | undefined): (string | number | null)[] =>
    results.map((result) => {
      const value = read(result) ?? null;
      return typeof value === 'string' ? storableText(value) : value;
    });
  const { rows } = await sql.query<{ state: RunState }>(
    `with locked as materialized (select id, state from runs where id = $1 for no key update),
     given as (
       select * from unnest($2::int[], $3::text[], $4::text[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::text[],
         $10::text[], $11::text[], $12::text[])
         as given (ordinal, state, outcome, score, band, reasons, error_code, error, result, resource_type, resource_id)
     ),
     changed as (
       update run_members member set state = given.state, outcome = given.outcome, score = given.score,
         band = given.band, reasons = given.reasons::text[], error_code = given.error_code, error = given.error,
         result = given.result, resource_type = given.resource_type, resource_id = given.resource_id
       from given, locked
       where member.run = locked.id and member.ordinal = given.ordinal and member.state = 'pending'
       returning member.state, member.error_code, member.reasons, member.resource_id
     ),
     counted as (
       select state as kind, '' as code, count(*) as members from changed group by state
       union all
       select 'error', error_code, count(*) from changed where error_code is not null group by error_code
       union all
       select 'reason', reason, count(*) from changed, unnest(reasons) as reason group by reason
       union all
       select 'written', '', count(*) from changed where resource_id is not null having count(*) > 0
     ),
     tallied as (
       insert into run_tallies (run, kind, code, members) select $1, kind, code, members from counted
       on conflict (run, kind, code) do update set members = run_tallies.members + excluded.members
     )
     select state from locked`,
    [
      run,
      column(({ ordinal }) => ordinal),
      column(({ state }) => state),
      column(({ outcome }) => outcome),
      column(({ score }) => score),
      column(({ band }) => band),
      column(({ reasons }) => arrayLiteral(reasons)),
      column(({ error }) => error?.code),
      column(({ error }) => error?.message),
      column(({ result }) => result),
      column(({ resource }) => resource?.split('/')[0]),
      column(({ resource }) => resource?.split('/')[1]),
    ],
  );
  return rows[0]?.state ?? 'cancelled';
}

/** A PostgreSQL array as text, since an array of arrays of different lengths is none. */
function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
}
