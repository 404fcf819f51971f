import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import { cellArray, keepStoredBits, valuesOf } from './cells.ts';
import type { StoredFrame } from './stored-frame.ts';

const headerLength = 64;

/**
 * Reads a frame of RLE Lossless (PS3.5 annex G): a segment for each byte of each sample, the most significant first.
 * Every segment must give exactly the bytes of its plane, and nothing but padding may follow its last run.
 * @throws ImageFault `image-damaged` where the header or a segment is other than that
 */
export function decodeRle({ form, bytes }: { form: PixelForm; bytes: Uint8Array }): StoredFrame['data'] {
  const cell = form.bitsAllocated / 8;
  if (!Number.isInteger(cell)) throw new ImageFault('image-unsupported', 'RLE of cells of 1 bit is not read');
  const segments = segmentsOf(bytes, form.samplesPerPixel * cell);
  const { rows, columns, samplesPerPixel } = form;
  const plane = new Uint8Array(rows * columns);
  const data = cellArray(form, valuesOf(form));
  segments.forEach((segment, index) => {
    unpack(segment, { plane, number: index + 1 });
    const sample = Math.floor(index / cell);
    const factor = 256 ** (cell - 1 - (index % cell));
    for (let pixel = 0; pixel < plane.length; pixel++) {
      const at = pixel * samplesPerPixel + sample;
      data[at] = (data[at] as number) + (plane[pixel] as number) * factor;
    }
  });
  keepStoredBits(data, form);
  return data;
}

/** The header: the number of segments and where each begins; those that are not used are 0 (PS3.5 G.5). */
function segmentsOf(bytes: Uint8Array, expected: number): Uint8Array[] {
  if (bytes.length < headerLength) throw new ImageFault('image-damaged', 'The RLE header is not whole');
  const words = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const count = words.getUint32(0, true);
  if (count !== expected)
    throw new ImageFault('image-damaged', `The RLE header states ${count} segments; the pixels need ${expected}`);
  const starts = Array.from({ length: 15 }, (_, index) => words.getUint32((index + 1) * 4, true));
  const used = starts.slice(0, count);
  const ordered = used.every((start, index) =>
    index === 0 ? start === headerLength : start > (used[index - 1] as number),
  );
  if (!ordered || (used.at(-1) as number) >= bytes.length || starts.slice(count).some((start) => start !== 0))
    throw new ImageFault('image-damaged', 'The RLE header states offsets that are not those of segments in order');
  return used.map((start, index) => bytes.subarray(start, used[index + 1] ?? bytes.length));
}

/** PackBits: 0 to 127, that many bytes and one follow; 129 to 255, one byte 257 minus that often; 128, nothing. */
function unpack(segment: Uint8Array, { plane, number }: { plane: Uint8Array; number: number }): void {
  let from = 0;
  let to = 0;
  while (to < plane.length) {
    const control = segment[from++];
    if (control === undefined) throw short(number, to, plane.length);
    if (control === 128) continue;
    const count = control < 128 ? control + 1 : 257 - control;
    const taken = control < 128 ? count : 1;
    if (from + taken > segment.length) throw short(number, to, plane.length);
    if (to + count > plane.length)
      throw new ImageFault('image-damaged', `RLE segment ${number} gives more than ${plane.length} bytes`);
    if (control < 128) plane.set(segment.subarray(from, from + count), to);
    else plane.fill(segment[from] as number, to, to + count);
    from += taken;
    to += count;
  }
  // Segments are padded to an even length with one zero; some writers end with a control byte that does nothing.
  if (segment.length - from > 1 || (segment[from] !== undefined && segment[from] !== 0 && segment[from] !== 128))
    throw new ImageFault('image-damaged', `RLE segment ${number} goes on after its ${plane.length} bytes`);
}

function short(number: number, found: number, needed: number): ImageFault {
  return new ImageFault('image-damaged', `RLE segment ${number} ends after ${found} of ${needed} bytes`);
}
