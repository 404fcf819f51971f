import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import { cellArray, valuesOf } from './cells.ts';
import { runCodec } from './codec-module.ts';
import { type CodestreamHeader, readCodestreamHeader } from './codestream-header.ts';
import { checkCodestream } from './jpeg-2000/check-codestream.ts';
import { requireSameForm } from './require-same-form.ts';
import type { StoredFrame } from './stored-frame.ts';

/**
 * Decodes JPEG 2000 (T.800) or its high-throughput kind (T.814). Colours that were decorrelated come back as RGB.
 * @throws ImageFault `image-damaged` where the codestream is not whole, contradicts the form, the colours or a lossless
 *   transfer syntax
 */
export function decodeJpeg2000(
  { form, bytes }: { form: PixelForm; bytes: Uint8Array },
  { codec, lossy }: { codec: 'jpeg-2000' | 'htj2k'; lossy: boolean },
): { data: StoredFrame['data']; photometricInterpretation: string } {
  const header = readCodestreamHeader(bytes);
  requireSameForm(form, header);
  if (header.highThroughput !== (codec === 'htj2k'))
    throw new ImageFault('image-damaged', 'The codestream is of another part of JPEG 2000 than its transfer syntax');
  if (!lossy && !header.reversible)
    throw new ImageFault('image-damaged', 'The transfer syntax is lossless, its JPEG 2000 codestream is not');
  const photometricInterpretation = coloursOf(form, header);
  checkCodestream(header.parts);
  const decoded = runCodec(codec, bytes);
  requireSameForm(form, {
    rows: decoded.frame.height,
    columns: decoded.frame.width,
    components: decoded.frame.componentCount,
    precision: decoded.frame.bitsPerSample,
    signed: decoded.frame.isSigned,
  });
  return { data: valuesFrom(decoded.bytes, form), photometricInterpretation };
}

function coloursOf(form: PixelForm, { colourTransform }: CodestreamHeader): string {
  const stated = form.photometricInterpretation;
  const decorrelated = stated === 'YBR_RCT' || stated === 'YBR_ICT';
  const mayBe = colourTransform ? decorrelated || stated === 'RGB' : !decorrelated;
  if (!mayBe || (colourTransform && form.samplesPerPixel !== 3) || stated === 'YBR_FULL_422')
    throw new ImageFault(
      'image-damaged',
      `The object states ${stated}, its codestream ${colourTransform ? 'a colour transform' : 'none'}`,
    );
  return colourTransform ? 'RGB' : stated;
}

function valuesFrom(bytes: Uint8Array, form: PixelForm): StoredFrame['data'] {
  const width = form.bitsStored <= 8 ? 1 : 2;
  const values = valuesOf(form);
  if (form.bitsStored > 16 || bytes.length !== values * width)
    throw new ImageFault('image-damaged', `The decoder gave ${bytes.length} bytes; ${values * width} are needed`);
  const data = cellArray(form, values);
  const { buffer, byteOffset, length } = bytes;
  if (width === 1) data.set(form.signed ? new Int8Array(buffer, byteOffset, length) : bytes);
  else data.set(form.signed ? new Int16Array(buffer, byteOffset, values) : new Uint16Array(buffer, byteOffset, values));
  return data;
}
