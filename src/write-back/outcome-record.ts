import type { Device, DiagnosticReport, Provenance } from '@medplum/fhirtypes';
import type { ResultResource } from '../results/result-resource.ts';
import type { ReportReview } from '../results/review-report.ts';

/** Results of one group supersede each other; results of different groups never do. */
export interface OutcomeGroup {
  readonly tenant: string;
  /** Absolute base of the server the subject lives on: `Patient/1` of two servers are two subjects. */
  readonly fhirBase: string;
  readonly subjectId: string;
  /** Logical id of the encounter; empty where the prediction was not made for one. */
  readonly encounterId: string;
  /** The order, appointment or imaging study that the prediction is about; empty where it is about none. */
  readonly focus: string;
  readonly modelId: string;
}

/** One prediction or abstention as it is kept in the table `outcomes`. */
export interface OutcomeRecord extends OutcomeGroup {
  /** Result identifier: the same for the same inputs, model and as-of. */
  readonly identifier: string;
  readonly modelVersion: string;
  readonly modelDigest: string;
  readonly asOf: Date;
  readonly computedAt: Date;
  /** From then on it may not be shown as current, superseded or not. */
  readonly validUntil: Date;
  readonly state: 'scored' | 'abstained';
  /** True where an input was asserted by the caller: such an outcome supersedes nothing and is never a resource. */
  readonly whatIf: boolean;
  /** By outcome id, as JSON. */
  readonly verdicts: Readonly<Record<string, unknown>>;
  /** By outcome id: probability 0..1, points, value in the unit or number of the class; absent for an abstention. */
  readonly scores?: Readonly<Record<string, number>>;
  /** Of a model with reports: the same for the same inputs and model, whatever the as-of and the encounter. */
  readonly reportInputs?: string;
  /**
   * Of an abstention about a study: nothing but its quiet period is not over, so that it says nothing of what stands. It is a matter of
   * the call, and not in the table.
   */
  readonly passes?: true;
}

/** A record as it stands in the table. */
export interface OutcomeRow extends OutcomeRecord {
  /** Logical id of the result in the own store, once written back. */
  readonly resourceId?: string;
  /** There where the id is there. */
  readonly resourceType?: ResultResource['resourceType'];
  /** Of a report, which later outcomes of the group amend: the version that says this one. */
  readonly resourceVersion?: number;
  /** Identifier of the outcome that took its place. */
  readonly supersededBy?: string;
  readonly supersededAt?: Date;
}

/** What is stored for a result that is written back. */
export interface ResultResources {
  /** Without id; its first identifier is the record's. */
  readonly result: ResultResource;
  /** True where the result has passed the last gate of the path: the store does not check it once more. */
  readonly checked?: boolean;
  /** With the id by which the result names it. */
  readonly device: Device & { id: string };
  /**
   * @param target the stored result, with its version
   * @param revised the version that it takes the place of
   */
  readonly provenance: (target: string, revised?: string) => Provenance;
  /**
   * Of a report: what becomes of it where it amends an earlier one of the same study.
   * @param review the last one of an earlier version
   */
  readonly amending?: (earlier: DiagnosticReport, review?: ReportReview) => DiagnosticReport;
}

/** An outcome that gave way, and the one that took its place; both by identifier. */
export interface Supersession {
  readonly identifier: string;
  readonly supersededBy: string;
}

/** What the last step of the path gives back. */
export interface WriteReceipt {
  /** As it stands when the call is answered: results that were written together may have superseded it already. */
  readonly row: OutcomeRow;
  /** True where the outcome was known already and nothing new was recorded. */
  readonly repeated: boolean;
  /** What this call superseded: the recorded outcome itself where a later one stands. */
  readonly superseded: readonly Supersession[];
  /**
   * The stored result, where it was asked for. Absent for a superseded prediction that no report says any more: a study has
   * one report, which says the prediction that stands.
   */
  readonly resource?: ResultResource & { id: string };
  /** True where this call stored it, or a version of it. */
  readonly created: boolean;
}
