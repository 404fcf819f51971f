import type { DicomJson } from '../dicom/dicom-json.ts';
import { type Coding, codedEntry } from './coded-entry.ts';
import { type WrittenValues, writtenDataset } from './written-dataset.ts';

/** How an item stands to the one above it (PS3.3 C.17.3.2.4). */
export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD' | 'INFERRED FROM';

/** One content item of a structured report, and all codes in it, whose schemes the document must name. */
export interface ContentItem {
  readonly dataset: DicomJson;
  readonly codings: readonly Coding[];
}

interface Named {
  readonly relationship?: Relationship;
  readonly name: Coding;
  readonly children?: readonly ContentItem[];
}

export function containerItem(named: Named): ContentItem {
  return item('CONTAINER', named, { ContinuityOfContent: 'SEPARATE' });
}

export function textItem(named: Named, text: string): ContentItem {
  return item('TEXT', named, { TextValue: text });
}

export function codeItem(named: Named, value: Coding): ContentItem {
  return item('CODE', named, { ConceptCodeSequence: codedEntry(value) }, [value]);
}

export function uidItem(named: Named, uid: string): ContentItem {
  return item('UIDREF', named, { UID: uid });
}

/** A number as decimal text, of 16 characters at most (DS), and as it is. Throws a RangeError for one that is none. */
export function numberItem(named: Named, value: number, unit: Coding): ContentItem {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no value of ${named.name.code}`);
  const measured = writtenDataset({
    MeasurementUnitsCodeSequence: codedEntry(unit),
    FloatingPointValue: value,
    NumericValue: decimalString(value),
  });
  return item('NUM', named, { MeasuredValueSequence: measured }, [unit]);
}

/** @param reference see `imageReference` */
export function imageItem(relationship: Relationship, reference: DicomJson): ContentItem {
  return {
    dataset: writtenDataset({ RelationshipType: relationship, ValueType: 'IMAGE', ReferencedSOPSequence: reference }),
    codings: [],
  };
}

function item(
  type: string,
  { relationship, name, children = [] }: Named,
  value: WrittenValues,
  codings: readonly Coding[] = [],
): ContentItem {
  return {
    dataset: writtenDataset({
      ...(relationship === undefined ? {} : { RelationshipType: relationship }),
      ValueType: type,
      ConceptNameCodeSequence: codedEntry(name),
      ...value,
      ...(children.length === 0 ? {} : { ContentSequence: children.map(({ dataset }) => dataset) }),
    }),
    codings: [name, ...codings, ...children.flatMap((child) => child.codings)],
  };
}

const longestDecimal = 16;

/** The longest text of the number that fits, so that nothing is lost that could be kept. */
function decimalString(value: number): string {
  for (let digits = 17; digits > 0; digits--) {
    const text = digits === 17 ? String(value) : String(Number(value.toPrecision(digits)));
    if (text.length <= longestDecimal) return text;
  }
  throw new RangeError(`${value} has no text of ${longestDecimal} characters`);
}
