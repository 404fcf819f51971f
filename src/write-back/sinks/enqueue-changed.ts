import type { Sql } from '../../platform/database.ts';
import { reportIdentifier } from '../../results/report-identifier.ts';
import type { OutcomeRow } from '../outcome-record.ts';
import { type ChangedResult, enqueueDeliveries } from './enqueue-deliveries.ts';

/**
 * Enqueues what was stored: a report under its own identifier, which its amendments keep, and at the sinks alone that have
 * asked for reports.
 * @param rows whose resources are new, or say something else
 */
export async function enqueueChanged(
  sql: Sql,
  tenant: string,
  rows: readonly OutcomeRow[],
  { sinks, reportSinks = [] }: { readonly sinks: readonly string[]; readonly reportSinks?: readonly string[] },
): Promise<void> {
  const results: ChangedResult[] = [];
  const reports: ChangedResult[] = [];
  for (const row of rows) {
    const { identifier, resourceId, resourceType } = row;
    if (resourceId === undefined || resourceType === undefined) continue;
    if (resourceType === 'DiagnosticReport') reports.push({ identifier: identifierOf(row), resourceId, resourceType });
    else results.push({ identifier, resourceId, resourceType });
  }
  await enqueueDeliveries(sql, tenant, sinks, results);
  await enqueueDeliveries(sql, tenant, reportSinks, reports);
}

/** See `reportIdentifier`: outcomes of a model with reports have their study as focus. */
function identifierOf({ modelId, tenant, fhirBase: base, subjectId: id, focus: study }: OutcomeRow): string {
  return reportIdentifier({ modelId, subject: { tenant, base, id }, study });
}
