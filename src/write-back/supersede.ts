import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeRow } from './outcome-record.ts';
import { markSuperseded, reinstateOutcome, standingOutcomes } from './outcome-table.ts';
import type { ResultStore } from './result-store.ts';
import { updateSupersededTag } from './superseded-tag.ts';

/**
 * Leaves exactly one outcome of the group standing: the one with the greatest (as-of, computed at, identifier). The
 * others are marked with the one that took their place, and their resources are tagged: an old 40 % never stays
 * current, and a prediction at an earlier instant never displaces a later one. The group must be locked, and hold an
 * outcome.
 * @returns the one that stands
 */
export async function supersedeOlder(sql: Sql, store: ResultStore, group: OutcomeRow, now: Date): Promise<OutcomeRow> {
  const [current, ...older] = await standingOutcomes(sql, group);
  if (current === undefined) {
    throw new PredictionError('INTERNAL', 'Every outcome of the group is superseded: none took their place.');
  }
  for (const row of older) {
    await markSuperseded(sql, row, current, now);
    if (row.resourceId !== undefined) await updateSupersededTag(store, row.resourceId, true);
  }
  return current;
}

/**
 * A superseded outcome that is computed again from the same inputs, later than the standing one and for no earlier
 * instant, is the truth again (a laboratory value came, and was withdrawn as entered in error): it stands
 * again, and the one that displaced it gives way.
 */
export async function reinstateIfNewest(
  sql: Sql,
  store: ResultStore,
  row: OutcomeRow,
  computedAt: Date,
): Promise<void> {
  if (row.supersededBy === undefined) return;
  const [current] = await standingOutcomes(sql, row);
  if (current === undefined || row.asOf < current.asOf) return;
  if (row.asOf.getTime() === current.asOf.getTime() && computedAt <= current.computedAt) return;
  await reinstateOutcome(sql, row, computedAt);
  if (row.resourceId !== undefined) await updateSupersededTag(store, row.resourceId, false);
}
