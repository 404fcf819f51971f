import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts';

/** Whose study it is, and which: PS3.3 C.7.1.1 and C.7.2.1. These are there without a value where the source says nothing (type 2). */
const asked: Readonly<Record<string, string>> = {
  '00080020': 'DA', // Study Date
  '00080030': 'TM', // Study Time
  '00080050': 'SH', // Accession Number
  '00080090': 'PN', // Referring Physician's Name
  '00100010': 'PN', // Patient's Name
  '00100020': 'LO', // Patient ID
  '00100030': 'DA', // Patient's Birth Date
  '00100040': 'CS', // Patient's Sex
  '00200010': 'SH', // Study ID
};

/** Only where the source has them. */
const optional: Readonly<Record<string, string>> = {
  '00081030': 'LO', // Study Description
  '00100021': 'LO', // Issuer of Patient ID
};

interface ItemAttributes {
  readonly texts: Readonly<Record<string, string>>;
  readonly sequences: Readonly<Record<string, ItemAttributes>>;
}

/** Universal Entity ID and its type (PS3.3, table 10-18). */
const issuer: ItemAttributes = { texts: { '00400032': 'UT', '00400033': 'CS' }, sequences: {} };
const issuerQualifiers = '00100024';

/** Only where the source has them, and of each item no more than who gave the patient which number: whose study it is may be proven by it. */
const sequences: Readonly<Record<string, ItemAttributes>> = {
  [issuerQualifiers]: issuer,
  // Other Patient IDs Sequence: Patient ID, its issuer, and its type.
  '00101002': {
    texts: { '00100020': 'LO', '00100021': 'LO', '00100022': 'CS' },
    sequences: { [issuerQualifiers]: issuer },
  },
};

const uid = /^[0-9.]{1,64}$/;
const studyInstanceUid = '0020000D';

/**
 * What an object of a result says of the patient and the study: what an image of the study says of them, and no more, so that the
 * server files both together. Throws a RangeError for a source that names no study.
 */
export function copiedAttributes(source: DicomJson): DicomJson {
  const study = source[studyInstanceUid]?.Value?.[0];
  if (typeof study !== 'string' || !uid.test(study)) throw new RangeError('The source names no study');
  const copied: Record<string, DicomJsonElement> = { [studyInstanceUid]: { vr: 'UI', Value: [study] } };
  for (const [tag, vr] of Object.entries(asked)) copied[tag] = { vr, Value: valuesOf(source[tag], vr) };
  for (const [tag, vr] of Object.entries(optional)) {
    const values = valuesOf(source[tag], vr);
    if (values.length > 0) copied[tag] = { vr, Value: values };
  }
  return { ...copied, ...sequencesOf(source, sequences) };
}

function sequencesOf(source: DicomJson, wanted: Readonly<Record<string, ItemAttributes>>): DicomJson {
  const copied: Record<string, DicomJsonElement> = {};
  for (const [tag, attributes] of Object.entries(wanted)) {
    const items = (source[tag]?.Value ?? []).filter((item) => typeof item === 'object' && item !== null) as DicomJson[];
    if (items.length > 0) copied[tag] = { vr: 'SQ', Value: items.map((item) => itemOf(item, attributes)) };
  }
  return copied;
}

function itemOf(item: DicomJson, { texts, sequences: inner }: ItemAttributes): DicomJson {
  const copied: Record<string, DicomJsonElement> = {};
  for (const [tag, vr] of Object.entries(texts)) {
    const values = valuesOf(item[tag], vr);
    if (values.length > 0) copied[tag] = { vr, Value: values };
  }
  return { ...copied, ...sequencesOf(item, inner) };
}

/** One value, as it stands: none of these has several. */
function valuesOf(element: DicomJsonElement | undefined, vr: string): unknown[] {
  const [value] = element?.Value ?? [];
  if (vr !== 'PN') return typeof value === 'string' && value !== '' ? [value] : [];
  if (typeof value === 'string') return value === '' ? [] : [{ Alphabetic: value }];
  if (typeof value !== 'object' || value === null) return [];
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'].flatMap((group) => {
    const name = (value as Record<string, unknown>)[group];
    return typeof name === 'string' && name !== '' ? [[group, name]] : [];
  });
  return groups.length === 0 ? [] : [Object.fromEntries(groups)];
}
