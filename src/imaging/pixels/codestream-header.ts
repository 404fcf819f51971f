import { ImageFault } from '../image-fault.ts';
import type { CodestreamParts } from './jpeg-2000/check-codestream.ts';
import type { StreamForm } from './require-same-form.ts';

/** The main header of a JPEG 2000 codestream (T.800 annex A), and that its tile-parts are whole. */
export interface CodestreamHeader extends StreamForm {
  /** The components are decorrelated: the decoder gives RGB. */
  readonly colourTransform: boolean;
  /** The wavelet is the one without loss. */
  readonly reversible: boolean;
  /** Blocks are coded as T.814 says. */
  readonly highThroughput: boolean;
  readonly parts: CodestreamParts;
}

const marker = { soc: 0xff4f, cap: 0xff50, siz: 0xff51, cod: 0xff52, sot: 0xff90, sod: 0xff93, eoc: 0xffd9 } as const;

/** What makes components or packets of a tile differ from the others: COC, POC, PPM, PPT; nobody has seen it in DICOM. */
const exceptional = [0xff53, 0xff5f, 0xff60, 0xff61];

/**
 * Reads the main header, and walks from tile-part to tile-part to the end marker: they must lie one behind the other and
 * be there for every tile, and nothing but padding may follow.
 * @throws ImageFault `image-damaged` where it is not so, `image-unsupported` where components differ in size or depth
 */
export function readCodestreamHeader(bytes: Uint8Array): CodestreamHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number): number => (at + 2 <= bytes.length ? view.getUint16(at) : Number.NaN);
  const long = (at: number): number => (at + 4 <= bytes.length ? view.getUint32(at) : Number.NaN);
  if (word(0) !== marker.soc || word(2) !== marker.siz)
    throw new ImageFault(
      word(4) === 0x6a50 ? 'image-unsupported' : 'image-damaged',
      'The JPEG 2000 codestream does not begin with SOC and SIZ',
    );
  const size = sizeOf({ bytes, word, long });
  let at = 2;
  let coding: number | undefined;
  let highThroughput = false;
  while (word(at) !== marker.sot) {
    const length = word(at + 2);
    if (!(word(at) >= 0xff50) || !(length >= 2)) throw damaged('has no tile behind its main header');
    refuseExceptional(word(at));
    if (word(at) === marker.cod) coding = at;
    if (word(at) === marker.cap) highThroughput = true;
    at += 2 + length;
  }
  if (coding === undefined) throw damaged('lacks the segment COD');
  const tiles = readTileParts({ bytes, word, long }, { from: at, tiles: size.tiles });
  const transform = bytes[coding + 8];
  const wavelet = bytes[coding + 13];
  if (transform === undefined || transform > 1 || wavelet === undefined || wavelet > 1)
    throw damaged('has a segment COD that is not whole');
  const parts = {
    ...size.geometry,
    components: size.form.components,
    coding: bytes.subarray(coding + 4, coding + 2 + word(coding + 2)),
    tiles,
  };
  return { ...size.form, colourTransform: transform === 1, reversible: wavelet === 1, highThroughput, parts };
}

interface Words {
  readonly bytes: Uint8Array;
  readonly word: (at: number) => number;
  readonly long: (at: number) => number;
}

