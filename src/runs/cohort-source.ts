import type { FoundSubject } from './member-table.ts';
import type { Cohort } from './run.ts';

/** Where cohorts are read from: the record source of the predictions, and no other server. */
export interface CohortSource {
  /**
   * Refuses a cohort that can never be read, before a run is made of it. Throws PARAMETER_INVALID, RESOURCE_UNKNOWN where
   * there is no such Group, or RECORD_UNREACHABLE.
   */
  check(cohort: Cohort): Promise<void>;
  /**
   * The subjects, or the studies with the subject of each, page by page, each perhaps more than once. Ends only when the cohort was read to its end; throws
   * otherwise, as `check` does.
   * @param asOf a Group's members are those of that time
   * @param changedSince of a cohort with `since`: see Run
   */
  read(cohort: Cohort, asOf: Date, signal: AbortSignal, changedSince?: Date): AsyncIterable<readonly FoundSubject[]>;
}
