import type { DicomJson } from '../dicom/dicom-json.ts';

/** The image servers of IMAGING_FILE, and no others. */
export interface ImageSources {
  /**
   * The server that an Endpoint names by its address, with or without `/studies` and a slash at the end; undefined where
   * IMAGING_FILE does not list it, and then it is never asked.
   */
  sourceFor(address: string): ImageSource | undefined;
  /** The one for studies without an Endpoint; undefined where IMAGING_FILE names none. */
  defaultSource(): ImageSource | undefined;
  /** All of them, in the order of IMAGING_FILE. */
  all(): readonly ImageSource[];
  /** Ends the connections. */
  close(): Promise<void>;
}

/** One DICOM object on a server. UIDs are those of DICOM, without `urn:oid:`. */
export interface ObjectAddress {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}

export interface FramesAsked extends ObjectAddress {
  /** Counted from 1, ascending, none twice (DW-11). */
  readonly frameNumbers: readonly number[];
  /**
   * stored: as the server keeps them, so that our decoder runs; where the server cannot give them so, or there is no decoder here
   * for them and the server has one, as explicit-le.
   * explicit-le: uncompressed, so that the server decodes.
   */
  readonly transferSyntax: 'stored' | 'explicit-le';
  /** A frame that is larger is read no further, as one that is larger than IMAGING_FILE allows; absent: that alone counts. */
  readonly mostBytes?: number;
}

export interface FetchedFrame {
  /** Its number, from 1. */
  readonly frame: number;
  /** What the server says that the bytes are, whatever was asked for. */
  readonly transferSyntaxUid: string;
  /** What the server was asked for when it answered: explicit-le also where it could not give what is stored. */
  readonly asked: FramesAsked['transferSyntax'];
  readonly bytes: Uint8Array;
}

/** What a server made of objects that were sent to it. */
export interface StoreOutcome {
  /** SOP Instance UIDs that are kept there. */
  readonly stored: readonly string[];
  /** `reason`: the FailureReason (0008,1197) of PS3.4 table GG.4-1 or of the server, where it gives one. */
  readonly refused: readonly { readonly sopInstanceUid: string; readonly reason?: number }[];
}

/**
 * One DICOMweb server (PS3.18). Nothing is kept: each call asks. Everything that ends otherwise than a complete answer to exactly what
 * was asked throws IMAGES_UNREACHABLE, in the middle of an iteration too; what was given until then must not be used.
 * A UID that is none throws a RangeError: they are checked where they are read. An aborted signal ends a call with IMAGES_UNREACHABLE
 * or with the PredictionError that is its reason.
 */
export interface ImageSource {
  /** Its name in IMAGING_FILE. */
  readonly name: string;
  /** Without `/studies` and a slash at the end. */
  readonly base: string;
  /**
   * The data sets of all objects of a study, one after the other, in any order; none where the server does not know it. Each is of that
   * study, and may lack values of bulk data: its BulkDataURI is absolute then (DW-10, DW-15).
   */
  studyMetadata(study: string, signal?: AbortSignal): AsyncIterable<DicomJson>;
  /** The same of one series. */
  seriesMetadata(study: string, series: string, signal?: AbortSignal): AsyncIterable<DicomJson>;
  /** What a search (QIDO-RS) finds of the objects of a study: their UIDs at least. For servers whose metadata are slow. */
  searchInstances(study: string, signal?: AbortSignal): AsyncIterable<DicomJson>;
  /** How many objects the server has of a study, 0 where it does not know it (DW-16). */
  countInstances(study: string, signal?: AbortSignal): Promise<number>;
  /** Each frame that was asked for, once and in the order of the numbers. */
  frames(asked: FramesAsked, signal?: AbortSignal): AsyncIterable<FetchedFrame>;
  /** A whole object as a DICOM file (PS3.10), in the syntax in which it is stored where the server can. */
  instance(address: ObjectAddress, signal?: AbortSignal): Promise<Uint8Array>;
  /** Resolves where the server answers a search for any one study. Nothing of the study is looked at. */
  check(signal?: AbortSignal): Promise<void>;
  /** The value of a BulkDataURI of this server. One that leads elsewhere throws IMAGES_UNREACHABLE unasked. */
  bulkData(uri: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Sends DICOM files (PS3.10) in one request (STOW-RS). */
  store(files: readonly Uint8Array[], signal?: AbortSignal): Promise<StoreOutcome>;
}
