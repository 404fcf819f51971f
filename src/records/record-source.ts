import type { Patient, Resource } from '@medplum/fhirtypes';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import type { ServerBases } from './local-reference.ts';

/**
 * Where clinical data are read from: the own store, or a FHIR server over HTTP. One contract suite tests both. Its base
 * is part of every subject's identity.
 */
export interface RecordSource extends ServerBases {
  /** True for the own store: references to its resources stay relative. */
  readonly own: boolean;
  /**
   * The patient, or undefined where the source answers that there is none (404, 410).
   * Throws RECORD_UNREACHABLE for everything else.
   */
  readPatient(id: string, signal?: AbortSignal): Promise<Patient | undefined>;
  /**
   * Reads one resource by type and id, or undefined where there is none. Throws RECORD_UNREACHABLE otherwise.
   */
  read(type: string, id: string, signal?: AbortSignal): Promise<Resource | undefined>;
  /**
   * Every match of one query, perhaps with further resources of the type, page by page, each with id and, where the
   * source knows it, meta.versionId; a resource that changes meanwhile may come in both versions.
   * The iteration ends only when the search was complete; anything else throws RECORD_UNREACHABLE.
   * Matches only: OperationOutcomes inside the Bundle with severity error or fatal make the search incomplete.
   */
  search(query: RecordQuery, subjectId: string, signal?: AbortSignal): AsyncIterable<Resource[]>;
  /**
   * Runs `work` on a source that shows one state of the data, whatever is written meanwhile. Absent where the source
   * cannot do that: FHIR over HTTP has no such thing.
   */
  snapshot?<T>(work: (source: RecordSource) => Promise<T>): Promise<T>;
}
