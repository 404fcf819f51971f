import type { DicomJson } from '../../../src/imaging/dicom/dicom-json.ts';
import { type Keyword, tags } from '../../../src/imaging/dicom/tags.ts';

type Value = number | string | null | DicomJson;

/** A dataset in the DICOM JSON model from values by keyword; undefined leaves an element out. */
export function dataset(values: Partial<Record<Keyword, Value | readonly Value[] | undefined>>): DicomJson {
  return Object.fromEntries(
    Object.entries(values).flatMap(([keyword, value]) => {
      if (value === undefined) return [];
      const [tag, vr] = tags[keyword as Keyword];
      return [[tag, { vr, Value: Array.isArray(value) ? value : [value] }]];
    }),
  );
}

/** A CT image of 2 × 3 pixels of 16 bits, signed, with whatever a test changes. */
export function imageDataset(changes: Parameters<typeof dataset>[0] = {}): DicomJson {
  return dataset({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: '1.2.3.4',
    StudyInstanceUID: '1.2.3',
    SeriesInstanceUID: '1.2.3.1',
    Modality: 'CT',
    Rows: 2,
    Columns: 3,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    ...changes,
  });
}
