import { createHash } from 'node:crypto';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { writtenDataset } from './written-dataset.ts';

/** A code of a FHIR code system. */
export interface Coding {
  /** URI of the code system. */
  readonly system: string;
  readonly code: string;
  readonly display: string;
}

export const dcm = 'http://dicom.nema.org/resources/ontology/DCM';

/** Coding schemes of PS3.16, table 8-1, by the URI by which FHIR knows them. */
const designators: Readonly<Record<string, string>> = {
  [dcm]: 'DCM',
  'http://unitsofmeasure.org': 'UCUM',
  'http://loinc.org': 'LN',
  'http://snomed.info/sct': 'SCT',
  'http://www.radlex.org': 'RADLEX',
  'http://radlex.org': 'RADLEX',
  'http://hl7.org/fhir/sid/icd-10': 'I10',
  'urn:ietf:bcp:47': 'RFC5646',
};

const longestCode = 16;
const longestMeaning = 64;

/**
 * A code as an item of a code sequence (PS3.3, table 8.8-1). A system without a designator of its own gets a private one, the same
 * in every object, of which `schemesOf` says what it stands for. A meaning is cut at 64 characters, which is all that it may have.
 */
export function codedEntry({ system, code, display }: Coding): DicomJson {
  return writtenDataset({
    ...(code.length > longestCode ? { LongCodeValue: code } : { CodeValue: code }),
    CodingSchemeDesignator: designatorOf(system),
    CodeMeaning: cut(display, longestMeaning),
  });
}

/** Coding Scheme Identification Sequence (PS3.3 C.12.1.1.1): what the private designators of these codes stand for. */
export function schemesOf(codings: readonly Coding[]): DicomJson[] {
  const systems = new Set(codings.map(({ system }) => system).filter((system) => designators[system] === undefined));
  return [...systems].sort().map((system) =>
    writtenDataset({
      CodingSchemeDesignator: designatorOf(system),
      CodingSchemeResourcesSequence: writtenDataset({ CodingSchemeURLType: 'FHIR', CodingSchemeURL: system }),
    }),
  );
}

/**
 * A text as one value (LO): a backslash, which would divide it, becomes a slash; at most so many characters, the last of them an
 * ellipsis where something is left out.
 */
export function cut(text: string, longest: number): string {
  const characters = [...text.replaceAll('\\', '/')];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('');
}

function designatorOf(system: string): string {
  return designators[system] ?? `99${createHash('sha256').update(system).digest('hex').slice(0, 12).toUpperCase()}`;
}
