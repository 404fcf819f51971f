export interface JsonLimits {
  /** Of the whole body. */
  readonly bytes: number;
  /** What is thrown where it is longer. */
  readonly tooLarge: () => Error;
  /** What is thrown where the body is no array of objects; the rest of a sentence that begins with the server. */
  readonly broken: (happened: string) => Error;
}

type JsonObject = Readonly<Record<string, unknown>>;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const opens: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closes: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The objects of a JSON array as they come, each parsed by itself: the metadata of a study of thousands of slices are tens of megabytes, which nobody
 * holds as one and which do not stop the event loop. Ends only where the array is closed and nothing follows; an empty body has none.
 */
export async function* jsonObjects(
  body: AsyncIterable<Uint8Array>,
  { bytes: maxBytes, tooLarge, broken }: JsonLimits,
): AsyncGenerator<JsonObject, void, void> {
  let total = 0;
  let depth = 0;
  let inText = false;
  let escaped = false;
  let began = false;
  /** A comma or the beginning has gone before: an object may follow. */
  let expected = true;
  let objects = 0;
  let pieces: Uint8Array[] = [];
  for await (const chunk of body) {
    total += chunk.length;
    if (total > maxBytes) throw tooLarge();
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
        continue;
      }
      if (depth === 1) {
        if (byte === 0x7b && expected) {
          start = at;
          depth = 2;
          expected = false;
        } else if (byte === 0x5d && (!expected || objects === 0)) {
          depth = 0;
        } else if (byte === comma && !expected && objects > 0) {
          expected = true;
        } else if (!blanks.has(byte)) {
          throw broken('answered JSON that is no array of objects');
        }
        continue;
      }
      if (depth === 0) {
        if (byte === 0x5b && !began) {
          began = true;
          depth = 1;
        } else if (!blanks.has(byte)) throw broken('answered JSON that is no array of objects');
        continue;
      }
      if (byte === quote) inText = true;
      else if (opens.has(byte)) depth++;
      else if (closes.has(byte)) {
        depth--;
        if (depth > 1) continue;
        pieces.push(chunk.subarray(start, at + 1));
        objects++;
        yield parsed(pieces, broken);
        pieces = [];
      }
    }
    if (depth > 1) pieces.push(chunk.subarray(start));
  }
  if (total > 0 && (!began || depth > 0)) throw broken('answered JSON that breaks off');
}

function parsed(pieces: readonly Uint8Array[], broken: JsonLimits['broken']): JsonObject {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    throw broken('answered JSON that is broken'); // the parser's own message quotes the body, which may name the patient
  }
}
