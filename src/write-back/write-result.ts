import type { RiskAssessment } from '@medplum/fhirtypes';
import type { Database, Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeRecord, OutcomeRow, ResultResources, WriteReceipt } from './outcome-record.ts';
import { findOutcome, insertOutcome, lockUntilCommit, setResourceId } from './outcome-table.ts';
import type { ResultStore, Stored } from './result-store.ts';
import { reinstateIfNewest, supersedeOlder } from './supersede.ts';
import { updateSupersededTag, withSupersededTag } from './superseded-tag.ts';

/** Opens the own FHIR store for one tenant inside a transaction. */
export type OpenResultStore = (sql: Sql, tenant: string) => ResultStore;

/**
 * Step 6 of the path, in one transaction: keeps the outcome, lets it supersede older ones of its group, and, with
 * `resources`, stores RiskAssessment, Device and Provenance. A repeat records nothing new; where it asks for the
 * resource that the first call did not store, the resource is stored now.
 * Throws WHAT_IF_NOT_WRITABLE, WRITE_REJECTED, STORAGE_FULL or DATABASE_UNAVAILABLE; then nothing was kept.
 */
export async function writeResult(
  database: Database,
  openResultStore: OpenResultStore,
  record: OutcomeRecord,
  resources?: ResultResources,
): Promise<WriteReceipt> {
  refuseUnwritable(record, resources);
  return await database.transaction(async (sql) => {
    await lockUntilCommit(sql, [record.tenant, record.fhirBase, record.subjectId, record.encounterId, record.modelId]);
    const store = openResultStore(sql, record.tenant);
    const known = await findOutcome(sql, record.tenant, record.identifier);
    const kept = known ?? (await insertOutcome(sql, record));
    if (record.whatIf) return { row: kept, repeated: known !== undefined };
    if (known !== undefined) await reinstateIfNewest(sql, store, known, record.computedAt);
    const current = await supersedeOlder(sql, store, kept, record.computedAt);
    const row = current.identifier === kept.identifier ? current : await reread(sql, kept);
    const resource = await storedResult(sql, store, row, resources);
    return {
      row: resource === undefined ? row : { ...row, resourceId: resource.id },
      repeated: known !== undefined,
      ...(resource === undefined ? {} : { resource }),
    };
  });
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

/** The stored result, stored now where it is asked for and not there. */
async function storedResult(
  sql: Sql,
  store: ResultStore,
  row: OutcomeRow,
  resources: ResultResources | undefined,
): Promise<Stored<RiskAssessment> | undefined> {
  const existing =
    row.resourceId === undefined ? undefined : await store.read<RiskAssessment>('RiskAssessment', row.resourceId);
  if (existing !== undefined || resources === undefined) return existing;
  const { riskAssessment, device, provenance } = resources;
  await store.createWithIdIfAbsent(device);
  const [identifier] = riskAssessment.identifier ?? [];
  if (identifier === undefined)
    throw new PredictionError('INTERNAL', 'A result without an identifier cannot be stored.');
  const draft = withSupersededTag(riskAssessment, row.supersededBy !== undefined);
  const { resource, created } = await store.createIfAbsent(draft, identifier);
  if (created) {
    await store.create(provenance(versionReference(resource)));
  } else {
    await updateSupersededTag(store, resource.id, row.supersededBy !== undefined);
  }
  await setResourceId(sql, row, resource.id);
  return resource;
}

function versionReference({ id, meta }: Stored<RiskAssessment>): string {
  if (meta?.versionId === undefined) {
    throw new PredictionError('INTERNAL', 'The store gave the result no version that its Provenance could name.');
  }
  return `RiskAssessment/${id}/_history/${meta.versionId}`;
}
