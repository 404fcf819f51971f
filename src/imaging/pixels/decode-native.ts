import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import { cellArray, keepStoredBits, valuesOf } from './cells.ts';
import { interleave } from './interleave.ts';
import type { StoredFrame } from './stored-frame.ts';

/**
 * Reads a frame that is not compressed (PS3.5 8.1): cells of 8, 16, 24 or 32 bits, or 1 bit packed from the lowest
 * bit of each byte.
 * @param bytes of one frame, which begins with its first byte; one byte more where the length would be odd
 * @throws ImageFault `image-damaged` where the length is another
 */
export function decodeNative(
  { form, bytes }: { form: PixelForm; bytes: Uint8Array },
  littleEndian: boolean,
): StoredFrame['data'] {
  const halved = form.photometricInterpretation === 'YBR_FULL_422';
  const values = halved ? (valuesOf(form) / 3) * 2 : valuesOf(form);
  const length = Math.ceil((values * form.bitsAllocated) / 8);
  if (bytes.length !== length && bytes.length !== length + (length % 2))
    throw new ImageFault(
      'image-damaged',
      `The frame has ${bytes.length} bytes; ${form.rows} × ${form.columns} pixels need ${length}`,
    );
  const data = cellArray(form, values);
  readCells(data, { form, bytes, littleEndian });
  keepStoredBits(data, form);
  if (halved) return upsampled(data, form);
  return form.planarConfiguration === 1 ? interleave(data, form.samplesPerPixel) : data;
}

function readCells(
  data: StoredFrame['data'],
  { form, bytes, littleEndian }: { form: PixelForm; bytes: Uint8Array; littleEndian: boolean },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { bitsAllocated } = form;
  for (let at = 0; at < data.length; at++) {
    if (bitsAllocated === 8) data[at] = bytes[at] as number;
    else if (bitsAllocated === 16) data[at] = view.getUint16(at * 2, littleEndian);
    else if (bitsAllocated === 32) data[at] = view.getUint32(at * 4, littleEndian);
    else if (bitsAllocated === 1) data[at] = ((bytes[at >> 3] as number) >> (at & 7)) & 1;
    else {
      const middle = (bytes[at * 3 + 1] as number) << 8;
      const [low, high] = littleEndian ? [at * 3, at * 3 + 2] : [at * 3 + 2, at * 3];
      data[at] = (bytes[low] as number) | middle | ((bytes[high] as number) << 16);
    }
  }
}

/** Two pixels share their colour: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2); each pixel gets the three of its own. */
function upsampled(pairs: StoredFrame['data'], form: PixelForm): StoredFrame['data'] {
  if (form.columns % 2 !== 0 || form.planarConfiguration !== 0)
    throw new ImageFault('image-damaged', 'YBR_FULL_422 needs an even number of columns and samples that lie together');
  const data = cellArray(form, valuesOf(form));
  for (let pair = 0; pair < pairs.length / 4; pair++) {
    const [first, second, blue, red] = pairs.subarray(pair * 4, pair * 4 + 4) as unknown as number[];
    data.set([first, blue, red, second, blue, red] as number[], pair * 6);
  }
  return data;
}
