import type { Patient, Resource } from '@medplum/fhirtypes';
import type { RecordQuery } from '../model-catalog/record-queries.ts';
import type { ServerBases } from './local-reference.ts';

/** What is to be read at once. */
export interface WantedRecords {
  /** Logical ids of Patients. */
  readonly subjects: readonly string[];
  /** False where the Patients themselves are at hand already; a source may give them all the same. */
  readonly patients?: false;
  /** Asked about each subject. */
  readonly queries: readonly RecordQuery[];
  /** Further single resources, as `Type/id`; the Medications that orders and the Endpoints that imaging studies refer to come by themselves. */
  readonly also: readonly string[];
}

/** What was read of one subject. */
export interface ReadRecord {
  /** Absent where there is none. */
  readonly patient?: Patient;
  /** Every match of every query. */
  readonly rows: readonly Resource[];
}

/** The answer to WantedRecords. */
export interface ReadRecords {
  /** Has an entry for every subject that was asked for. */
  readonly subjects: ReadonlyMap<string, ReadRecord>;
  /** Medications, Endpoints and what else was wanted, by `Type/id`, as far as there is one. */
  readonly others: ReadonlyMap<string, Resource>;
}

/** Reads records whole. */
export interface RecordReader extends ServerBases {
  /** True for the own store: references to its resources stay relative. */
  readonly own: boolean;
  /** True where only the caller of this prediction holds the resources: no reference leads to them. */
  readonly heldByCaller?: boolean;
  /**
   * The records of many subjects at once; where the source can show one state of its data, all of that state.
   * Throws RECORD_UNREACHABLE.
   */
  readMany(wanted: WantedRecords, signal?: AbortSignal): Promise<ReadRecords>;
}

/** A search of which the caller of a prediction holds the first page. */
export interface BegunSearch {
  readonly rows: readonly Resource[];
  /** Every match of the page by its id, also one that the query leaves out. */
  readonly ids: ReadonlySet<string>;
  /** How many matches the page says there are. */
  readonly total?: number;
  /** Where the next page is, in the words of the caller. */
  readonly next: string;
}

/**
 * Where clinical data are read from: the own store, or a FHIR server over HTTP. One contract suite tests both. Its base
 * is part of every subject's identity.
 */
export interface RecordSource extends ServerBases {
  readonly heldByCaller?: never;
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
   * What is on the further pages of a search, as `search`. Throws RECORD_UNREACHABLE also where `next` leads away from the
   * source. Absent where nobody can hold a page of it.
   */
  searchOn?(begun: BegunSearch, query: RecordQuery, signal?: AbortSignal): AsyncIterable<Resource[]>;
  /** See RecordReader. Absent where one state cannot be shown: FHIR over HTTP has no such thing. */
  readMany?(wanted: WantedRecords, signal?: AbortSignal): Promise<ReadRecords>;
}
