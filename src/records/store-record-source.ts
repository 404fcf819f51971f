import type { Patient, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { ServerBases } from './local-reference.ts';
import type { ReadRecords, RecordSource, WantedRecords } from './record-source.ts';
import { endsAfter, windowStart } from './search-window.ts';

/** One query as the own store understands it. */
interface StoreQuery {
  readonly type: string;
  readonly codes?: readonly string[];
  readonly since?: Date;
}

/** What a record source needs of the own store. */
export interface StoreReader {
  /** The current version, or undefined where there is none or it was deleted. */
  readCurrent(type: string, id: string): Promise<Resource | undefined>;
  /** Current resources of one type that belong to a patient, or of groups that have the patient as a member. */
  findResources(
    filter: StoreQuery & { readonly patient?: string; readonly member?: string },
    pageSize: number,
  ): AsyncIterable<Resource[]>;
  /** All of one state of the data; `patients` says whose a match is where several were asked for. */
  readMany(wanted: {
    readonly patients: readonly string[];
    readonly queries: readonly StoreQuery[];
    readonly also: readonly string[];
  }): Promise<
    readonly {
      readonly as: 'patient' | 'match' | 'also';
      readonly patients: readonly string[];
      readonly resource: Resource;
    }[]
  >;
}

const pageSize = 500;
const patientPrefix = 'Patient/'.length;

/** Clinical data in the own store, read without a detour over HTTP. Its bases are the public ones. */
export function createStoreRecordSource(store: StoreReader, bases: ServerBases): RecordSource {
  return {
    ...bases,
    own: true,
    readPatient: async (id, signal) => {
      stopIfGivenUp(signal);
      return (await store.readCurrent('Patient', id)) as Patient | undefined;
    },
    read: async (type, id, signal) => {
      stopIfGivenUp(signal);
      return await store.readCurrent(type, id);
    },
    search: async function* ({ type, codes, subjectParameter, ...query }, subjectId, signal) {
      const since = windowStart({ type, subjectParameter, ...query });
      const filter = { type, [subjectParameter]: subjectId, ...(codes && { codes }), ...(since && { since }) };
      stopIfGivenUp(signal);
      for await (const page of store.findResources(filter, pageSize)) {
        stopIfGivenUp(signal);
        const rows = since === undefined ? page : page.filter((resource) => endsAfter(resource, since));
        if (rows.length > 0) yield rows;
      }
    },
    readMany: (wanted, signal) => readMany(store, wanted, signal),
  };
}

async function readMany(
  store: StoreReader,
  { subjects: ids, queries, also }: WantedRecords,
  signal: AbortSignal | undefined,
): Promise<ReadRecords> {
  stopIfGivenUp(signal);
  const asked = queries.map((query): StoreQuery => {
    const since = windowStart(query);
    return { type: query.type, ...(query.codes && { codes: query.codes }), ...(since && { since }) };
  });
  const found = await store.readMany({ patients: ids, queries: asked, also });
  stopIfGivenUp(signal);
  const subjects = new Map(ids.map((id): [string, { patient?: Patient; rows: Resource[] }] => [id, { rows: [] }]));
  const others = new Map<string, Resource>();
  const [only] = ids.length === 1 ? [...subjects.values()] : [];
  for (const { as, patients, resource } of found) {
    if (as === 'also') others.set(`${resource.resourceType}/${resource.id}`, resource);
    else if (as === 'patient') {
      const subject = subjects.get(resource.id ?? '');
      if (subject !== undefined) subject.patient = resource as Patient;
    } else if (only !== undefined) only.rows.push(resource);
    else for (const patient of patients) subjects.get(patient.slice(patientPrefix))?.rows.push(resource);
  }
  return { subjects, others };
}

function stopIfGivenUp(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof PredictionError) throw signal.reason;
  const message = 'The own store had not answered when the request was given up. Try again with more time.';
  throw new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'timeout', message }] });
}
