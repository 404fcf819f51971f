import type { Reference, Resource } from '@medplum/fhirtypes';
import { alignSupersededTag } from './align-superseded-tag.ts';
import { amendThere } from './amend-there.ts';
import {
  type Delivery,
  type DeliveryOutcome,
  type DeliveryReceipt,
  heldOf,
  isAsItIs,
  isOfVersion,
  isSinkFault,
  type RemoteResource,
  type StoredResult,
} from './delivery.ts';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import {
  byIdentifier,
  type Failed,
  findThere,
  isFailed,
  minimalAnswer,
  remoteResource,
  type SinkServer,
} from './fhir-sink-server.ts';
import {
  deviceByIdentifier,
  renderDevice,
  renderProvenance,
  renderResult,
  type SinkResource,
} from './render-result.ts';
import { withOwnVersion } from './with-own-version.ts';

/** Under this key a receipt names the Provenance. */
export const provenanceKey = 'provenance';

/** Results under way at once. */
const lanes = 4;

/** Delivers results one by one, a few at a time, until the sink fails or the server stops; the rest is unsent. */
export async function deliverEachSingly(
  server: SinkServer,
  deliveries: readonly Delivery[],
  stopping: () => boolean,
): Promise<Map<string, DeliveryOutcome>> {
  const outcomes = new Map<string, DeliveryOutcome>();
  const waiting = [...deliveries];
  let faulty = false;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const idle = faulty || stopping();
      const outcome: DeliveryOutcome = idle ? { kind: 'unsent' } : await deliverSingly(server, next);
      faulty ||= isSinkFault(outcome);
      outcomes.set(next.result.identifier, outcome);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return outcomes;
}

/**
 * Delivers one result by single requests: Device, the result's resources, Provenance, or the change of its tag. What
 * the sink may hold already is looked for first, and created with If-None-Exist.
 */
async function deliverSingly(server: SinkServer, { result, receipt, unsure }: Delivery): Promise<DeliveryOutcome> {
  const { superseded } = result;
  const at = server.settings.url;
  const here = receipt?.at === at ? receipt : undefined;
  // What was delivered to another address may have moved here with its server.
  const mayHold = unsure || (receipt !== undefined && here === undefined);
  const known = here?.resources ?? {};
  if (superseded && Object.keys(known).length === 0 && !mayHold) return skippedAsSuperseded(at);

  const device = await deviceThere(server, result);
  if (isFailed(device)) return { ...device, ...(unsure && device.kind === 'failed' ? { unsure: true } : {}) };
  const amended = here !== undefined && !isOfVersion(here, result);
  const done: Record<string, RemoteResource> = {};
  const partly = (failed: Failed): DeliveryOutcome =>
    Object.keys(done).length === 0
      ? failed
      : {
          ...failed,
          unsure: true,
          // What was there before and was not come to is looked at next time: it is unsure.
          // An amended report is not taken for delivered: see amendThere.
          receipt: { at, ...heldAfterFailure(here, result), resources: { ...known, ...done } },
        };

  for (const part of renderResult(server.form, result, device)) {
    const { value } = part.identifier;
    const before = known[value];
    const settled = here !== undefined && isAsItIs(here, result) && !unsure ? before : undefined;
    const there =
      settled ??
      (amended && before !== undefined
        ? await amendThere(server, before, part, { superseded, unsure })
        : await settlePart(server, part, before, mayHold, result));
    if ('kind' in there) return partly(there);
    done[value] = there;
  }
  const provenance =
    (amended ? undefined : known[provenanceKey]) ?? (await putProvenance(server, result, Object.values(done), device));
  if (provenance !== undefined && 'kind' in provenance) return partly(provenance);
  if (provenance !== undefined) done[provenanceKey] = provenance;
  return { kind: 'delivered', receipt: { at, ...heldOf(result), resources: done } };
}

/** After an attempt that failed, the sink holds of a report what it held before. */
function heldAfterFailure(here: DeliveryReceipt | undefined, result: StoredResult): ReturnType<typeof heldOf> {
  if (here === undefined) return heldOf(result);
  const { made, report } = here;
  const before = { ...(made === undefined ? {} : { made }), ...(report === undefined ? {} : { report }) };
  return { superseded: result.superseded, ...before };
}

/** It was never current at the sink, and nobody there misses it. */
export function skippedAsSuperseded(at: string): DeliveryOutcome {
  const receipt: DeliveryReceipt = { at, superseded: true, resources: {}, skipped: 'superseded' };
  return { kind: 'delivered', receipt };
}

