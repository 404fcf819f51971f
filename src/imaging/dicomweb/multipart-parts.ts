import { joinPieces } from './join-pieces.ts';
import { type MediaType, parseMediaType } from './media-type.ts';

/** One part of a multipart body, byte for byte. */
export interface Part {
  readonly type: MediaType | undefined;
  readonly location: string | undefined;
  readonly bytes: Uint8Array;
}

export interface MultipartLimits {
  /** A larger part is not read to its end. */
  readonly partBytes: number;
  /** What is thrown then. */
  readonly tooLarge: () => Error;
  /** What is thrown where the body is not as RFC 2046 writes it; the rest of a sentence that begins with the server. */
  readonly broken: (happened: string) => Error;
}

/** Of the headers of a part, and of what stands before the first and after the last part. */
const maxAsideBytes = 16_384;
const maxPadding = 128;
const lineEnd = Buffer.from('\r\n');
const headersEnd = Buffer.from('\r\n\r\n');
const plainEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

/**
 * The parts of a multipart body as they come (RFC 2046, section 5.1.1); no more than one part, and one chunk, is held at a time. Ends only
 * where the body has its closing delimiter and ends.
 * @param boundary the parameter of the Content-Type, unquoted
 */
export async function* multipartParts(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<Part, void, void> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    yield* partsOf(chunks, Buffer.from(`\r\n--${boundary}`, 'latin1'), limits);
  } finally {
    await chunks.return?.(); // nobody reads on where a part is refused
  }
}

async function* partsOf(
  chunks: AsyncIterator<Uint8Array>,
  delimiter: Buffer,
  { partBytes, tooLarge, broken }: MultipartLimits,
): AsyncGenerator<Part, void, void> {
  // As if a line had ended before the body: the first delimiter may stand at its very beginning.
  let window: Buffer = lineEnd;

  const more = async (): Promise<void> => {
    const next = await chunks.next();
    if (next.done === true) throw broken('broke off in the middle of a multipart answer');
    window = Buffer.concat([window, next.value]);
  };

  /** What stands behind a delimiter that ends at `at`; undefined: it is none, but data that begin like one. */
  const behind = async (at: number): Promise<{ what: 'part' | 'end'; at: number } | undefined> => {
    while (window.length < at + 2) await more();
    if (window.toString('latin1', at, at + 2) === '--') return { what: 'end', at: at + 2 };
    let end = at;
    while (window[end] === 0x20 || window[end] === 0x09) {
      end++;
      if (end - at > maxPadding) return undefined;
      while (window.length < end + 2) await more();
    }
    return window.subarray(end, end + 2).equals(lineEnd) ? { what: 'part', at: end } : undefined;
  };

  /** Gives what stands before the next delimiter to `take`, and goes behind it. */
  const toDelimiter = async (take: (piece: Buffer) => void): Promise<'part' | 'end'> => {
    for (let from = 0; ; ) {
      const at = window.indexOf(delimiter, from);
      if (at === -1) {
        const certain = window.length - delimiter.length + 1;
        if (certain > 0) {
          take(window.subarray(0, certain));
          window = window.subarray(certain);
        }
        from = 0;
        await more();
        continue;
      }
      const found = await behind(at + delimiter.length);
      if (found === undefined) {
        from = at + 1;
        continue;
      }
      take(window.subarray(0, at));
      window = window.subarray(found.at);
      return found.what;
    }
  };

  /** The window begins with the end of the line of the delimiter. */
  const readHeaders = async (): Promise<ReadonlyMap<string, string>> => {
    for (;;) {
      const at = window.indexOf(headersEnd);
      if (at > maxAsideBytes || (at === -1 && window.length > maxAsideBytes)) {
        throw broken('sent a part with headers that are too long');
      }
      if (at === -1) {
        await more();
        continue;
      }
      const text = window.toString('latin1', Math.min(lineEnd.length, at), at);
      window = window.subarray(at + headersEnd.length);
      return headersOf(text);
    }
  };

  let before = 0;
  let what = await toDelimiter((piece) => {
    before += piece.length;
    if (before > maxAsideBytes) throw broken('sent a multipart answer that does not begin with a part');
  });
  while (what === 'part') {
    const headers = await readHeaders();
    const pieces: Buffer[] = [];
    let length = 0;
    what = await toDelimiter((piece) => {
      length += piece.length;
      if (length > partBytes) throw tooLarge();
      pieces.push(piece);
    });
    const announced = headers.get('content-length');
    if (announced !== undefined && announced !== String(length)) {
      throw broken('sent a part that is shorter or longer than it announced');
    }
    if (!plainEncodings.has(headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary')) {
      throw broken('sent a part in a transfer encoding that is not read here');
    }
    yield {
      type: parseMediaType(headers.get('content-type')),
      location: headers.get('content-location'),
      bytes: await joinPieces(pieces, length),
    };
  }
  for (let after = window.length; ; ) {
    const next = await chunks.next();
    if (next.done === true) return;
    after += next.value.length;
    if (after > maxAsideBytes) throw broken('sent more after its last part');
  }
}

/** By name in lower case; a line that begins with a blank goes on with the one before it. */
function headersOf(text: string): ReadonlyMap<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
    }),
  );
}