/** SIZ (T.800 A.5.1). */
function sizeOf({ bytes, word, long }: Words): {
  form: StreamForm;
  tiles: number;
  geometry: Pick<CodestreamParts, 'image' | 'tileSize'>;
} {
  const [right, bottom, left, top] = [long(8), long(12), long(16), long(20)];
  const [tileAcross, tileDown, tileLeft, tileTop] = [long(24), long(28), long(32), long(36)];
  const components = word(40);
  if (word(4) !== 38 + 3 * components || bytes.length < 42 + 3 * components)
    throw damaged('has a segment SIZ that is not whole');
  const depth = bytes[42] as number;
  for (let index = 0; index < components; index++) {
    const own = bytes.subarray(42 + 3 * index, 45 + 3 * index);
    if (own[0] !== depth || own[1] !== 1 || own[2] !== 1)
      throw new ImageFault('image-unsupported', 'The JPEG 2000 codestream has components of different size or depth');
  }
  if (!(right > left && bottom > top && tileAcross > 0 && tileDown > 0 && tileLeft <= left && tileTop <= top))
    throw damaged('has a segment SIZ of an impossible size');
  return {
    form: {
      rows: bottom - top,
      columns: right - left,
      components,
      precision: (depth & 0x7f) + 1,
      signed: depth >= 0x80,
    },
    tiles: Math.ceil((right - tileLeft) / tileAcross) * Math.ceil((bottom - tileTop) / tileDown),
    geometry: {
      image: { left, top, right, bottom },
      tileSize: { across: tileAcross, down: tileDown, left: tileLeft, top: tileTop },
    },
  };
}

/**
 * SOT (T.800 A.4.2): each states its length; 0 of the last one means all up to the end marker.
 * @returns the bodies of each tile's parts, one behind the other
 */
function readTileParts(
  { bytes, word, long }: Words,
  { from, tiles }: { from: number; tiles: number },
): ReadonlyMap<number, Uint8Array> {
  const parts = new Map<number, { found: number; stated: number; bodies: Uint8Array[] }>();
  let at = from;
  while (word(at) === marker.sot) {
    const [tile, stated, part, count] = [word(at + 4), long(at + 6), bytes[at + 10], bytes[at + 11]];
    if (word(at + 2) !== 10 || count === undefined || !(tile < tiles))
      throw damaged('has a tile-part that is not whole');
    const so = parts.get(tile) ?? { found: 0, stated: 0, bodies: [] };
    if (part !== so.found) throw damaged('has tile-parts out of order');
    const length = stated === 0 ? lastMarker(bytes) - at : stated;
    if (!(length >= 14) || at + length > bytes.length) throw damaged('has a tile-part that is not whole');
    const body = bodyFrom(at + 12, { word, end: at + length });
    so.bodies.push(bytes.subarray(body, at + length));
    parts.set(tile, { found: so.found + 1, stated: count === 0 ? so.stated : count, bodies: so.bodies });
    at += length;
  }
  if (word(at) !== marker.eoc) throw damaged('does not end with EOC behind its last tile-part');
  if (bytes.subarray(at + 2).some((byte) => byte !== 0 && byte !== 0xff)) throw damaged('goes on after its end marker');
  const whole = [...parts.values()].every(({ found, stated }) => stated === 0 || found === stated);
  if (parts.size !== tiles || !whole) throw damaged(`has ${parts.size} whole tiles of ${tiles}`);
  return new Map([...parts].map(([tile, { bodies }]) => [tile, new Uint8Array(Buffer.concat(bodies))]));
}

/** Where the body of a tile-part begins: behind its own segments and SOD. */
function bodyFrom(from: number, { word, end }: { word: Words['word']; end: number }): number {
  let at = from;
  while (word(at) !== marker.sod) {
    const length = word(at + 2);
    if (!(word(at) >= 0xff50) || !(length >= 2) || at + length > end)
      throw damaged('has a tile-part that is not whole');
    refuseExceptional(word(at));
    if (word(at) === marker.cod) refuseExceptional(exceptional[0] as number);
    at += 2 + length;
  }
  return at + 2;
}

function refuseExceptional(found: number): void {
  if (exceptional.includes(found))
    throw new ImageFault(
      'image-unsupported',
      `The JPEG 2000 codestream has the segment ${found.toString(16)}, which is not read`,
    );
}

/** Where the end marker lies, behind which there may be padding. */
function lastMarker(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 2 && !(bytes[end - 2] === 0xff && bytes[end - 1] === 0xd9)) end--;
  return end - 2;
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG 2000 codestream ${what}`);
}
