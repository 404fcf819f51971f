import type { PixelForm } from '../../dicom/pixel-form.ts';
import { ImageFault } from '../../image-fault.ts';
import { runCodec } from '../codec-module.ts';
import { requireSameForm } from '../require-same-form.ts';
import type { StoredFrame } from '../stored-frame.ts';
import { checkDctScan } from './check-dct-scan.ts';
import { type JpegStream, readJpegStream } from './jpeg-stream.ts';

/**
 * Decodes JPEG Baseline and Extended of 8 bits (T.81, processes 1, 2 and 4). Colours stay as they are coded: YBR is YBR,
 * of full resolution.
 * @throws ImageFault `image-damaged` where the stream is not whole or contradicts the form or its colours,
 *   `image-unsupported` for other processes
 */
export function decodeDctJpeg({ form, bytes }: { form: PixelForm; bytes: Uint8Array }): {
  data: StoredFrame['data'];
  photometricInterpretation: string;
} {
  const stream = readJpegStream(bytes);
  const { frame } = stream;
  if ((frame.marker !== 0xc0 && frame.marker !== 0xc1) || frame.precision !== 8)
    throw new ImageFault(
      'image-unsupported',
      `A JPEG stream of ${frame.precision} bits, SOF${frame.marker - 0xc0}, is not read`,
    );
  requireSameForm(form, { ...frame, components: frame.components.length });
  if (form.signed) throw new ImageFault('image-unsupported', 'JPEG Baseline of signed values is not read');
  requireSameColours(form, stream);
  const parts = stream.scans.flatMap((scan) => scan.components.map(({ index }) => index));
  if (new Set(parts).size !== parts.length || parts.length !== form.samplesPerPixel)
    throw new ImageFault('image-damaged', 'The JPEG stream does not have each component in one scan');
  for (const scan of stream.scans) checkDctScan(frame, scan);
  const coded = form.samplesPerPixel === 3 ? withoutTransform(bytes, stream) : bytes;
  const { bytes: data, frame: found } = runCodec('jpeg', coded);
  requireSameForm(form, { rows: found.height, columns: found.width, components: found.componentCount, precision: 8 });
  const { photometricInterpretation } = form;
  return {
    data,
    photometricInterpretation: photometricInterpretation === 'YBR_FULL_422' ? 'YBR_FULL' : photometricInterpretation,
  };
}

/** What the stream says of its colours must not be the contrary of what the object says. */
function requireSameColours(form: PixelForm, { adobeTransform, jfif }: JpegStream): void {
  if (form.samplesPerPixel === 1) return;
  const { photometricInterpretation } = form;
  const isYbr = photometricInterpretation !== 'RGB';
  const saysYbr = adobeTransform === undefined ? jfif || undefined : adobeTransform !== 0;
  if (saysYbr !== undefined && saysYbr !== isYbr)
    throw new ImageFault(
      'image-damaged',
      `The object states ${photometricInterpretation}, its JPEG stream ${saysYbr ? 'YCbCr' : 'RGB'}`,
    );
}

/**
 * The decoder turns three components to RGB by what it guesses. An Adobe segment that states no transform, and no
 * JFIF header, keep it from that.
 */
function withoutTransform(bytes: Uint8Array, { colourSegments }: JpegStream): Uint8Array {
  const adobe = [0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, 0];
  const kept: Uint8Array[] = [bytes.subarray(0, 2), Uint8Array.from(adobe)];
  let at = 2;
  for (const [from, to] of colourSegments) {
    kept.push(bytes.subarray(at, from));
    at = to;
  }
  return new Uint8Array(Buffer.concat([...kept, bytes.subarray(at)]));
}
