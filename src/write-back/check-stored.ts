import type { Device } from '@medplum/fhirtypes';
import type { NamedMade } from '../fhir/store/read-with-made.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ResultResource } from '../results/result-resource.ts';
import { type FoundOutcome, groupName } from './outcome-table.ts';
import type { PreparedResult, ResultResourceDrafts } from './prepare-result.ts';
import { reportHolders } from './report-holder.ts';
import type { Found, ResultStore, Stored } from './result-store.ts';
import { saysTheSame } from './says-the-same.ts';

/** What is in the store already of the resources of some results. */
export interface CheckedResults {
  /** Stored results by `Type/id`. */
  readonly existing: ReadonlyMap<string, Stored<ResultResource>>;
  /** WRITE_CONFLICT by result, where somebody else changed what its resource or its Device says. */
  readonly refused: ReadonlyMap<PreparedResult, PredictionError>;
}

/** What others may change: tags and labels are the store's to keep, and a note is how people comment on a result. */
export const openElements = { Device: ['id', 'meta'], result: ['id', 'meta', 'note'] } as const;

/**
 * Reads what is stored of the results and compares it with what the model made; a Device that is not there yet is
 * created. The row alone says which resource is the outcome's: any client can write one with its identifier. A report that may be
 * amended is locked: nobody changes it between this look and its next version.
 */
export async function checkStored(
  store: ResultStore,
  found: readonly FoundOutcome[],
  results: readonly PreparedResult[],
): Promise<CheckedResults> {
  const asked = results.flatMap(({ drafts }) => drafts ?? []);
  const existing = new Map<string, Stored<ResultResource>>();
  const refused = new Map<PreparedResult, PredictionError>();
  if (asked.length === 0) return { existing, refused };

  const placeOf = placesOf(found);
  const places = new Map(
    results.flatMap((result) => {
      const place = placeOf(result);
      return place === undefined ? [] : [[`${place.type}/${place.id}`, place] as const];
    }),
  );
  const reports = [...places.values()].filter(({ type }) => type === 'DiagnosticReport').map(({ id }) => id);
  if (reports.length > 0) await store.lock('DiagnosticReport', reports);
  const stored = await store.read([
    ...places.values(),
    ...[...new Set(asked.map(({ device }) => device.id))].map((id) => ({ type: 'Device' as const, id })),
  ]);
  for (const result of results) {
    const place = placeOf(result);
    if (place === undefined) continue;
    const name = `${place.type}/${place.id}`;
    const one = stored.get(name);
    if (one === undefined) continue;
    if (one.saysWhatWasMade(openElements.result)) existing.set(name, one.resource as Stored<ResultResource>);
    else refused.set(result, changedResult(name));
  }
  const devices = await storedDevices(
    store,
    stored,
    results.flatMap((result) => (result.drafts === undefined || refused.has(result) ? [] : result.drafts)),
  );
  for (const result of results) {
    const { drafts } = result;
    if (drafts === undefined || refused.has(result)) continue;
    if (devices.get(drafts.device) !== true) refused.set(result, foreignDevice(drafts.device.id));
  }
  return { existing, refused };
}

/** Where the result is stored, or the report that it amends; undefined where there is neither. */
function placesOf(found: readonly FoundOutcome[]) {
  const written = new Map(
    found.flatMap(({ row, tagged }) =>
      tagged === undefined || row.resourceId === undefined || row.resourceType === undefined
        ? []
        : [[row.identifier, { type: row.resourceType, id: row.resourceId }] as const],
    ),
  );
  const holders = reportHolders(found);
  return ({
    record,
    drafts,
  }: PreparedResult): (NamedMade & { readonly type: ResultResource['resourceType'] }) | undefined => {
    if (drafts === undefined) return undefined;
    if (drafts.amending === undefined) return written.get(record.identifier);
    const { resourceId: id, resourceVersion: made } = holders.get(groupName(record))?.row ?? {};
    return id === undefined ? undefined : { type: 'DiagnosticReport', id, made };
  };
}

/** By Device as it is asked for, most often one for all results of a model: whether the stored one says the same. */
async function storedDevices(
  store: ResultStore,
  stored: ReadonlyMap<string, Found>,
  asked: readonly ResultResourceDrafts[],
): Promise<ReadonlyMap<Stored<Device>, boolean>> {
  const byId = Map.groupBy(new Set(asked.map(({ device }) => device)), ({ id }) => id);
  const same = new Map<Stored<Device>, boolean>();
  // In one order everywhere: two writers that create the same Devices must not wait for each other.
  for (const [id, devices] of [...byId].sort(([one], [other]) => (one < other ? -1 : 1))) {
    let found = stored.get(`Device/${id}`)?.resource;
    for (const device of devices) {
      found ??= await store.createWithIdIfAbsent<Device>(device);
      same.set(device, saysTheSame(found, device, openElements.Device));
    }
  }
  return same;
}

function changedResult(name: string): PredictionError {
  return conflict(
    `${name}, stored for this prediction, was changed by somebody else after it was made: it is no longer what the model computed.`,
  );
}

function foreignDevice(id: string): PredictionError {
  return conflict(
    `Device/${id} does not say what this version of the model is: somebody else wrote it, and no result may refer to it.`,
  );
}

function conflict(what: string): PredictionError {
  return new PredictionError(
    'WRITE_CONFLICT',
    `${what} Nothing was kept. Delete it, and the next call stores it again as computed; or read it, or leave out writeBack.`,
  );
}
