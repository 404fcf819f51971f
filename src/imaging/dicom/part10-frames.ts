import type { DataSet, Element } from 'dicom-parser';
import { ImageFault } from '../image-fault.ts';
import type { PixelForm } from './pixel-form.ts';

/**
 * The frames of a file's pixel data that is not compressed, each beginning with its first byte.
 * @param swapped words are big-endian, though samples are of 8 bits or less: each two bytes change places
 * @throws ImageFault `image-damaged` where there are not exactly as many bytes as the frames have
 */
export function nativeFrames(dataSet: DataSet, { form, swapped }: { form: PixelForm; swapped: boolean }): Uint8Array[] {
  const pixels = pixelsOf(dataSet);
  if (pixels.encapsulatedPixelData || pixels.hadUndefinedLength)
    throw new ImageFault('image-damaged', 'The pixel data is encapsulated, its transfer syntax is not');
  const stored = dataSet.byteArray.subarray(pixels.dataOffset, pixels.dataOffset + pixels.length);
  const samples = form.photometricInterpretation === 'YBR_FULL_422' ? 2 : form.samplesPerPixel;
  const frameBits = form.rows * form.columns * samples * form.bitsAllocated;
  const needed = Math.ceil((frameBits * form.frames) / 8);
  if (stored.length !== pixels.length || stored.length < needed || stored.length > needed + 1)
    throw new ImageFault(
      'image-damaged',
      `The pixel data has ${stored.length} bytes; ${form.frames} frames need ${needed}`,
    );
  const bytes = swapped ? Uint8Array.from(stored, (_, at) => stored[at ^ 1] ?? 0) : stored;
  if (frameBits % 8 !== 0)
    return Array.from({ length: form.frames }, (_, index) =>
      bitsFrom(bytes, { from: index * frameBits, count: frameBits }),
    );
  return Array.from({ length: form.frames }, (_, index) =>
    bytes.subarray((index * frameBits) / 8, ((index + 1) * frameBits) / 8),
  );
}

/** Frames of 1 bit follow each other without a gap, so most begin inside a byte (PS3.5 8.1.1). */
function bitsFrom(bytes: Uint8Array, { from, count }: { from: number; count: number }): Uint8Array {
  const found = new Uint8Array(Math.ceil(count / 8));
  for (let bit = 0; bit < count; bit++) {
    const at = from + bit;
    const value = ((bytes[at >> 3] as number) >> (at & 7)) & 1;
    found[bit >> 3] = (found[bit >> 3] as number) | (value << (bit & 7));
  }
  return found;
}

/**
 * The frames of encapsulated pixel data (PS3.5 A.4): a fragment each, or as many as the basic offset table or the end
 * markers of JPEG say.
 * @throws ImageFault `image-damaged` where the fragments are not whole or do not make as many frames as stated
 */
export function encapsulatedFrames(dataSet: DataSet, { form, jpeg }: { form: PixelForm; jpeg: boolean }): Uint8Array[] {
  const pixels = pixelsOf(dataSet);
  const { byteArray } = dataSet;
  const { fragments, basicOffsetTable, encapsulatedPixelData } = pixels;
  if (!encapsulatedPixelData || fragments === undefined || fragments.length === 0)
    throw new ImageFault('image-damaged', 'The transfer syntax is compressed, the pixel data is not encapsulated');
  requireDelimiter(dataSet, pixels);
  const parts = fragments.map(({ position, length, offset }) => {
    if (position + length > byteArray.length) throw new ImageFault('image-damaged', 'A fragment is not whole');
    return { offset, bytes: byteArray.subarray(position, position + length) };
  });
  const starts = startsOf(parts, { frames: form.frames, offsets: basicOffsetTable ?? [], jpeg });
  if (starts.length !== form.frames || starts[0] !== 0)
    throw new ImageFault(
      'image-damaged',
      `The pixel data has ${parts.length} fragments; they do not make ${form.frames} frames`,
    );
  return starts.map((start, index) => joined(parts.slice(start, starts[index + 1]).map(({ bytes }) => bytes)));
}

interface Fragment {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The fragment that each frame begins with. */
function startsOf(
  parts: readonly Fragment[],
  { frames, offsets, jpeg }: { frames: number; offsets: readonly number[]; jpeg: boolean },
): number[] {
  if (frames === 1) return [0];
  if (offsets.length > 0) {
    const starts = offsets.map((offset) => parts.findIndex((part) => part.offset === offset));
    return starts.every((start, index) => start > (starts[index - 1] ?? -1)) ? starts : [];
  }
  if (parts.length === frames) return parts.map((_, index) => index);
  if (!jpeg) return [];
  return parts.flatMap((_, index) => (index === 0 || endsStream((parts[index - 1] as Fragment).bytes) ? [index] : []));
}

/** FFD9 and padding end every stream of the JPEG family. */
function endsStream(bytes: Uint8Array): boolean {
  const tail = [...bytes.subarray(-4)];
  return tail.some((byte, at) => byte === 0xff && tail[at + 1] === 0xd9);
}

/** The fragments end with a sequence delimiter (PS3.5 A.4), which a file that was cut lacks. */
function requireDelimiter({ byteArray }: DataSet, { dataOffset, length }: Element): void {
  const end = dataOffset + length;
  const delimiter = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
  if (end > byteArray.length || !delimiter.every((byte, index) => byteArray[end - 8 + index] === byte))
    throw new ImageFault('image-damaged', 'The pixel data ends without its sequence delimiter');
}

function pixelsOf({ elements }: DataSet): Element {
  const pixels = elements.x7fe00010;
  if (pixels === undefined) throw new ImageFault('image-damaged', 'The object describes pixels, but holds none');
  return pixels;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : new Uint8Array(Buffer.concat(parts));
}
