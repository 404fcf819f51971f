import { transferSyntax } from '../pixels/transfer-syntaxes.ts';
import { type Answer, askServer } from './ask-server.ts';
import { isDicomUid } from './dicom-uid.ts';
import type { DicomwebServer } from './dicomweb-server.ts';
import type { FetchedFrame, FramesAsked } from './image-sources.ts';
import { imagesUnreachable } from './images-unreachable.ts';
import type { MediaType } from './media-type.ts';
import { retrieveParts } from './retrieve-parts.ts';

/** Frames in one request: their numbers stand in its path. */
const framesAtOnce = 50;
const explicitLittleEndian = '1.2.840.10008.1.2.1';
/** What a media type is where it names no transfer syntax (PS3.18, tables 8.7.3-2 and 8.7.3-4). */
const usualSyntaxes: ReadonlyMap<string, string> = new Map([
  ['application/octet-stream', explicitLittleEndian],
  ['image/dicom-rle', '1.2.840.10008.1.2.5'],
  ['image/jls', '1.2.840.10008.1.2.4.80'],
  ['image/jp2', '1.2.840.10008.1.2.4.90'],
  ['image/jpx', '1.2.840.10008.1.2.4.92'],
  ['image/jphc', '1.2.840.10008.1.2.4.201'],
]);
/** With what servers say that they cannot give frames as they are stored; Orthanc 1.10 fails (500) on some syntaxes. */
const cannot: readonly number[] = [400, 406, 415, 500, 501];
const seeServer = 'See its log, and which forms of these images it can send.';

/**
 * Retrieves frames of one object (PS3.18, section 10.4; DW-11). Each is what the server says that it is, whatever was asked for (DW-14).
 * Throws as `ImageSource.frames`; ImageFault where one is larger than allowed.
 */
export async function* retrieveFrames(
  server: DicomwebServer,
  asked: FramesAsked,
  signal?: AbortSignal,
): AsyncGenerator<FetchedFrame, void, void> {
  let wanted: Wanted = asked.transferSyntax === 'stored' ? 'stored-or-decoded' : 'explicit-le';
  for (let from = 0; from < asked.frameNumbers.length; from += framesAtOnce) {
    const numbers = asked.frameNumbers.slice(from, from + framesAtOnce);
    const framesAs: FramesAs = async (form, statuses) => {
      const answer = await askFor(server, asked, numbers, { form, statuses }, signal);
      if (answer.status === 200) return framesOf(server, answer, { numbers, form, mostBytes: asked.mostBytes });
      answer.drop();
      return undefined;
    };
    const given = await framesBy(framesAs, wanted);
    wanted = given.wanted;
    yield* given.frames;
  }
}

/** `stored-or-decoded`: stored, where there is a decoder here for that; `stored`: the server does not decode it either. */
type Wanted = 'stored-or-decoded' | 'stored' | 'explicit-le';
type Frames = AsyncGenerator<FetchedFrame, void, void>;
/** Asks for frames in a form; undefined where the server answers with another one of the statuses than 200. */
type FramesAs = (form: FramesAsked['transferSyntax'], statuses: readonly number[]) => Promise<Frames | undefined>;

/** Frames in the form that can be had, and what is to be wanted of the frames after them. */
async function framesBy(framesAs: FramesAs, wanted: Wanted): Promise<{ frames: Frames; wanted: Wanted }> {
  if (wanted !== 'explicit-le') {
    const stored = await framesAs('stored', [200, ...cannot]);
    if (stored === undefined) return await framesBy(framesAs, 'explicit-le');
    if (wanted === 'stored') return { frames: stored, wanted };
    const next = await stored.next();
    const first = next.done === true ? undefined : next.value;
    if (first === undefined || transferSyntax(first.transferSyntaxUid) !== undefined) {
      return { frames: resumed(first, stored), wanted };
    }
    await stored.return();
    const decoded = await framesAs('explicit-le', [200, ...cannot]);
    if (decoded === undefined) return await framesBy(framesAs, 'stored');
    return { frames: decoded, wanted: 'explicit-le' };
  }
  const frames = await framesAs('explicit-le', [200]);
  if (frames === undefined) throw new Error('200 is the only status that is an answer');
  return { frames, wanted };
}

async function* resumed(first: FetchedFrame | undefined, rest: Frames): Frames {
  try {
    if (first !== undefined) yield first;
    yield* rest;
  } finally {
    await rest.return(); // whoever stops at the first has the connection ended
  }
}

async function askFor(
  server: DicomwebServer,
  { study, series, instance }: FramesAsked,
  numbers: readonly number[],
  { form, statuses }: { readonly form: FramesAsked['transferSyntax']; readonly statuses: readonly number[] },
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const syntax = form === 'stored' ? '*' : explicitLittleEndian;
  return await askServer(
    server,
    {
      name: form === 'stored' ? 'retrieve frames as they are stored' : 'retrieve frames uncompressed',
      method: 'GET',
      base: server.wadoBase,
      path: `/studies/${study}/series/${series}/instances/${instance}/frames/${numbers.join(',')}`,
      accept: `multipart/related; type="application/octet-stream"; transfer-syntax=${syntax}`,
      statuses,
    },
    signal,
  );
}

interface AskedNow {
  readonly numbers: readonly number[];
  readonly form: FramesAsked['transferSyntax'];
  readonly mostBytes: number | undefined;
}

async function* framesOf(server: DicomwebServer, answer: Answer, { numbers, form, mostBytes }: AskedNow): Frames {
  let index = 0;
  for await (const { type, location, bytes } of retrieveParts(server, answer, numbers.length, isPixels, mostBytes)) {
    const frame = numbers[index++] as number;
    const named = /\/frames\/(\d+)\/?$/.exec(location ?? '')?.[1];
    if (named !== undefined && Number(named) !== frame) {
      throw imagesUnreachable(answer.asked, 'sent another frame than the one that was asked for', seeServer);
    }
    const transferSyntaxUid = syntaxOf(type, answer.type);
    if (transferSyntaxUid === undefined) {
      throw imagesUnreachable(answer.asked, 'does not say in which transfer syntax a frame is', seeServer);
    }
    yield { frame, transferSyntaxUid, asked: form, bytes };
  }
}

/** The part says it, else the whole, else the media type does. What is said and is no UID is not replaced by anything. */
function syntaxOf(part: MediaType, whole: MediaType | undefined): string | undefined {
  const said = part.parameter('transfer-syntax') ?? whole?.parameter('transfer-syntax');
  if (said === undefined) return usualSyntaxes.get(part.essence);
  return isDicomUid(said) ? said : undefined;
}

function isPixels(essence: string): boolean {
  return essence === 'application/octet-stream' || essence.startsWith('image/');
}
