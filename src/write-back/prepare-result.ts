import type { Device, DiagnosticReport, Provenance } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { ResultResource } from '../results/result-resource.ts';
import type { ReportReview } from '../results/review-report.ts';
import type { OutcomeRecord, ResultResources } from './outcome-record.ts';
import type { Draft, ResultDrafts, Stored } from './result-store.ts';

/** One result to be written. */
export interface ResultToWrite {
  readonly record: OutcomeRecord;
  /** Where it is to be written back. */
  readonly resources?: ResultResources | undefined;
}

/** A result with all that can be made of it before a transaction begins. */
export interface PreparedResult {
  readonly record: OutcomeRecord;
  readonly drafts?: ResultResourceDrafts;
}

export interface ResultResourceDrafts {
  readonly result: Draft<ResultResource>;
  readonly provenance: Draft<Provenance>;
  readonly device: Stored<Device>;
  /** Of a report: what it becomes where it amends an earlier one. */
  readonly amending?: Amending;
}

/** The next version of a report that is stored already, and who made it. */
export interface Amending {
  readonly report: (earlier: DiagnosticReport, review?: ReportReview) => DiagnosticReport;
  /** See ResultResources.provenance. */
  readonly provenance: (target: string, revised: string) => Provenance;
}

/**
 * Checks and serialises what is stored for a result. The resources are those of a result that was not stored before and
 * stands; whether that is so is known inside the transaction only.
 * Throws WHAT_IF_NOT_WRITABLE or WRITE_REJECTED.
 */
export function prepareResult(store: ResultDrafts, { record, resources }: ResultToWrite): PreparedResult {
  if (resources === undefined) return { record };
  refuseUnwritable(record, resources.result);
  const { device, provenance, checked, amending: report } = resources;
  const result = store.draft(resources.result, checked);
  const { resourceType, id, meta } = result.resource;
  return {
    record,
    drafts: {
      result,
      provenance: store.draft(provenance(`${resourceType}/${id}/_history/${meta?.versionId}`)),
      device,
      ...(report === undefined ? {} : { amending: { report, provenance } }),
    },
  };
}

function refuseUnwritable(record: OutcomeRecord, { identifier: identifiers = [] }: ResultResource): void {
  if (record.whatIf) {
    throw new PredictionError(
      'WHAT_IF_NOT_WRITABLE',
      'A prediction from asserted inputs is never written back. Leave out `input`, or writeBack.',
    );
  }
  if (record.state === 'abstained' || identifiers[0]?.value !== record.identifier) {
    throw new PredictionError('INTERNAL', 'Only the resource of the very outcome that is recorded can be stored.');
  }
}
