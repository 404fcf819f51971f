import type { PixelForm } from '../dicom/pixel-form.ts';
import { ImageFault } from '../image-fault.ts';
import { cellBytes, valuesOf } from './cells.ts';
import { decodeJpeg2000 } from './decode-jpeg-2000.ts';
import { decodeJpegLs } from './decode-jpeg-ls.ts';
import { decodeNative } from './decode-native.ts';
import { decodeRle } from './decode-rle.ts';
import { decodeDctJpeg } from './jpeg/decode-dct-jpeg.ts';
import { decodeLosslessJpeg } from './jpeg/decode-lossless-jpeg.ts';
import type { StoredFrame } from './stored-frame.ts';
import { type TransferSyntax, transferSyntax } from './transfer-syntaxes.ts';

/** One frame as it is stored or was sent, and what its object states about it. */
export interface EncodedFrame {
  readonly form: PixelForm;
  readonly transferSyntaxUid: string;
  readonly bytes: Uint8Array;
  /** Bytes that the decoded values may take; more is refused before anything is allocated. 256 MiB where not given. */
  readonly maxDecodedBytes?: number;
}

/**
 * Decodes one frame, or refuses it: what it gives is whole, and of the form that the object states.
 * @throws ImageFault `image-too-large` before anything is allocated, `image-unsupported` for a transfer syntax or a form
 *   that is not read, `image-damaged` where the bytes are not whole or contradict the form
 */
export function decodeFrame({ form, transferSyntaxUid, bytes, maxDecodedBytes = 2 ** 28 }: EncodedFrame): StoredFrame {
  const syntax = transferSyntax(transferSyntaxUid);
  if (syntax === undefined)
    throw new ImageFault('image-unsupported', `Pixels of transfer syntax ${transferSyntaxUid} are not read`);
  const decodedBytes = valuesOf(form) * cellBytes(form.bitsAllocated);
  if (decodedBytes > maxDecodedBytes)
    throw new ImageFault(
      'image-too-large',
      `A frame of ${form.rows} × ${form.columns} pixels takes ${decodedBytes} bytes; allowed are ${maxDecodedBytes}`,
    );
  const { data, photometricInterpretation } = decode(syntax, { form, bytes });
  if (data.length !== valuesOf(form))
    throw new ImageFault('image-damaged', `The decoder gave ${data.length} values; the form has ${valuesOf(form)}`);
  return { rows: form.rows, columns: form.columns, samples: form.samplesPerPixel, photometricInterpretation, data };
}

type Decoded = Pick<StoredFrame, 'data' | 'photometricInterpretation'>;

function decode({ coding, lossy }: TransferSyntax, frame: { form: PixelForm; bytes: Uint8Array }): Decoded {
  const stated = frame.form.photometricInterpretation;
  if ((stated === 'YBR_RCT' || stated === 'YBR_ICT') && coding !== 'jpeg-2000' && coding !== 'htj2k')
    throw new ImageFault(
      'image-damaged',
      `The object states ${stated}, which only JPEG 2000 has; its pixels come otherwise`,
    );
  // Where colour had half the resolution, decoding has given it the whole.
  const asStated = stated === 'YBR_FULL_422' ? 'YBR_FULL' : stated;
  switch (coding) {
    case 'native':
    case 'big-endian':
      return { data: decodeNative(frame, coding === 'native'), photometricInterpretation: asStated };
    case 'rle':
      return { data: decodeRle(frame), photometricInterpretation: asStated };
    case 'jpeg':
      return decodeDctJpeg(frame);
    case 'jpeg-lossless':
      return { data: decodeLosslessJpeg(frame), photometricInterpretation: asStated };
    case 'jpeg-ls':
      return { data: decodeJpegLs(frame, lossy), photometricInterpretation: asStated };
    case 'jpeg-2000':
    case 'htj2k':
      return decodeJpeg2000(frame, { codec: coding, lossy });
  }
}
