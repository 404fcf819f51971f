import { ImageFault } from '../../image-fault.ts';
import { type HuffmanTable, makeHuffmanTable } from './huffman-table.ts';

/** The frame header (T.81 B.2.2; T.87 C.2.2). */
export interface JpegFrame {
  /** The low byte of its marker: 0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7 JPEG-LS. */
  readonly marker: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly components: readonly JpegComponent[];
}

export interface JpegComponent {
  readonly id: number;
  /** Samples of a data unit in each direction, 1 to 4. */
  readonly across: number;
  readonly down: number;
  readonly quantization: number;
}

/** One scan: its header and its entropy-coded bytes with the tables that hold there. */
export interface JpegScan {
  readonly components: readonly { readonly index: number; readonly dc?: HuffmanTable; readonly ac?: HuffmanTable }[];
  /** Of a lossless scan the predictor, of JPEG-LS the largest error, else 0. */
  readonly first: number;
  /** Of JPEG-LS the interleaving, else the last coefficient. */
  readonly last: number;
  /** The point transform of a lossless scan. */
  readonly shift: number;
  /** MCUs between restart markers; 0 where there are none. */
  readonly restartInterval: number;
  /** Bytes between restart markers, as they lie. */
  readonly intervals: readonly Uint8Array[];
  /** Steps of the quantization tables that hold there, in zig-zag order. */
  readonly quantization: ReadonlyMap<number, Uint16Array>;
}

export interface JpegStream {
  readonly frame: JpegFrame;
  readonly scans: readonly JpegScan[];
  /** Where the colours are told: 0 no transform (RGB), 1 YCbCr (T.872 6.5.3). */
  readonly adobeTransform?: number;
  /** A JFIF header says that three components are YCbCr. */
  readonly jfif: boolean;
  /** Where its segments APP0 and APP14 lie, fill bytes and marker included: those that tell of colours. */
  readonly colourSegments: readonly (readonly [from: number, to: number])[];
}

const startOfImage = 0xd8;
const endOfImage = 0xd9;
const startOfScan = 0xda;

/**
 * Reads a JPEG stream (T.81 annex B, T.87 annex C) from its first marker to its last: every segment whole, a single
 * frame, an end marker, and behind it nothing but padding.
 * @throws ImageFault `image-damaged` where it is other than that
 */
