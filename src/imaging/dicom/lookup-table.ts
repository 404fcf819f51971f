import { ImageFault } from '../image-fault.ts';
import { type ElementReader, nameOf } from './element-reader.ts';
import type { Keyword } from './tags.ts';

/** A table of stored values (PS3.3 C.11.1.1, C.11.2.1.1 and C.7.6.3.1.5). */
export interface LookupTable {
  /** The stored value that the first entry is for. Lower values take the first entry, those past the end the last. */
  readonly firstMapped: number;
  /** Bits of an entry: 8 to 16. */
  readonly bits: number;
  readonly values: Uint16Array;
}

/**
 * Reads a table from its descriptor (number of entries, first value mapped, bits) and its data.
 * @param signed whether the values that it maps are signed: the first mapped is then in two's complement of 16 bits
 * @throws ImageFault where the descriptor is impossible, the data does not fit it or is not in the dataset
 */
export function readLookupTable(
  reader: ElementReader,
  { descriptor, data, signed }: { descriptor: Keyword; data: Keyword; signed: boolean },
): LookupTable {
  const [stated, first, bits, more] = reader.numbers(descriptor);
  if (stated === undefined || first === undefined || bits === undefined || more !== undefined)
    throw new ImageFault('image-damaged', `${nameOf(descriptor)} must have three values`);
  // PS3.3 C.11.1.1.1: 65,536 entries are stated as 0; written as SS they read as negative.
  const entries = (stated & 0xffff) === 0 ? 65_536 : stated & 0xffff;
  if (![stated, first, bits].every(Number.isInteger) || bits < 8 || bits > 16)
    throw new ImageFault('image-damaged', `${nameOf(descriptor)} states ${bits} bits; a table has 8 to 16`);
  const firstMapped = signed ? (first << 16) >> 16 : first & 0xffff;
  return { firstMapped, bits, values: entriesOf(reader, { data, entries, bits }) };
}

function entriesOf(
  reader: ElementReader,
  { data, entries, bits }: { data: Keyword; entries: number; bits: number },
): Uint16Array {
  const listed = reader.numbers(data);
  const bytes = reader.bytes(data);
  if (listed.length === 0 && bytes === undefined) {
    const where = reader.has(data) ? 'is not in the dataset but elsewhere' : 'is missing';
    throw new ImageFault(reader.has(data) ? 'image-unsupported' : 'image-damaged', `${nameOf(data)} ${where}`);
  }
  const largest = 2 ** bits - 1;
  // Written as SS the upper half of 16 bits reads as negative.
  const least = bits === 16 && reader.vr(data) === 'SS' ? -32_768 : 0;
  // Before they become 16 bits: that would make another number of one that does not fit.
  if (listed.some((value) => !Number.isInteger(value) || value < least || value > largest))
    throw new ImageFault('image-damaged', `${nameOf(data)} has an entry that is no whole number of ${bits} bits`);
  const values = bytes === undefined ? Uint16Array.from(listed) : fromBytes(bytes, entries);
  if (values.length !== entries || values.some((value) => value > largest))
    throw new ImageFault(
      'image-damaged',
      `${nameOf(data)} has ${values.length} entries; its descriptor states ${entries} of ${bits} bits`,
    );
  return values;
}

/** Entries of 16 bits, or of 8 bits where the data is as many bytes as there are entries (padded to even). */
function fromBytes(bytes: Uint8Array, entries: number): Uint16Array {
  if (bytes.length === entries + (entries % 2)) return Uint16Array.from(bytes.subarray(0, entries));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint16Array.from({ length: bytes.length >> 1 }, (_, index) => view.getUint16(index * 2, true));
}
