import type { Dispatcher } from 'undici';

/** Where and how one image server is asked. */
export interface DicomwebServer {
  /** Its name in IMAGING_FILE. */
  readonly name: string;
  /** Bases without a slash at the end. */
  readonly wadoBase: string;
  readonly qidoBase: string;
  readonly stowBase: string;
  /** Connections to the one origin of a base. */
  readonly connectionsTo: (base: string) => Dispatcher;
  /** Value of the Authorization header, read anew for each request; undefined: none. Throws IMAGES_UNREACHABLE. */
  readonly authorization: () => Promise<string | undefined>;
  readonly limits: DicomwebLimits;
}

/** What one answer may take. */
export interface DicomwebLimits {
  /** That one request waits for the server, all waits added up, in milliseconds. */
  readonly timeoutMs: number;
  /** Of one frame, object or bulk value. */
  readonly objectBytes: number;
  /** Of the metadata of one study or series, and of what a search finds. */
  readonly metadataBytes: number;
}
