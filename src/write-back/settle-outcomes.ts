import { PredictionError } from '../platform/errors.ts';
import type { Supersession } from './outcome-record.ts';
import { type FoundOutcome, groupName } from './outcome-table.ts';
import type { PreparedResult } from './prepare-result.ts';
import { isReported, reportHolders } from './report-holder.ts';
import { type Amendment, keepReport, newestFirst, type SettlingReports, settleReport } from './settle-report.ts';
import { change, type SettledOutcome } from './settled-outcome.ts';

/** What became of one result. */
export interface SettledResult {
  readonly outcome: SettledOutcome;
  readonly repeated: boolean;
  readonly superseded: readonly Supersession[];
  /** True where its resources are the ones that are to be stored. */
  readonly created: boolean;
}

/**
 * Settles results as if they were written one after the other, without a statement. After each of them exactly one
 * outcome of its group stands, the one with the greatest (as-of, computed at, identifier), and the others are marked
 * with the one that took their place: an old 40 % never stays current, and a prediction at an earlier instant never
 * displaces a later one. An abstention that passes by itself gives way to a score that stands. What-if outcomes take no part. All reports of a group are versions of one.
 * @param found of every group all outcomes that stand, and every outcome with the identifier of a result
 */
export function settleOutcomes(
  found: readonly FoundOutcome[],
  results: readonly PreparedResult[],
): {
  readonly outcomes: readonly SettledOutcome[];
  readonly results: readonly SettledResult[];
  readonly amendments: readonly Amendment[];
} {
  const outcomes = new Map<string, SettledOutcome>(
    found.map(({ row, tagged }) => [row.identifier, { row, tagged, isNew: false, changed: false }]),
  );
  const groups = new Map<string, SettledOutcome[]>();
  for (const outcome of outcomes.values()) join(groups, outcome);
  const reports: SettlingReports = { holders: reportHolders(outcomes.values()), amendments: [] };
  for (const outcome of outcomes.values())
    if (isReported(outcome) && reports.holders.get(groupName(outcome.row)) !== outcome) outcome.tagged = undefined;
  const settled = results.map(({ record, drafts }): SettledResult => {
    const known = outcomes.get(record.identifier);
    const outcome = known ?? { row: { ...record }, tagged: undefined, isNew: true, changed: false };
    const repeated = known !== undefined;
    if (!repeated) {
      outcomes.set(record.identifier, outcome);
      join(groups, outcome);
    }
    if (record.whatIf) return { outcome, repeated, superseded: [], created: false };
    const group = groups.get(groupName(outcome.row)) ?? [];
    if (record.passes === true) {
      const superseded = repeated ? [] : giveWay(group, outcome, record.computedAt);
      if (repeated || superseded.length > 0) return { outcome, repeated, superseded, created: false };
    }
    if (repeated) reinstateIfNewest(group, outcome, record.computedAt);
    const superseded = supersedeOlder(group, record.computedAt);
    if (drafts?.amending !== undefined) {
      const { amending } = drafts;
      const created = settleReport(reports, group, outcome, { ...drafts, amending });
      return { outcome, repeated, superseded, created };
    }
    if (drafts === undefined) keepReport(reports, outcome);
    const created = drafts !== undefined && outcome.tagged === undefined && outcome.drafts === undefined;
    if (created) {
      outcome.drafts = drafts;
      const { id: resourceId, resourceType } = drafts.result.resource;
      change(outcome, { ...outcome.row, resourceId, resourceType });
    }
    return { outcome, repeated, superseded, created };
  });
  return { outcomes: [...outcomes.values()], results: settled, amendments: reports.amendments };
}

function join(groups: Map<string, SettledOutcome[]>, outcome: SettledOutcome): void {
  if (outcome.row.whatIf) return;
  const name = groupName(outcome.row);
  const group = groups.get(name);
  if (group === undefined) groups.set(name, [outcome]);
  else group.push(outcome);
}

function supersedeOlder(group: readonly SettledOutcome[], at: Date): Supersession[] {
  const [current, ...older] = standing(group);
  if (current === undefined) {
    throw new PredictionError('INTERNAL', 'Every outcome of the group is superseded: none took their place.');
  }
  const supersededBy = current.row.identifier;
  for (const outcome of older) change(outcome, { ...outcome.row, supersededBy, supersededAt: at });
  return older.map(({ row }) => ({ identifier: row.identifier, supersededBy }));
}

/** Lets an abstention that passes by itself be superseded by the score that stands, if any does. */
function giveWay(group: readonly SettledOutcome[], outcome: SettledOutcome, at: Date): Supersession[] {
  const [current] = standing(group.filter((other) => other !== outcome));
  if (current?.row.state !== 'scored') return [];
  const supersededBy = current.row.identifier;
  change(outcome, { ...outcome.row, supersededBy, supersededAt: at });
  return [{ identifier: outcome.row.identifier, supersededBy }];
}

/**
 * A superseded outcome that is computed again from the same inputs, later than the standing one and for no earlier
 * instant, is the truth again (a laboratory value came, and was withdrawn as entered in error): it stands
 * again, and the one that displaced it gives way.
 */
function reinstateIfNewest(group: readonly SettledOutcome[], outcome: SettledOutcome, computedAt: Date): void {
  const { supersededBy, supersededAt: _, ...row } = outcome.row;
  const [current] = standing(group);
  if (supersededBy === undefined || current === undefined || row.asOf < current.row.asOf) return;
  if (row.asOf.getTime() === current.row.asOf.getTime() && computedAt <= current.row.computedAt) return;
  change(outcome, { ...row, computedAt });
}

/** What nothing has superseded, the current one first. */
function standing(group: readonly SettledOutcome[]): SettledOutcome[] {
  return group
    .filter(({ row }) => row.supersededBy === undefined)
    .sort(({ row: one }, { row: other }) => newestFirst(one, other));
}
