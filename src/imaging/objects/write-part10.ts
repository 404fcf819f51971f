import { createRequire } from 'node:module';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { resultUid } from './result-uid.ts';
import { writtenDataset } from './written-dataset.ts';

/** What is used of dcmjs, which has no types. */
interface Dcmjs {
  readonly data: { readonly DicomDict: new (meta: DicomJson) => { dict: DicomJson; write(): ArrayBuffer } };
}

const require = createRequire(import.meta.url);
const explicitLittleEndian = '1.2.840.10008.1.2.1';

/**
 * A data set as a DICOM file (PS3.10), explicit VR little-endian, texts in UTF-8. Its elements are as the DICOM JSON model has them,
 * except that pixels are an ArrayBuffer. Throws a RangeError for one that does not name itself or says another character set.
 */
export function writePart10(dataset: DicomJson): Uint8Array {
  const [sopClass] = dataset['00080016']?.Value ?? [];
  const [sopInstance] = dataset['00080018']?.Value ?? [];
  if (typeof sopClass !== 'string' || typeof sopInstance !== 'string') throw new RangeError('The object names no SOP');
  if (dataset['00080005']?.Value?.[0] !== 'ISO_IR 192') throw new RangeError('Texts are written as ISO_IR 192');
  // Loaded where it is needed: it takes 0.1 s, and most servers write no DICOM.
  const { data } = require('dcmjs') as Dcmjs;
  const file = new data.DicomDict(
    writtenDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: sopClass,
      MediaStorageSOPInstanceUID: sopInstance,
      TransferSyntaxUID: explicitLittleEndian,
      ImplementationClassUID: resultUid('fhirsight', 'implementation'),
      ImplementationVersionName: 'FHIRSIGHT',
    }),
  );
  file.dict = dataset;
  return new Uint8Array(file.write());
}
