import type { OutcomeRow } from './outcome-record.ts';
import { groupName } from './outcome-table.ts';

/** What is known of an outcome and its resource: see `FoundOutcome`. */
interface Held {
  readonly row: OutcomeRow;
  readonly tagged: boolean | undefined;
}

/** True for an outcome that a version of a report says. */
export function isReported({ row: { resourceType, resourceId, resourceVersion } }: Pick<Held, 'row'>): boolean {
  return resourceType === 'DiagnosticReport' && resourceId !== undefined && resourceVersion !== undefined;
}

/**
 * Which outcome the report of each group says now, by the name of the group: all the outcomes that a version of it said name
 * the same resource, and the newest of these versions counts. Groups whose report was deleted have none.
 */
export function reportHolders<Outcome extends Held>(outcomes: Iterable<Outcome>): Map<string, Outcome> {
  const holders = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    if (!isReported(outcome) || outcome.tagged === undefined) continue;
    const name = groupName(outcome.row);
    const other = holders.get(name);
    if (other === undefined || versionOf(other) < versionOf(outcome)) holders.set(name, outcome);
  }
  return holders;
}

function versionOf({ row }: Held): number {
  return row.resourceVersion ?? 0;
}
