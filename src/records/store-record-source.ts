import type { Patient, Resource } from '@medplum/fhirtypes';
import type { Database, Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ServerBases } from './local-reference.ts';
import type { RecordSource } from './record-source.ts';
import { endsAfter, windowStart } from './search-window.ts';

/** What a record source needs of the own store. */
export interface StoreReader {
  /** The current version, or undefined where there is none or it was deleted. */
  readCurrent(type: string, id: string): Promise<Resource | undefined>;
  /** Current resources of one type that belong to a patient, or of groups that have the patient as a member. */
  findResources(
    filter: {
      readonly type: string;
      readonly patient?: string;
      readonly member?: string;
      readonly codes?: readonly string[];
      readonly since?: Date;
    },
    pageSize: number,
  ): AsyncIterable<Resource[]>;
}

const pageSize = 500;

export interface StoreRecordSourceOptions extends ServerBases {
  readonly database: Pick<Database, 'query' | 'snapshot'>;
  /** The store on the database, or on one of its snapshots. */
  readonly openReader: (sql: Sql) => StoreReader;
}

/** Clinical data in the own store, read without a detour over HTTP. Its bases are the public ones. */
export function createStoreRecordSource({ database, openReader, ...bases }: StoreRecordSourceOptions): RecordSource {
  return {
    ...sourceOver(openReader(database), bases),
    snapshot: (work) => database.snapshot((sql) => work(sourceOver(openReader(sql), bases))),
  };
}

function sourceOver(store: StoreReader, bases: ServerBases): RecordSource {
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
  };
}

function stopIfGivenUp(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof PredictionError) throw signal.reason;
  const message = 'The own store had not answered when the request was given up. Try again with more time.';
  throw new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'timeout', message }] });
}
