import type { Dispatcher } from 'undici';
import type { Outbound } from '../../platform/outbound/create-outbound.ts';
import type { ImageServerSettings } from '../imaging-file-schema.ts';
import type { ImagingSettings } from '../read-imaging-file.ts';
import { authorizationOf, type ReadVariable } from './authorization-of.ts';
import { baseOf } from './base-of.ts';
import { checkedUid } from './dicom-uid.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import type { FramesAsked, ImageSource, ImageSources, ObjectAddress } from './image-sources.ts';
import { retrieveBulkData } from './retrieve-bulk-data.ts';
import { retrieveFrames } from './retrieve-frames.ts';
import { retrieveInstance } from './retrieve-instance.ts';
import { retrieveMetadata } from './retrieve-metadata.ts';
import { checkSearch, countInstances, searchInstances } from './search-objects.ts';
import { storeInstances } from './store-instances.ts';

const connectTimeoutMs = 5_000;

/** The servers of IMAGING_FILE. Each origin has connections of its own, so that credentials go nowhere else. */
export function createImageSources(
  { servers, default: usual, limits }: Pick<ImagingSettings, 'servers' | 'default' | 'limits'>,
  { outbound, readVariable }: { readonly outbound: Pick<Outbound, 'to'>; readonly readVariable: ReadVariable },
): ImageSources {
  const byBase = new Map<string, ImageSource>();
  const byName = new Map<string, ImageSource>();
  const opened: Dispatcher[] = [];
  for (const [name, settings] of Object.entries(servers)) {
    const connections = new Map<string, Dispatcher>();
    const source = imageSource({
      ...basesOf(settings),
      name,
      limits,
      authorization: () => authorizationOf(name, settings, readVariable),
      connectionsTo: (base) => {
        const { origin } = new URL(base);
        const kept = connections.get(origin);
        if (kept !== undefined) return kept;
        const dispatcher = outbound.to(base, { connections: settings.connections, connectTimeoutMs });
        connections.set(origin, dispatcher);
        opened.push(dispatcher);
        return dispatcher;
      },
    });
    byName.set(name, source);
    for (const base of [settings.url, ...settings.endpoints]) byBase.set(base, source);
  }
  return {
    sourceFor: (address) => byBase.get(baseOf(address) ?? ''),
    defaultSource: () => (usual === undefined ? undefined : byName.get(usual)),
    all: () => [...byName.values()],
    close: async () => {
      await Promise.all(opened.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function basesOf({ url, qidoUrl = url, stowUrl = url }: ImageServerSettings) {
  return { wadoBase: url, qidoBase: qidoUrl, stowBase: stowUrl };
}

function imageSource(server: DicomwebServer): ImageSource {
  return {
    name: server.name,
    base: server.wadoBase,
    studyMetadata: (study, signal) => retrieveMetadata(server, { study: checkedUid(study) }, signal),
    seriesMetadata: (study, series, signal) =>
      retrieveMetadata(server, { study: checkedUid(study), series: checkedUid(series) }, signal),
    searchInstances: (study, signal) => searchInstances(server, checkedUid(study), signal),
    countInstances: async (study, signal) => await countInstances(server, checkedUid(study), signal),
    frames: (asked, signal) => retrieveFrames(server, checkedFrames(asked), signal),
    instance: async (address, signal) => await retrieveInstance(server, checkedAddress(address), signal),
    bulkData: (uri, signal) => retrieveBulkData(server, uri, signal),
    check: async (signal) => await checkSearch(server, signal),
    store: (files, signal) => storeInstances(server, files, signal),
  };
}

function checkedAddress<Address extends ObjectAddress>(address: Address): Address {
  for (const uid of [address.study, address.series, address.instance]) checkedUid(uid);
  return address;
}

function checkedFrames(asked: FramesAsked): FramesAsked {
  const { frameNumbers } = checkedAddress(asked);
  const ascend = frameNumbers.every((number, index) => index === 0 || number > (frameNumbers[index - 1] as number));
  if (
    frameNumbers.length === 0 ||
    !frameNumbers.every((number) => Number.isSafeInteger(number) && number > 0) ||
    !ascend
  ) {
    throw new RangeError('Frame numbers are whole, from 1, and ascend.');
  }
  return asked;
}
