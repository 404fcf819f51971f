import type { DataSet, Element } from 'dicom-parser';
import { ImageFault } from '../image-fault.ts';
import type { DicomJson, DicomJsonElement } from './dicom-json.ts';
import { tags } from './tags.ts';

/** Attributes that are read, by tag: their value representation. */
const vrOf: ReadonlyMap<string, string> = new Map(Object.values(tags));

/** No attribute that is read is longer; a palette of 65,536 entries has 131,072 bytes. */
const longestValue = 2 ** 20;

/** Numbers of binary representations: bytes of one, and how it is read. */
const binary: Readonly<Record<string, readonly [number, (view: DataView, at: number, little: boolean) => number]>> = {
  US: [2, (view, at, little) => view.getUint16(at, little)],
  SS: [2, (view, at, little) => view.getInt16(at, little)],
  UL: [4, (view, at, little) => view.getUint32(at, little)],
  SL: [4, (view, at, little) => view.getInt32(at, little)],
  FL: [4, (view, at, little) => view.getFloat32(at, little)],
  FD: [8, (view, at, little) => view.getFloat64(at, little)],
};

/** Encodings by the first defined term of the character set (PS3.3 C.12.1.1.2); what else there is reads as Latin-1. */
const encodings: Readonly<Record<string, string>> = {
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

interface Reading {
  readonly littleEndian: boolean;
  readonly encoding: string;
}

/**
 * The elements of a parsed file that are read, in the DICOM JSON model; pixels are there without a value.
 * @throws ImageFault `image-damaged` where a value lies outside of the file
 */
export function part10Elements(dataSet: DataSet, littleEndian: boolean): DicomJson {
  const charset = dataSet.elements.x00080005;
  const term = charset === undefined ? '' : ascii(bytesOf(dataSet, charset)).split('\\')[0];
  return datasetOf(dataSet, { littleEndian, encoding: encodings[(term ?? '').trim()] ?? 'latin1' });
}

function datasetOf(dataSet: DataSet, reading: Reading): DicomJson {
  const found: Record<string, DicomJsonElement> = {};
  for (const [tag, vr] of vrOf) {
    const element = dataSet.elements[`x${tag.toLowerCase()}`];
    if (element === undefined) continue;
    // The header of a file is little-endian whatever follows it (PS3.10 7.1).
    found[tag] = elementOf(dataSet, {
      element,
      vr,
      reading: tag.startsWith('0002') ? { ...reading, littleEndian: true } : reading,
    });
  }
  return found;
}

function elementOf(
  dataSet: DataSet,
  { element, vr: known, reading }: { element: Element; vr: string; reading: Reading },
): DicomJsonElement {
  if (known === 'SQ')
    return {
      vr: known,
      Value: (element.items ?? []).map((item) => (item.dataSet ? datasetOf(item.dataSet, reading) : {})),
    };
  if (element.tag.startsWith('x7fe0')) return { vr: element.vr ?? known };
  const bytes = bytesOf(dataSet, element);
  if (known === 'OW') {
    const inOrder = reading.littleEndian ? bytes : Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
    return { vr: known, InlineBinary: Buffer.from(inOrder).toString('base64') };
  }
  const vr =
    element.vr !== undefined && (Object.hasOwn(binary, element.vr) || !Object.hasOwn(binary, known))
      ? element.vr
      : known;
  if (bytes.length === 0) return { vr };
  const [size, read] = (Object.hasOwn(binary, vr) ? binary[vr] : undefined) ?? [];
  if (size === undefined || read === undefined) return { vr, Value: textOf(bytes, reading.encoding).split('\\') };
  if (bytes.length % size !== 0)
    throw new ImageFault('image-damaged', `An element ${element.tag.slice(1)} of ${vr} has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    vr,
    Value: Array.from({ length: bytes.length / size }, (_, at) => read(view, at * size, reading.littleEndian)),
  };
}

function bytesOf({ byteArray }: DataSet, { tag, dataOffset, length }: Element): Uint8Array {
  if (length > longestValue || dataOffset + length > byteArray.length)
    throw new ImageFault(
      'image-damaged',
      `The value of element ${tag.slice(1)} is not whole, or longer than any can be`,
    );
  return byteArray.subarray(dataOffset, dataOffset + length);
}

function ascii(bytes: Uint8Array): string {
  return textOf(bytes, 'latin1');
}

function textOf(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}
