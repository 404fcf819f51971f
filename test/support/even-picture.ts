import { dataset } from '../imaging/support/dataset.ts';
import type { KeptObject } from './fake-pacs.ts';

/**
 * A radiograph of 100 × 100 pixels that are all the same gray, of patient 4711 of NORTH.
 * @param place UIDs are those of the study with `.1` for the series and the number of the object below it
 */
export function evenPicture(
  gray: number,
  place: { readonly study: string; readonly number?: number },
  changes: Parameters<typeof dataset>[0] = {},
): KeptObject {
  const series = `${place.study}.1`;
  return {
    frames: [new Uint8Array(new Uint16Array(100 * 100).fill(gray).buffer)],
    dataset: dataset({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
      SOPInstanceUID: `${series}.${place.number ?? 1}`,
      StudyInstanceUID: place.study,
      SeriesInstanceUID: series,
      Modality: 'DX',
      BodyPartExamined: 'CHEST',
      ViewPosition: 'PA',
      PatientID: '4711',
      IssuerOfPatientID: 'NORTH',
      Rows: 100,
      Columns: 100,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      ...changes,
    }),
  };
}
