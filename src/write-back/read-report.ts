import type { DiagnosticReport } from '@medplum/fhirtypes';
import type { Sql } from '../platform/database.ts';
import type { OutcomeRow } from './outcome-record.ts';
import { readStoredResults } from './sinks/read-stored-results.ts';

/** A report as it stands in the own store. */
export interface ReadReport {
  readonly report: DiagnosticReport & { id: string };
  /** It says something else than what this server made of it. */
  readonly tampered: boolean;
}

/** The report that says an outcome; undefined where none does, or it was deleted. */
export async function readReport(sql: Sql, row: OutcomeRow): Promise<ReadReport | undefined> {
  const { tenant, identifier, resourceType, resourceId } = row;
  if (resourceType !== 'DiagnosticReport' || resourceId === undefined) return undefined;
  const found = await readStoredResults(sql, tenant, [{ identifier, resourceType, resourceId }]);
  const stored = found.get(`${resourceType}/${resourceId}`);
  if (stored?.resource.resourceType !== 'DiagnosticReport' || stored.superseded) return undefined;
  return { report: { ...stored.resource, id: resourceId }, tampered: stored.tampered };
}
