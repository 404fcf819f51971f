import type { Sql } from '../platform/database.ts';
import { addMembers } from './member-table.ts';
import type { Run } from './run.ts';
import { transientCodes } from './transient-codes.ts';

/** Of an abstention: the study was not whole. Whole reasons are `[verdict]:[feature]:study-incomplete`. */
const incomplete = '%:study-incomplete';
/** A study that was found so long ago, and taken again so many times, is taken again only once it changes at its server. */
const longestWaitMs = 14 * 86_400_000;
const fewestWaits = 12;
const membersAtOnce = 100;
/** Members that came to no end: $1 their run, $2 and $3 transient codes and the pattern of reasons. */
const unfinished = `run = $1 and focus <> '' and (error_code = any($2)
  or (state = 'abstained' and exists (select 1 from unnest(reasons) reason where reason like $3)))`;

/**
 * Adds to a run the studies of the run before it that came to no end: those that were incomplete, and those whose failure may have
 * passed. The study need not have changed at its FHIR server since: what was missing are images, which lie elsewhere. One that
 * was added already stays as it is. Like `addMembers` it can be repeated.
 * @returns how many were given up: their time was over
 */
export async function carryOver(sql: Sql, run: Pick<Run, 'id' | 'follows' | 'createdAt'>): Promise<number> {
  if (run.follows === undefined) return 0;
  const waitsAllowed = Math.max(
    fewestWaits,
    await runsSince(sql, run.follows, run.createdAt.getTime() - longestWaitMs),
  );
  const wanted = [run.follows, transientCodes, incomplete, waitsAllowed];
  for (let after = 0; ; ) {
    const { rows } = await sql.query<{ ordinal: number; subject_id: string; focus: string; waits: number }>(
      `select ordinal, subject_id, focus, waits from run_members where ${unfinished} and waits < $4 and ordinal > $5
       order by ordinal limit ${membersAtOnce}`,
      [...wanted, after],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    await addMembers(
      sql,
      run.id,
      rows.map(({ subject_id, focus, waits }) => ({ subject: subject_id, focus, waits: waits + 1 })),
    );
    after = last.ordinal;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rows } = await sql.query<{ members: number }>(
    `select count(*)::int as members from run_members known where ${unfinished} and waits >= $4 and not exists (
       select 1 from run_members taken where taken.run = $5 and taken.subject_id = known.subject_id and taken.focus = known.focus)`,
    [...wanted, run.id],
  );
  return rows[0]?.members ?? 0;
}

/**
 * How many runs, from `run` back along what each follows, were made since an instant: a member that has waited for fewer was found
 * since then.
 */
async function runsSince(sql: Sql, run: string, sinceMs: number): Promise<number> {
  const { rows } = await sql.query<{ runs: number }>(
    `with recursive chain as (
       select follows from runs where id = $1 and created_at >= $2
       union all
       select before.follows from chain join runs before on before.id = chain.follows and before.created_at >= $2
     )
     select count(*)::int as runs from chain`,
    [run, new Date(sinceMs)],
  );
  return rows[0]?.runs ?? 0;
}
