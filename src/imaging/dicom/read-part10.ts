import { inflateRawSync } from 'node:zlib';
import dicomParser from 'dicom-parser';
import { ImageFault } from '../image-fault.ts';
import { transferSyntax } from '../pixels/transfer-syntaxes.ts';
import type { DicomJson } from './dicom-json.ts';
import { part10Elements } from './part10-elements.ts';
import { encapsulatedFrames, nativeFrames } from './part10-frames.ts';
import { readPixelForm } from './pixel-form.ts';

/** A DICOM file (PS3.10), taken apart. */
export interface Part10 {
  /** The elements that are read, those of the file's header among them. */
  readonly dataset: DicomJson;
  readonly transferSyntaxUid: string;
  /** As stored, one for each frame; none of an object without pixels. They are parts of the bytes of the file. */
  readonly frames: readonly Uint8Array[];
}

const bigEndian = '1.2.840.10008.1.2.2';

/**
 * Takes a DICOM file apart: explicit or implicit VR, either byte order, deflated or not.
 * @param options.maxInflatedBytes bytes that a deflated file may become; 512 MiB where not given
 * @throws ImageFault `image-damaged` where it is no such file, not whole, or its pixels are not those it describes;
 *   `image-unsupported` where its pixels are of a transfer syntax or a form that is not read
 */
export function readPart10(bytes: Uint8Array, { maxInflatedBytes = 2 ** 29 } = {}): Part10 {
  if (String.fromCharCode(...bytes.subarray(128, 132)) !== 'DICM')
    throw new ImageFault('image-damaged', 'The bytes are no DICOM file: DICM is not at byte 128 (PS3.10 7.1)');
  const dataSet = parse(bytes, maxInflatedBytes);
  const stated = dataSet.elements.x00020010;
  const transferSyntaxUid = stated === undefined ? '' : textOf(dataSet, stated);
  const littleEndian = transferSyntaxUid !== bigEndian;
  const dataset = part10Elements(dataSet, littleEndian);
  const form = readPixelForm(dataset);
  if (form === undefined) return { dataset, transferSyntaxUid, frames: [] };
  const syntax = transferSyntax(transferSyntaxUid);
  if (syntax === undefined)
    throw new ImageFault('image-unsupported', `Pixels of transfer syntax ${transferSyntaxUid} are not read`);
  if (syntax.coding !== 'native' && syntax.coding !== 'big-endian')
    return { dataset, transferSyntaxUid, frames: encapsulatedFrames(dataSet, { form, jpeg: syntax.coding !== 'rle' }) };
  const swapped = !littleEndian && dataSet.elements.x7fe00010?.vr === 'OW' && form.bitsAllocated <= 8;
  return { dataset, transferSyntaxUid, frames: nativeFrames(dataSet, { form, swapped }) };
}

function textOf({ byteArray }: dicomParser.DataSet, { dataOffset, length }: dicomParser.Element): string {
  return String.fromCharCode(...byteArray.subarray(dataOffset, dataOffset + Math.min(length, 128)))
    .replaceAll('\0', '')
    .trim();
}

/** The parser throws texts, errors and objects that hold one; all mean that the file is not whole. */
function parse(bytes: Uint8Array, maxInflatedBytes: number): dicomParser.DataSet {
  try {
    return dicomParser.parseDicom(bytes, {
      inflater: (whole: Uint8Array, position: number) =>
        new Uint8Array(
          Buffer.concat([
            whole.subarray(0, position),
            inflateRawSync(whole.subarray(position), { maxOutputLength: maxInflatedBytes }),
          ]),
        ),
    });
  } catch (error) {
    const inner = typeof error === 'object' && error !== null && 'exception' in error ? error.exception : error;
    if (inner instanceof RangeError && 'code' in inner && inner.code === 'ERR_BUFFER_TOO_LARGE')
      throw new ImageFault('image-too-large', `The deflated file becomes more than ${maxInflatedBytes} bytes`);
    const words = inner instanceof Error ? inner.message : String(inner);
    throw new ImageFault('image-damaged', `The DICOM file is not whole: ${words}`, { cause: inner });
  }
}
