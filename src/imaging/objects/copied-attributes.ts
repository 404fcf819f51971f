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
  return copied;
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