async function settlePart(
  server: SinkServer,
  part: SinkResource,
  known: RemoteResource | undefined,
  mayHold: boolean,
  { superseded, made }: StoredResult,
): Promise<RemoteResource | Failed> {
  const { identifier, resource } = part;
  // What is there of a report may be what it said before it was amended: that is replaced where nobody has touched it.
  const alignFound = (there: RemoteResource) =>
    made === undefined
      ? alignSupersededTag(server, there, identifier, superseded)
      : amendThere(server, { ...there, version: '1' }, part, { superseded, unsure: true });
  if (known !== undefined) return alignSupersededTag(server, known, identifier, superseded);
  if (mayHold) {
    const found = await findThere(server, resource.resourceType, identifier);
    if (isFailed(found)) return found;
    if (found !== undefined) return alignFound(asFound(found));
  }
  const created = await createUnlessThere(server, resource, identifier);
  if ('kind' in created) return created;
  if (!created.isNew) return alignFound(created.there);
  // Upon the version of a report an amended one is put: it must be the one that was made now.
  return made === undefined ? created.there : withOwnVersion(server, created.there, resource);
}

/** With the version that it has now, whoever made it. */
function asFound({ resourceType, id, meta }: Resource): RemoteResource {
  return { reference: `${resourceType}/${id}`, ...(meta?.versionId === undefined ? {} : { version: meta.versionId }) };
}

async function createUnlessThere(
  server: SinkServer,
  resource: Resource,
  identifier: { readonly system: string; readonly value: string },
): Promise<{ readonly there: RemoteResource; readonly isNew: boolean } | Failed> {
  const type = resource.resourceType;
  const headers = { 'if-none-exist': byIdentifier(identifier), ...minimalAnswer };
  const answer = await server.call({ method: 'POST', path: type, body: resource, headers });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) return deliveryFailure(answer);
  const isNew = answer.status === 201;
  const there = remoteResource(answer, type);
  if (there !== undefined) return { there, isNew };
  const found = await findThere(server, type, identifier);
  if (isFailed(found)) return found;
  return found === undefined
    ? unexpectedAnswer(answer.status, 'neither names what it created nor finds it')
    : { there: isNew ? { reference: `${type}/${found.id}` } : asFound(found), isNew };
}

/** What the sink calls the model's Device; it is made there once, and remembered. */
async function deviceThere(server: SinkServer, result: StoredResult): Promise<Reference | Failed> {
  const { device } = result;
  const [identifier] = device?.identifier ?? [];
  const { system, value } = identifier ?? {};
  if (server.settings.device === 'identifier' || device === undefined || system === undefined || value === undefined) {
    return deviceByIdentifier(result);
  }
  const known = server.devices.get(device.id);
  if (known !== undefined) return known;
  const making = (async () => {
    const found = await findThere(server, 'Device', { system, value });
    if (isFailed(found)) return found;
    if (found !== undefined) return { reference: `Device/${found.id}` };
    const created = await createUnlessThere(server, renderDevice(device), { system, value });
    return 'kind' in created
      ? asSetting(created, 'Device', '"device": "identifier"')
      : { reference: created.there.reference };
  })();
  server.devices.set(device.id, making);
  const made = await making;
  if (isFailed(made)) server.devices.delete(device.id);
  return made;
}

async function putProvenance(
  server: SinkServer,
  result: StoredResult,
  targets: readonly RemoteResource[],
  device: Reference,
): Promise<RemoteResource | Failed | undefined> {
  if (server.settings.provenance === 'none') return undefined;
  const references = targets.map(({ reference, version }) =>
    version === undefined ? reference : `${reference}/_history/${version}`,
  );
  const provenance = renderProvenance(server.form, result, references, device);
  if (provenance === undefined) return undefined;
  const reference = `Provenance/${provenance.id}`;
  const answer = await server.call({ method: 'PUT', path: reference, body: provenance, headers: minimalAnswer });
  if (answer.kind === 'silent' || answer.status < 200 || answer.status > 299) {
    return asSetting(deliveryFailure(answer), 'Provenance', '"provenance": "none"');
  }
  return { reference };
}

/** What belongs to every result and is not accepted is a matter of the sink's settings; no result dies of it. */
function asSetting(failed: Failed, type: string, setting: string): Failed {
  if (failed.kind !== 'dead' && failed.error.reason !== 'refused-access') return failed;
  const text = `${failed.error.text} It was the ${type}: if the sink takes none, set ${setting} for it.`;
  return { kind: 'failed', counts: false, unsure: true, error: { ...failed.error, reason: 'refused-access', text } };
}
