import type { Sql } from '../platform/database.ts';
import { addMembers } from './member-table.ts';
import type { Run } from './run.ts';
import { transientCodes } from './transient-codes.ts';

/** Of an abstention: the study was not whole. Whole reasons are `[verdict]:[feature]:study-incomplete`. */
const incomplete = '%:study-incomplete';
/** A study that so many runs in a row have found incomplete is taken again only once it changes at its server. */
const mostWaits = 12;
const membersAtOnce = 100;

/**
 * Adds to a run the studies of the run before it that came to no end: those that were incomplete, and those whose failure may have
 * passed. The study need not have changed at its FHIR server since: what was missing are images, which lie elsewhere. One that
 * was added already stays as it is. Like `addMembers` it can be repeated.
 */
export async function carryOver(sql: Sql, run: Pick<Run, 'id' | 'follows'>): Promise<void> {
  if (run.follows === undefined) return;
  for (let after = 0; ; ) {
    const { rows } = await sql.query<{ ordinal: number; subject_id: string; focus: string; waits: number }>(
      `select ordinal, subject_id, focus, waits from run_members
       where run = $1 and ordinal > $2 and focus <> '' and waits < $3
         and (error_code = any($4) or (state = 'abstained' and exists (select 1 from unnest(reasons) reason where reason like $5)))
       order by ordinal limit ${membersAtOnce}`,
      [run.follows, after, mostWaits, transientCodes, incomplete],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    await addMembers(
      sql,
      run.id,
      rows.map(({ subject_id, focus, waits }) => ({ subject: subject_id, focus, waits: waits + 1 })),
    );
    after = last.ordinal;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
