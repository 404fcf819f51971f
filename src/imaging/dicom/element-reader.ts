import { ImageFault } from '../image-fault.ts';
import type { DicomJson } from './dicom-json.ts';
import { type Keyword, tags } from './tags.ts';

/** Values of one dataset by keyword, checked as they are read. */
export interface ElementReader {
  /** True where the element is there, empty or not. */
  has(keyword: Keyword): boolean;
  /** The value representation that is stated. */
  vr(keyword: Keyword): string | undefined;
  /** Texts without padding; those that are empty are left out. */
  texts(keyword: Keyword): readonly string[];
  /** The first text. */
  text(keyword: Keyword): string | undefined;
  /** Numbers, which IS and DS may state as text (PS3.18 F.2.3). An empty one among several is a fault. */
  numbers(keyword: Keyword): readonly number[];
  /** The first number. */
  number(keyword: Keyword): number | undefined;
  /** Datasets of a sequence. */
  items(keyword: Keyword): readonly DicomJson[];
  /** Bytes that are stated in the dataset itself. */
  bytes(keyword: Keyword): Uint8Array | undefined;
}

/** The numbers of DS and IS (PS3.5 6.2). */
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Reads elements of a dataset that somebody else wrote.
 * @throws ImageFault `image-damaged` where a value is not of the kind that its attribute has
 */
export function elementReader(dataset: DicomJson): ElementReader {
  const values = (keyword: Keyword): readonly unknown[] => {
    const value: unknown = dataset[tags[keyword][0]]?.Value;
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw damaged(keyword, 'has a Value that is not an array');
    return value;
  };
  const texts = (keyword: Keyword): readonly string[] =>
    values(keyword)
      .map((value) => {
        if (value === null) return '';
        if (typeof value === 'number') return String(value);
        if (typeof value !== 'string') throw damaged(keyword, 'is not a text');
        return value.replaceAll('\0', '').trim();
      })
      .filter((text) => text !== '');
  const numbers = (keyword: Keyword): readonly number[] => {
    const found = values(keyword).map((value) => {
      const text = typeof value === 'string' ? value.replaceAll('\0', '').trim() : value;
      if (text === '' || text === null) return undefined;
      const number = typeof text === 'string' && decimal.test(text) ? Number(text) : text;
      if (typeof number !== 'number' || !Number.isFinite(number)) throw damaged(keyword, 'is not a number');
      return number;
    });
    if (found.every((number) => number === undefined)) return [];
    return found.map((number) => {
      if (number === undefined) throw damaged(keyword, 'has an empty value among others');
      return number;
    });
  };
  return {
    has: (keyword) => dataset[tags[keyword][0]] !== undefined,
    vr: (keyword) => dataset[tags[keyword][0]]?.vr,
    texts,
    text: (keyword) => texts(keyword)[0],
    numbers,
    number: (keyword) => numbers(keyword)[0],
    items: (keyword) =>
      values(keyword).map((item) => {
        if (typeof item !== 'object' || item === null || Array.isArray(item))
          throw damaged(keyword, 'has an item that is not a dataset');
        return item as DicomJson;
      }),
    bytes: (keyword) => {
      const inline: unknown = dataset[tags[keyword][0]]?.InlineBinary;
      if (inline === undefined) return undefined;
      if (typeof inline !== 'string') throw damaged(keyword, 'has an InlineBinary that is not a text');
      return new Uint8Array(Buffer.from(inline, 'base64'));
    },
  };
}

function damaged(keyword: Keyword, what: string): ImageFault {
  return new ImageFault('image-damaged', `${nameOf(keyword)} ${what}`);
}

/** An attribute in a message: keyword and tag. */
export function nameOf(keyword: Keyword): string {
  const [tag] = tags[keyword];
  return `${keyword} (${tag.slice(0, 4)},${tag.slice(4)})`;
}