export function readJpegStream(bytes: Uint8Array): JpegStream {
  const dc = new Map<number, HuffmanTable>();
  const ac = new Map<number, HuffmanTable>();
  const quantization = new Map<number, Uint16Array>();
  const scans: JpegScan[] = [];
  let frame: JpegFrame | undefined;
  let restartInterval = 0;
  let adobeTransform: number | undefined;
  let jfif = false;
  const colourSegments: [from: number, to: number][] = [];
  if (bytes[0] !== 0xff || bytes[1] !== startOfImage) throw damaged('does not begin with SOI');
  let at = 2;
  for (;;) {
    const from = at;
    const marker = markerAt(bytes, from);
    at = marker.end;
    if (marker.code === endOfImage) break;
    const segment = segmentAt(bytes, { at, marker: marker.code });
    at += segment.length + 2;
    if (marker.code === 0xe0 || marker.code === 0xee) colourSegments.push([from, at]);
    if (marker.code === 0xc4) readHuffmanTables(segment, { dc, ac });
    else if (marker.code === 0xdb) readQuantization(segment, quantization);
    else if (marker.code === 0xdd) restartInterval = readRestartInterval(segment);
    else if (marker.code === 0xe0) jfif ||= ascii(segment, 5) === 'JFIF\0';
    else if (marker.code === 0xee && ascii(segment, 5) === 'Adobe') adobeTransform = segment[11];
    else if (isFrame(marker.code)) {
      if (frame !== undefined) throw damaged('has two frame headers');
      frame = readFrame(marker.code, segment);
    } else if (marker.code === startOfScan) {
      if (frame === undefined) throw damaged('has a scan before its frame header');
      const data = entropyCoded(bytes, { at, longForm: frame.marker === 0xf7 });
      at = data.end;
      const header = readScan(segment, { frame, dc, ac });
      scans.push({ ...header, restartInterval, intervals: data.intervals, quantization: new Map(quantization) });
    } else if (!isIgnored(marker.code))
      throw damaged(`holds the marker ${marker.code.toString(16)}, which has no place there`);
  }
  if (bytes.subarray(at).some((byte) => byte !== 0 && byte !== 0xff)) throw damaged('goes on after its end marker');
  if (frame === undefined || scans.length === 0) throw damaged('has no frame or no scan');
  return { frame, scans, adobeTransform, jfif, colourSegments };
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG stream ${what}`);
}

/** A marker may have any number of fill bytes before it (T.81 B.1.1.2). */
function markerAt(bytes: Uint8Array, from: number): { code: number; end: number } {
  if (bytes[from] !== 0xff)
    throw damaged(from >= bytes.length ? 'ends before its end marker' : 'has no marker where one must be');
  let at = from + 1;
  while (bytes[at] === 0xff) at++;
  const code = bytes[at];
  if (code === undefined || code === 0) throw damaged('ends before its end marker');
  return { code, end: at + 1 };
}

function segmentAt(bytes: Uint8Array, { at, marker }: { at: number; marker: number }): Uint8Array {
  const length = word(bytes, at);
  if (Number.isNaN(length) || length < 2 || at + length > bytes.length)
    throw damaged(`has a segment of marker ${marker.toString(16)} that is not whole`);
  return bytes.subarray(at + 2, at + length);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? Number.NaN) * 256 + (bytes[at + 1] ?? Number.NaN);
}

/** SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS. */
function isFrame(code: number): boolean {
  return (code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code)) || code === 0xf7;
}

/** Application data, comments, and the parameters of JPEG-LS. */
function isIgnored(code: number): boolean {
  return (code >= 0xe0 && code <= 0xef) || code === 0xfe || code === 0xf8;
}

function ascii(segment: Uint8Array, length: number): string {
  return String.fromCharCode(...segment.subarray(0, length));
}

function readRestartInterval(segment: Uint8Array): number {
  if (segment.length !== 2) throw damaged('has a restart interval of another length');
  return word(segment, 0);
}

function readHuffmanTables(
  segment: Uint8Array,
  { dc, ac }: { dc: Map<number, HuffmanTable>; ac: Map<number, HuffmanTable> },
): void {
  let at = 0;
  while (at < segment.length) {
    const selector = segment[at] as number;
    const counts = segment.subarray(at + 1, at + 17);
    const codes = counts.reduce((sum, count) => sum + count, 0);
    const symbols = segment.subarray(at + 17, at + 17 + codes);
    if (counts.length !== 16 || symbols.length !== codes || (selector & 0xe0) !== 0 || (selector & 0x0f) > 3)
      throw damaged('has a Huffman table that is not whole');
    (selector >> 4 === 0 ? dc : ac).set(selector & 0x0f, makeHuffmanTable(counts, symbols));
    at += 17 + codes;
  }
}

function readQuantization(segment: Uint8Array, tables: Map<number, Uint16Array>): void {
  let at = 0;
  while (at < segment.length) {
    const selector = segment[at++] as number;
    const size = selector >> 4 === 0 ? 1 : 2;
    if (selector >> 4 > 1 || (selector & 0x0f) > 3 || at + 64 * size > segment.length)
      throw damaged('has a quantization table that is not whole');
    const from = at;
    const steps = Uint16Array.from({ length: 64 }, (_, index) =>
      size === 1 ? (segment[from + index] as number) : word(segment, from + 2 * index),
    );
    if (steps.includes(0)) throw damaged('has a quantization step of 0');
    tables.set(selector & 0x0f, steps);
    at += 64 * size;
  }
}

function readFrame(marker: number, segment: Uint8Array): JpegFrame {
  const count = segment[5] ?? 0;
  if (segment.length !== 6 + 3 * count || count === 0) throw damaged('has a frame header of another length');
  const components = Array.from({ length: count }, (_, index) => {
    const at = 6 + 3 * index;
    const sampling = segment[at + 1] as number;
    const component = { id: segment[at] as number, across: sampling >> 4, down: sampling & 15 };
    if ([component.across, component.down].some((each) => each < 1 || each > 4))
      throw damaged('has an impossible sampling');
    return { ...component, quantization: segment[at + 2] as number };
  });
  return { marker, precision: segment[0] as number, rows: word(segment, 1), columns: word(segment, 3), components };
}

function readScan(
  segment: Uint8Array,
  { frame, dc, ac }: { frame: JpegFrame; dc: Map<number, HuffmanTable>; ac: Map<number, HuffmanTable> },
): Pick<JpegScan, 'components' | 'first' | 'last' | 'shift'> {
  const count = segment[0] ?? 0;
  if (count < 1 || count > 4 || segment.length !== 4 + 2 * count) throw damaged('has a scan header of another length');
  const components = Array.from({ length: count }, (_, order) => {
    const index = frame.components.findIndex(({ id }) => id === segment[1 + 2 * order]);
    if (index < 0) throw damaged('has a scan of a component that its frame header does not name');
    const selector = segment[2 + 2 * order] as number;
    return { index, dc: dc.get(selector >> 4), ac: ac.get(selector & 15) };
  });
  const [first, last, approximation] = segment.subarray(1 + 2 * count) as unknown as [number, number, number];
  return { components, first, last, shift: approximation & 15 };
}

/**
 * The bytes of a scan up to the next marker, cut at its restart markers, which count from 0 to 7 (T.81 B.1.1.5).
 * A byte of FF stands for itself where a zero follows, in JPEG-LS where a zero bit follows (T.87 A.1).
 */
function entropyCoded(
  bytes: Uint8Array,
  { at, longForm }: { at: number; longForm: boolean },
): { intervals: Uint8Array[]; end: number } {
  const intervals: Uint8Array[] = [];
  let from = at;
  for (let end = at; ; end++) {
    end = bytes.indexOf(0xff, end);
    if (end < 0 || end + 1 >= bytes.length) throw damaged('ends inside its last scan');
    const next = bytes[end + 1] as number;
    if (longForm ? next < 0x80 : next === 0) continue;
    const restart = next >= 0xd0 && next <= 0xd7;
    if (next === 0xff) {
      // Fill bytes: the marker behind them decides.
      const marker = markerAt(bytes, end);
      if (marker.code >= 0xd0 && marker.code <= 0xd7) continue;
    }
    intervals.push(bytes.subarray(from, end));
    if (!restart) return { intervals, end };
    if (next - 0xd0 !== (intervals.length - 1) % 8) throw damaged('has restart markers out of order');
    from = end + 2;
    end++;
  }
}
