import { createHash } from 'node:crypto';
import type { Bundle, BundleEntry, Reference } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../../fhir/fhir-json.ts';
import { inSlices } from '../in-slices.ts';
import { deliverEachSingly, provenanceKey, skippedAsSuperseded } from './deliver-singly.ts';
import {
  type Delivery,
  type DeliveryOutcome,
  type DeliveryReceipt,
  heldOf,
  isAsItIs,
  isOfVersion,
  isSinkFault,
  type Sink,
  type StoredResult,
} from './delivery.ts';
import { deliveryFailure, unexpectedAnswer } from './delivery-failure.ts';
import {
  byIdentifier,
  isFailed,
  minimalAnswer,
  openSinkConnection,
  remoteResource,
  type SinkParts,
  type SinkServer,
  versionOfTag,
} from './fhir-sink-server.ts';
import { deviceByIdentifier, renderDevice, renderProvenance, renderResult } from './render-result.ts';
import type { TransactionSink } from './sink-schema.ts';
import { withOwnVersion } from './with-own-version.ts';

/** A FHIR server that takes a batch of results with Devices and Provenance as one transaction. */
export function createFhirTransactionSink(settings: TransactionSink, parts: SinkParts): Sink {
  const connection = openSinkConnection(settings, parts);
  return {
    name: settings.name,
    at: settings.url,
    async deliver(_attempt, deliveries, stop, stopping) {
      const server = connection.server(stop);
      const outcomes = new Map<string, DeliveryOutcome>();
      const together: Delivery[] = [];
      const alone: Delivery[] = [];
      for (const delivery of deliveries) {
        const way = wayOf(delivery, settings.url);
        if (way === 'together') together.push(delivery);
        else if (way === 'alone') alone.push(delivery);
        else outcomes.set(delivery.result.identifier, way);
      }
      if (together.length > 0) await sendTogether(server, together, outcomes);
      const faulty = [...outcomes.values()].some(isSinkFault);
      const singly = await deliverEachSingly(server, alone, () => faulty || stopping());
      for (const [identifier, outcome] of singly) outcomes.set(identifier, outcome);
      const retryAfterMs = connection.takeRetryAfterMs();
      return { outcomes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    },
    close: () => connection.close(),
  };
}

/** What the sink may hold already, and a tag that is to go away, need a look at what is there. */
function wayOf({ result, receipt, unsure }: Delivery, at: string): 'together' | 'alone' | DeliveryOutcome {
  const { superseded } = result;
  if (unsure || (receipt !== undefined && receipt.at !== at)) return 'alone';
  const delivered = receipt !== undefined && Object.keys(receipt.resources).length > 0;
  if (!delivered) return superseded ? skippedAsSuperseded(at) : 'together';
  if (isAsItIs(receipt, result)) return { kind: 'delivered', receipt };
  // An amended report is put upon the one that was delivered, and upon no other.
  if (!isOfVersion(receipt, result)) return 'alone';
  // Without a version the tag is set upon what is there: an update would write over what people made of it.
  const isVersioned = receipt.resources[result.identifier]?.version !== undefined;
  return superseded && isVersioned ? 'together' : 'alone';
}

/** One transaction: all of it is there afterwards, or nothing. */
async function sendTogether(
  server: SinkServer,
  deliveries: readonly Delivery[],
  outcomes: Map<string, DeliveryOutcome>,
): Promise<void> {
  const devices = new Map<string, DevicePlace>();
  const entries: string[] = [];
  const places = await inSlices(deliveries, (delivery) => {
    const before: BundleEntry[] = [];
    const device = deviceEntry(server, delivery.result, { devices, entries: before, place: entries.length });
    const place = entries.length + before.length;
    // Written out one by one: a whole Bundle at once would hold up everything else.
    for (const entry of [...before, ...resultEntries(server, delivery, device.reference)])
      entries.push(stringifyFhirJson(entry));
    return { delivery, place, device };
  });
  // The whole of it is joined and sent in a turn of its own.
  await new Promise((resolve) => setImmediate(resolve));
  const body = `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`;
  const answer = await server.call({ method: 'POST', path: '', body, headers: minimalAnswer });
  if (answer.kind === 'silent' || answer.status !== 200) {
    const failed = deliveryFailure(answer);
    const inCompany = deliveries.length > 1 && (failed.kind === 'dead' || failed.counts);
    const outcome: DeliveryOutcome = inCompany
      ? {
          kind: 'failed',
          counts: false,
          unsure: failed.kind === 'failed' && failed.unsure,
          alone: true,
          error: failed.error,
        }
      : failed;
    for (const { result } of deliveries) outcomes.set(result.identifier, outcome);
    return;
  }
  const answered = entriesOf(answer.body, entries.length);
  for (const { delivery, place, device } of places) {
    const outcome = outcomeOf(server, delivery, answered?.slice(place));
    outcomes.set(
      delivery.result.identifier,
      await withVersionThere(server, delivery, outcome, deviceThere(device, answered)),
    );
  }
}

/** What the sink calls a Device that stands in the transaction; undefined where it did not say. */
function deviceThere(
  { reference, place }: DevicePlace,
  answered: readonly AnsweredEntry[] | undefined,
): Reference | undefined {
  if (place === undefined) return reference;
  const entry = answered?.[place];
  return entry && remoteResource({ ...entry, body: entry.resource }, 'Device');
}

/**
 * The receipt of a report with the version that it has there: an amended one is put upon that, and upon no other. Where the answer did not say, it
 * is read back, and counts only if it says what was sent: else a person there was faster, or nobody can tell, and it is looked at by itself next.
 */
async function withVersionThere(
  server: SinkServer,
  { result }: Delivery,
  outcome: DeliveryOutcome,
  device: Reference | undefined,
): Promise<DeliveryOutcome> {
  if (outcome.kind !== 'delivered' || result.made === undefined) return outcome;
  const { receipt } = outcome;
  const own = receipt.resources[result.identifier];
  if (own === undefined || own.version !== undefined) return outcome;
  const [sent] = device === undefined ? [] : renderResult(server.form, result, device);
  if (sent === undefined)
    return lookedAtNext('The sink said neither which version of the report nor which Device it made.');
  const there = await withOwnVersion(server, own, sent.resource);
  if (isFailed(there)) return { ...there, kind: 'failed', counts: false, unsure: true, alone: true };
  return {
    kind: 'delivered',
    receipt: { ...receipt, resources: { ...receipt.resources, [result.identifier]: there } },
  };
}

/** It is there, and what it says there has to be looked at before it is known as what. */
function lookedAtNext(text: string): DeliveryOutcome {
  return { kind: 'failed', counts: false, unsure: true, alone: true, error: { reason: 'conflict', text } };
}

/** How a result names its Device within a transaction. */
interface DevicePlace {
  readonly reference: Reference;
  /** Of its entry; absent: it has none. */
  readonly place?: number;
}

function deviceEntry(
  server: SinkServer,
  result: StoredResult,
  {
    devices,
    entries,
    place,
  }: {
    readonly devices: Map<string, DevicePlace>;
    readonly entries: BundleEntry[];
    /** Of the entry that would come next. */
    readonly place: number;
  },
): DevicePlace {
  const { device } = result;
  const { system, value } = device?.identifier?.[0] ?? {};
  if (server.settings.device === 'identifier' || device === undefined || system === undefined || value === undefined) {
    return { reference: deviceByIdentifier(result) };
  }
  const known = devices.get(device.id);
  if (known !== undefined) return known;
  const reference = { reference: urn(value) };
  const placed = { reference, place };
  devices.set(device.id, placed);
  entries.push({
    fullUrl: reference.reference,
    resource: renderDevice(device),
    request: { method: 'POST', url: 'Device', ifNoneExist: byIdentifier({ system, value }) },
  });
  return placed;
}

/** The result, created unless it is there, with its Provenance; or, once delivered, its next version. */
function resultEntries(server: SinkServer, { result, receipt }: Delivery, device: Reference): BundleEntry[] {
  const [rendered] = renderResult(server.form, result, device);
  if (rendered === undefined) return [];
  const { identifier, resource } = rendered;
  const known = receipt?.resources[identifier.value];
  if (known !== undefined) {
    const ifMatch = known.version === undefined ? {} : { ifMatch: `W/"${known.version}"` };
    const url = `${resource.resourceType}?${byIdentifier(identifier)}`;
    return [{ resource, request: { method: 'PUT', url, ...ifMatch } }];
  }
  const fullUrl = urn(identifier.value);
  const created: BundleEntry = {
    fullUrl,
    resource,
    request: { method: 'POST', url: resource.resourceType, ifNoneExist: byIdentifier(identifier) },
  };
  const provenance =
    server.settings.provenance === 'none' ? undefined : renderProvenance(server.form, result, [fullUrl], device);
  if (provenance === undefined) return [created];
  const url = `Provenance/${provenance.id}`;
  return [created, { fullUrl: `${server.settings.url}/${url}`, resource: provenance, request: { method: 'PUT', url } }];
}

interface AnsweredEntry {
  readonly status: string;
  readonly location?: string;
  readonly etag?: string;
  readonly resource?: unknown;
}

function entriesOf(body: unknown, expected: number): AnsweredEntry[] | undefined {
  const bundle = body as Bundle | undefined;
  if (bundle?.resourceType !== 'Bundle' || !Array.isArray(bundle.entry) || bundle.entry.length !== expected)
    return undefined;
  return bundle.entry.map(({ response, resource }) => ({ status: '', ...response, resource }));
}

function outcomeOf(
  server: SinkServer,
  { result, receipt }: Delivery,
  answered: readonly AnsweredEntry[] | undefined,
): DeliveryOutcome {
  const [own, provenance] = answered ?? [];
  const { identifier } = result;
  if (own === undefined) {
    return {
      ...unexpectedAnswer(200, 'not with one answer for each entry of the transaction'),
      alone: true,
    } as DeliveryOutcome;
  }
  const before = receipt?.resources[identifier];
  const there = remoteResource({ ...own, body: own.resource }, result.resource.resourceType);
  if (before === undefined && (!own.status.startsWith('201') || there === undefined)) {
    // It was there before this transaction: what it says there is looked at next.
    return lookedAtNext('The sink held the result already.');
  }
  const version = there?.version ?? versionOfTag(own.etag);
  const reference = there?.reference ?? before?.reference ?? '';
  const provenanceThere = remoteResource({ ...provenance, body: provenance?.resource }, 'Provenance');
  const resources: DeliveryReceipt['resources'] = {
    ...receipt?.resources,
    [identifier]: { reference, ...(version === undefined ? {} : { version }) },
    ...(before !== undefined || server.settings.provenance === 'none' || result.provenance === undefined
      ? {}
      : { [provenanceKey]: provenanceThere ?? { reference: `Provenance/${identifier}` } }),
  };
  return { kind: 'delivered', receipt: { at: server.settings.url, ...heldOf(result), resources } };
}

/** The same text gives the same name, so that a repeated transaction is the same. */
function urn(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
