import type { Database, Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeRecord, OutcomeRow, ResultResources, WriteReceipt } from './outcome-record.ts';
import { findOutcome, insertOutcome, lockUntilCommit, setResourceId } from './outcome-table.ts';
import type { ResultStore } from './result-store.ts';
import { retryingConflicts } from './retrying-conflicts.ts';
import { storedResult } from './stored-result.ts';
import { reinstateIfNewest, supersedeOlder } from './supersede.ts';

/** Opens the own FHIR store for one tenant inside a transaction. */
export type OpenResultStore = (sql: Sql, tenant: string) => ResultStore;

/**
 * Step 6 of the path, in one transaction: keeps the outcome, lets it supersede older ones of its group, and, with
 * `resources`, stores RiskAssessment, Device and Provenance. A repeat records nothing new; where it asks for the
 * resource that the first call did not store, the resource is stored now.
 * Throws WHAT_IF_NOT_WRITABLE, WRITE_REJECTED, WRITE_CONFLICT, STORAGE_FULL or DATABASE_UNAVAILABLE; then nothing was
 * kept.
 */
export async function writeResult(
  database: Database,
  openResultStore: OpenResultStore,
  record: OutcomeRecord,
  resources?: ResultResources,
): Promise<WriteReceipt> {
  refuseUnwritable(record, resources);
  return await retryingConflicts(() =>
    database.transaction((sql) => writeInside(sql, openResultStore(sql, record.tenant), record, resources)),
  );
}

async function writeInside(
  sql: Sql,
  store: ResultStore,
  record: OutcomeRecord,
  resources: ResultResources | undefined,
): Promise<WriteReceipt> {
  await lockUntilCommit(sql, [record.tenant, record.fhirBase, record.subjectId, record.encounterId, record.modelId]);
  const known = await findOutcome(sql, record.tenant, record.identifier);
  const repeated = known !== undefined;
  const kept = known ?? (await insertOutcome(sql, record));
  if (record.whatIf) return { row: kept, repeated, superseded: [], created: false };
  if (known !== undefined) await reinstateIfNewest(sql, known, record.computedAt);
  const { current, superseded } = await supersedeOlder(sql, store, kept, record.computedAt);
  const row = current.identifier === kept.identifier ? current : await reread(sql, kept);
  if (resources === undefined) return { row, repeated, superseded, created: false };
  const { resource, created } = await storedResult(store, row, resources);
  if (created) await setResourceId(sql, row, resource.id);
  return { row: { ...row, resourceId: resource.id }, repeated, superseded, resource, created };
}

function refuseUnwritable(record: OutcomeRecord, resources: ResultResources | undefined): void {
  if (resources === undefined) return;
  if (record.whatIf) {
    throw new PredictionError(
      'WHAT_IF_NOT_WRITABLE',
      'A prediction from asserted inputs is never written back. Leave out `input`, or writeBack.',
    );
  }
  const [identifier] = resources.riskAssessment.identifier ?? [];
  if (record.state === 'abstained' || identifier?.value !== record.identifier) {
    throw new PredictionError(
      'INTERNAL',
      'Only the RiskAssessment of the very outcome that is recorded can be stored.',
    );
  }
}

async function reread(sql: Sql, row: OutcomeRow): Promise<OutcomeRow> {
  const found = await findOutcome(sql, row.tenant, row.identifier);
  if (found === undefined) throw new PredictionError('INTERNAL', 'The outcome vanished inside its own transaction.');
  return found;
}
