import type { DiagnosticReport, Provenance } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { ResultResource } from '../results/result-resource.ts';
import type { ReportReview } from '../results/review-report.ts';
import type { Draft, ResultStore, Stored } from './result-store.ts';
import type { Amendment } from './settle-report.ts';

/**
 * Stores the next versions of reports, one after the other, each with a Provenance of its own that names the version it
 * takes the place of; and writes into the rows which version says them.
 * @param before by `Type/id`: the reports as they are, locked or new
 * @param reviews the last one of each, by the id of the report
 * @returns by the identifier of the prediction, the version that says it
 */
export async function amendReports(
  store: ResultStore,
  amendments: readonly Amendment[],
  before: ReadonlyMap<string, Stored<ResultResource>>,
  reviews: ReadonlyMap<string, ReportReview>,
): Promise<ReadonlyMap<string, Stored<DiagnosticReport>>> {
  const written = new Map<string, Stored<DiagnosticReport>>();
  const current = new Map(before);
  const provenances: Draft<Provenance>[] = [];
  for (const { outcome, drafts, resourceId } of amendments) {
    const name = `DiagnosticReport/${resourceId}`;
    const earlier = current.get(name);
    if (earlier?.resourceType !== 'DiagnosticReport')
      throw new PredictionError('INTERNAL', `${name} is to be amended, and was not read.`);
    const { report, provenance } = drafts.amending;
    const next = report(earlier, reviews.get(resourceId));
    const amended = await store.amend({ ...next, id: resourceId }, outcome.row.supersededBy !== undefined);
    provenances.push(store.draft(provenance(versioned(name, amended), versioned(name, earlier))));
    outcome.row = { ...outcome.row, resourceVersion: Number(amended.meta?.versionId) };
    current.set(name, amended);
    written.set(outcome.row.identifier, amended);
  }
  if (provenances.length > 0) await store.insert(provenances);
  return written;
}

function versioned(name: string, { meta }: DiagnosticReport): string {
  return `${name}/_history/${meta?.versionId}`;
}
