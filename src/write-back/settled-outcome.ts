import type { OutcomeRow } from './outcome-record.ts';
import type { ResultResourceDrafts } from './prepare-result.ts';

/** An outcome while results are settled: how it stands now, and what of it is new. */
export interface SettledOutcome {
  row: OutcomeRow;
  /** True where it is not in the table yet. */
  readonly isNew: boolean;
  /** True where the table says something else. */
  changed: boolean;
  /** Whether the stored resource has the tag `superseded`; undefined where there is none, or it is a report that says another one. */
  tagged: boolean | undefined;
  /** What is to be stored for it. */
  drafts?: ResultResourceDrafts;
}

export function change(outcome: SettledOutcome, row: OutcomeRow): void {
  outcome.row = row;
  outcome.changed = true;
}
