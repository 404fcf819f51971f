import { ImageFault } from '../image-fault.ts';
import type { Answer } from './ask-server.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import { joinPieces } from './join-pieces.ts';
import type { MediaType } from './media-type.ts';
import { multipartParts } from './multipart-parts.ts';

/** One payload of an answer. */
export interface Payload {
  readonly type: MediaType;
  /** Value of Content-Location, where it has one. */
  readonly location: string | undefined;
  readonly bytes: Uint8Array;
}

const checkServer = 'Check that its base in IMAGING_FILE leads to a DICOMweb server, and see its log.';

/**
 * The payloads of an answer with bulk data: the parts of a multipart one, or the only one (DW-11). There are exactly as many as
 * `expected`, none of them empty, each of a media type that `accepts`: anything else throws IMAGES_UNREACHABLE. One that is larger than
 * allowed is read no further and throws ImageFault.
 * @param mostBytes of one payload, where that is less than IMAGING_FILE allows
 */
export async function* retrieveParts(
  server: DicomwebServer,
  answer: Answer,
  expected: number,
  accepts: (essence: string) => boolean,
  mostBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Payload, void, void> {
  const broken = (happened: string) => imagesUnreachable(answer.asked, happened, checkServer);
  const { objectBytes: allowed } = server.limits;
  const objectBytes = Math.min(allowed, mostBytes);
  const whatAllows = mostBytes < allowed ? 'an image of its rows and columns has' : 'IMAGING_FILE allows';
  const tooLarge = () =>
    new ImageFault('image-too-large', `An image is larger than the ${objectBytes} bytes that ${whatAllows}.`);
  const { type, body } = answer;
  if (type?.essence === 'multipart/related') {
    const boundary = type.parameter('boundary');
    if (boundary === undefined || boundary === '' || boundary.length > 256) {
      answer.drop();
      throw broken('answered multipart without a boundary');
    }
    let count = 0;
    for await (const part of multipartParts(body, boundary, { partBytes: objectBytes, tooLarge, broken })) {
      count++;
      if (count > expected) throw broken('sent more parts than were asked for');
      yield judged({ ...part, type: part.type ?? innerType(type) });
    }
    if (count < expected) throw broken('sent fewer parts than were asked for');
    return;
  }
  if (type === undefined || !accepts(type.essence) || expected !== 1) {
    answer.drop();
    throw broken(`answered ${type?.essence ?? 'no media type'} where ${expected} parts were asked for`);
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > objectBytes) throw tooLarge();
    pieces.push(chunk);
  }
  yield judged({ type, location: undefined, bytes: await joinPieces(pieces, length) });

  function judged(payload: { [K in keyof Payload]: Payload[K] | undefined }): Payload {
    const { type: said, location, bytes } = payload;
    if (said === undefined || !accepts(said.essence)) {
      throw broken(`sent a part of ${said?.essence ?? 'no media type'}, which was not asked for`);
    }
    if (bytes === undefined || bytes.length === 0) throw broken('sent an empty part');
    return { type: said, location, bytes };
  }
}

/** A part without headers is what the multipart says that its parts are. */
function innerType(outer: MediaType): MediaType | undefined {
  const essence = outer.parameter('type')?.toLowerCase();
  return essence === undefined ? undefined : { essence, parameter: outer.parameter };
}
