import { PredictionError } from '../../platform/errors.ts';

/** One request to an image server, as an error message may name it: no UID, no query. */
export interface ImageRequest {
  /** The server's name in IMAGING_FILE. */
  readonly server: string;
  /** Its base. */
  readonly base: string;
  /** `retrieve metadata of a study` */
  readonly name: string;
}

/**
 * The error for every way in which an image server fails to give completely what was asked for. Says nothing of what the server sent.
 * @param happened what the server did, as the rest of a sentence that begins with the server
 * @param wayOut a sentence
 * @param code `timeout` where time ran out, `transient` for everything else
 */
export function imagesUnreachable(
  { server, base, name }: ImageRequest,
  happened: string,
  wayOut: string,
  { code = 'transient', cause }: { code?: 'timeout' | 'transient'; cause?: unknown } = {},
): PredictionError {
  const message = `The image server ${server} (${base}) ${happened} (${name}). ${wayOut}`;
  return new PredictionError('IMAGES_UNREACHABLE', message, { issues: [{ code, message }], cause });
}
