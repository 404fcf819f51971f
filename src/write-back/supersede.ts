import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeGroup, OutcomeRow, Supersession } from './outcome-record.ts';
import { markSuperseded, reinstateOutcome, standingOutcomes, writtenOutcomes } from './outcome-table.ts';
import type { ResultStore } from './result-store.ts';
import { holdsSupersededTag, updateSupersededTag } from './superseded-tag.ts';

/**
 * Leaves exactly one outcome of the group standing: the one with the greatest (as-of, computed at, identifier). The
 * others are marked with the one that took their place, and all stored results of the group are tagged as their rows
 * say: an old 40 % never stays current, and a prediction at an earlier instant never displaces a later one. The group
 * must be locked, and hold an outcome.
 */
export async function supersedeOlder(
  sql: Sql,
  store: ResultStore,
  group: OutcomeRow,
  now: Date,
): Promise<{ readonly current: OutcomeRow; readonly superseded: readonly Supersession[] }> {
  const [current, ...older] = await standingOutcomes(sql, group);
  if (current === undefined) {
    throw new PredictionError('INTERNAL', 'Every outcome of the group is superseded: none took their place.');
  }
  for (const row of older) await markSuperseded(sql, row, current, now);
  await alignTags(sql, store, group);
  return {
    current,
    superseded: older.map(({ identifier }) => ({ identifier, supersededBy: current.identifier })),
  };
}

/** Whatever clients did to the tags since: the rows decide. */
async function alignTags(sql: Sql, store: ResultStore, group: OutcomeGroup): Promise<void> {
  const written = await writtenOutcomes(sql, group);
  if (written.length === 0) return;
  const tags = await store.readTags(
    'RiskAssessment',
    written.map(({ resourceId }) => resourceId),
  );
  for (const { resourceId, superseded } of written) {
    const held = tags.get(resourceId);
    if (held !== undefined && holdsSupersededTag(held) !== superseded) {
      await updateSupersededTag(store, resourceId, superseded);
    }
  }
}

/**
 * A superseded outcome that is computed again from the same inputs, later than the standing one and for no earlier
 * instant, is the truth again (a laboratory value came, and was withdrawn as entered in error): it stands
 * again, and the one that displaced it gives way.
 */
export async function reinstateIfNewest(sql: Sql, row: OutcomeRow, computedAt: Date): Promise<void> {
  if (row.supersededBy === undefined) return;
  const [current] = await standingOutcomes(sql, row);
  if (current === undefined || row.asOf < current.asOf) return;
  if (row.asOf.getTime() === current.asOf.getTime() && computedAt <= current.computedAt) return;
  await reinstateOutcome(sql, row, computedAt);
}
