import type { Endpoint, ImagingStudy, Reference } from '@medplum/fhirtypes';
import type { ClinicalRecord } from '../../records/clinical-record.ts';
import { isDicomUid } from '../dicomweb/dicom-uid.ts';
import type { ImageSource, ImageSources } from '../dicomweb/image-sources.ts';
import { NoImage } from '../image-reading.ts';

/** Where the images of a study lie. */
export interface StudySources {
  /** Of every series that names no other; absent where each does. */
  readonly study?: ImageSource;
  /** By Series Instance UID. */
  readonly series: ReadonlyMap<string, ImageSource>;
}

type Parts = Pick<ImageSources, 'sourceFor' | 'defaultSource'>;
type Record = Pick<ClinicalRecord, 'endpoint'>;

const wado = { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'dicom-wado-rs' };

/**
 * Which server holds which series: the active WADO-RS Endpoint of the series, else that of the study (DW-2, DW-3), contained or
 * referred to, else the configured one. Where an Endpoint is named that cannot be used, nobody else is asked in its place.
 * Throws NoImage `no-image-source`.
 */
export function studySources(study: ImagingStudy, record: Record, sources: Parts): StudySources {
  const bySeries = new Map<string, ImageSource>();
  const named = study.series ?? [];
  for (const { uid, endpoint } of named) {
    if (!isDicomUid(uid))
      throw new NoImage('undecodable', 'the ImagingStudy lists a series whose uid is no UID of DICOM');
    const source = sourceOf(endpoint, study, record, sources);
    if (source !== undefined) bySeries.set(uid, source);
  }
  if (named.length > 0 && named.every(({ uid }) => bySeries.has(uid))) return { series: bySeries };
  const source = sourceOf(study.endpoint, study, record, sources) ?? sources.defaultSource();
  if (source === undefined)
    throw new NoImage('no-image-source', 'the study names no WADO-RS Endpoint, and IMAGING_FILE no default server');
  return { study: source, series: bySeries };
}

/** Undefined where none of WADO-RS is named. */
function sourceOf(
  references: readonly Reference[] = [],
  study: ImagingStudy,
  record: Record,
  sources: Parts,
): ImageSource | undefined {
  const faults: string[] = [];
  for (const { reference } of references) {
    const endpoint = reference === undefined ? undefined : endpointAt(reference, study, record);
    if (endpoint === undefined) {
      faults.push('an Endpoint that it names cannot be read');
      continue;
    }
    const { system, code } = endpoint.connectionType;
    if (system !== wado.system || code !== wado.code) continue;
    if (endpoint.status !== 'active') {
      faults.push(`its Endpoint is ${endpoint.status}, not active`);
      continue;
    }
    const source = sources.sourceFor(endpoint.address);
    if (source !== undefined) return source;
    faults.push('IMAGING_FILE does not list the address of its Endpoint');
  }
  const [fault] = faults;
  if (fault === undefined) return undefined;
  throw new NoImage('no-image-source', `the images of the study cannot be fetched: ${fault}`);
}

function endpointAt(reference: string, { contained = [] }: ImagingStudy, record: Record): Endpoint | undefined {
  if (!reference.startsWith('#')) return record.endpoint(reference);
  const found = contained.find(({ id }) => id === reference.slice(1));
  return found?.resourceType === 'Endpoint' ? found : undefined;
}
