import type { OutcomeRow } from './outcome-record.ts';
import { groupName } from './outcome-table.ts';
import type { Amending, ResultResourceDrafts } from './prepare-result.ts';
import { isReported } from './report-holder.ts';
import { change, type SettledOutcome } from './settled-outcome.ts';

export type ReportDrafts = ResultResourceDrafts & { readonly amending: Amending };

/** A version of a report that is to be stored upon the one before. */
export interface Amendment {
  /** What it says. */
  outcome: SettledOutcome;
  readonly drafts: ReportDrafts;
  /** Logical id of the report. */
  readonly resourceId: string;
}

/** The reports of some groups while results are settled. */
export interface SettlingReports {
  /** By the name of the group: the outcome that its report says. */
  readonly holders: Map<string, SettledOutcome>;
  /** In the order in which they are to be stored. */
  readonly amendments: Amendment[];
}

/**
 * Lets the one report of a group say an outcome, where it is the one that stands, or no report says one that stands or is
 * newer: as the first version, as the next one, or, where it was made of the same by the same, as the version that is there,
 * so that nobody reads of an amendment that changed nothing.
 * @param group all its outcomes that are known
 * @returns whether a version is to be stored
 */
export function settleReport(
  { holders, amendments }: SettlingReports,
  group: readonly SettledOutcome[],
  outcome: SettledOutcome,
  drafts: ReportDrafts,
): boolean {
  const name = groupName(outcome.row);
  const holder = holders.get(name);
  if (holder === outcome) return false;
  if (holder === undefined) {
    // The report that these were said by was deleted.
    for (const other of group) if (isReported(other)) change(other, withoutReport(other.row));
    const { id } = drafts.result.resource;
    outcome.drafts = drafts;
    change(outcome, saidBy(outcome.row, id, 1));
    holders.set(name, outcome);
    return true;
  }
  const { resourceId, resourceVersion } = holder.row;
  if (resourceId === undefined || resourceVersion === undefined || !outranks(outcome.row, holder.row)) return false;
  holders.set(name, outcome);
  change(outcome, saidBy(outcome.row, resourceId, resourceVersion));
  if (isOfTheSame(outcome.row, holder.row)) {
    handOver(holder, outcome, amendments);
    return false;
  }
  // Its next version is stored with the right tag.
  holder.tagged = undefined;
  amendments.push({ outcome, drafts, resourceId });
  return true;
}

/**
 * Lets the report of a group say an outcome that none was asked for, where it stands and was made of the same by the same: the report
 * is as true as it was, and is neither tagged nor stored again. Of anything else it says nothing: nobody asked for it.
 */
export function keepReport({ holders, amendments }: SettlingReports, outcome: SettledOutcome): void {
  const name = groupName(outcome.row);
  const holder = holders.get(name);
  if (holder === undefined || holder === outcome || outcome.row.supersededBy !== undefined) return;
  const { resourceId, resourceVersion, state } = holder.row;
  if (resourceId === undefined || resourceVersion === undefined || outcome.row.state !== state) return;
  if (!isOfTheSame(outcome.row, holder.row)) return;
  holders.set(name, outcome);
  change(outcome, saidBy(outcome.row, resourceId, resourceVersion));
  handOver(holder, outcome, amendments);
}

function isOfTheSame({ reportInputs: one }: OutcomeRow, { reportInputs: other }: OutcomeRow): boolean {
  return one !== undefined && one === other;
}

function handOver(from: SettledOutcome, to: SettledOutcome, amendments: readonly Amendment[]): void {
  to.tagged = from.tagged;
  if (from.drafts !== undefined) to.drafts = from.drafts;
  for (const amendment of amendments) if (amendment.outcome === from) amendment.outcome = to;
  from.tagged = undefined;
  delete from.drafts;
  change(from, withoutReport(from.row));
}

function saidBy(row: OutcomeRow, resourceId: string, resourceVersion: number): OutcomeRow {
  return { ...row, resourceId, resourceType: 'DiagnosticReport', resourceVersion };
}

function withoutReport({ resourceId: _, resourceType: _t, resourceVersion: _v, ...row }: OutcomeRow): OutcomeRow {
  return row;
}

/** What stands before what was superseded, then the newer before the older. */
function outranks(one: OutcomeRow, other: OutcomeRow): boolean {
  if (one.supersededBy === undefined || other.supersededBy === undefined) return one.supersededBy === undefined;
  return newestFirst(one, other) < 0;
}

/** Compares by as-of, then by the time of computation, then by identifier, so that everybody gives the same order. */
export function newestFirst(one: OutcomeRow, other: OutcomeRow): number {
  return (
    other.asOf.getTime() - one.asOf.getTime() ||
    other.computedAt.getTime() - one.computedAt.getTime() ||
    (other.identifier < one.identifier ? -1 : 1)
  );
}
