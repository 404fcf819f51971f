import type { Device, RiskAssessment } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { OutcomeRow, ResultResources } from './outcome-record.ts';
import type { ResultStore, Stored } from './result-store.ts';
import { saysTheSame } from './says-the-same.ts';
import { withSupersededTag } from './superseded-tag.ts';

/**
 * The resource of an outcome: the one that was stored for it, or, where there is none or it was deleted, a new one with
 * its Provenance. The row alone says which resource is the outcome's: any client can write one with its identifier.
 * Throws WRITE_CONFLICT where somebody else changed what the RiskAssessment or its Device says.
 */
export async function storedResult(
  store: ResultStore,
  row: OutcomeRow,
  { riskAssessment, device, provenance }: ResultResources,
): Promise<{ readonly resource: Stored<RiskAssessment>; readonly created: boolean }> {
  requireUnchanged(await store.createWithIdIfAbsent<Device>(device), device);
  const existing =
    row.resourceId === undefined ? undefined : await store.read<RiskAssessment>('RiskAssessment', row.resourceId);
  if (existing !== undefined) {
    requireUnchanged(existing, await store.readFirstVersion<RiskAssessment>('RiskAssessment', existing.id));
    return { resource: existing, created: false };
  }
  const resource = await store.create(withSupersededTag(riskAssessment, row.supersededBy !== undefined));
  await store.create(provenance(versionReference(resource)));
  return { resource, created: true };
}

/** What others may change: tags and labels are the store's to keep, and a note is how people comment on a result. */
const open = { Device: ['id', 'meta'], RiskAssessment: ['id', 'meta', 'note'] } as const;

function requireUnchanged(
  found: Stored<Device | RiskAssessment>,
  made: Stored<Device | RiskAssessment> | undefined,
): void {
  const { resourceType, id } = found;
  if (made !== undefined && saysTheSame(found, made, open[resourceType])) return;
  const what =
    resourceType === 'Device'
      ? `Device/${id} does not say what this version of the model is: somebody else wrote it, and no result may refer to it.`
      : `RiskAssessment/${id}, stored for this prediction, was changed by somebody else after it was made: it is no longer what the model computed.`;
  throw new PredictionError(
    'WRITE_CONFLICT',
    `${what} Nothing was kept. Delete it, and the next call stores it again as computed; or read it, or leave out writeBack.`,
  );
}

function versionReference({ id, meta }: Stored<RiskAssessment>): string {
  if (meta?.versionId === undefined) {
    throw new PredictionError('INTERNAL', 'The store gave the result no version that its Provenance could name.');
  }
  return `RiskAssessment/${id}/_history/${meta.versionId}`;
}
