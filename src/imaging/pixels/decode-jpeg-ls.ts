import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import { cellArray, keepStoredBits, valuesOf } from './cells.ts';
import { runCodec } from './codec-module.ts';
import { interleave } from './interleave.ts';
import { readJpegStream } from './jpeg/jpeg-stream.ts';
import { requireSameForm } from './require-same-form.ts';
import type { StoredFrame } from './stored-frame.ts';

/**
 * Decodes JPEG-LS (T.87). Its lossless transfer syntax must hold a lossless stream.
 * @throws ImageFault `image-damaged` where the stream is not whole or contradicts the form
 */
export function decodeJpegLs(
  { form, bytes }: { form: PixelForm; bytes: Uint8Array },
  lossy: boolean,
): StoredFrame['data'] {
  const { frame, scans } = readJpegStream(bytes);
  if (frame.marker !== 0xf7) throw new ImageFault('image-damaged', 'The stream is JPEG, but not JPEG-LS');
  requireSameForm(form, { ...frame, components: frame.components.length });
  if (!lossy && scans.some(({ first }) => first !== 0))
    throw new ImageFault('image-damaged', 'The transfer syntax is lossless, its JPEG-LS stream is not');
  const { bytes: decoded, frame: found } = runCodec('jpeg-ls', bytes);
  requireSameForm(form, {
    rows: found.height,
    columns: found.width,
    components: found.componentCount,
    precision: found.bitsPerSample,
  });
  // Interleaving of no kind gives plane after plane.
  const planes = form.samplesPerPixel > 1 && scans[0]?.last === 0;
  const data = fromLittleEndian(decoded, form);
  return planes ? interleave(data, form.samplesPerPixel) : data;
}

/** The values of a decoder's bytes; unsigned ones of signed pixels are extended from their highest bit. */
function fromLittleEndian(bytes: Uint8Array, form: PixelForm): StoredFrame['data'] {
  const width = form.bitsStored <= 8 ? 1 : 2;
  if (bytes.length !== valuesOf(form) * width)
    throw new ImageFault(
      'image-damaged',
      `The decoder gave ${bytes.length} bytes; ${valuesOf(form) * width} are needed`,
    );
  const data = cellArray(form, valuesOf(form));
  data.set(width === 1 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2));
  keepStoredBits(data, form);
  return data;
}
