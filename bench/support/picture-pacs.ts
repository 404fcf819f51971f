/**
 * A PACS of radiographs, as a process of its own: so many studies of one picture of 2,000 × 2,400 pixels of 16 bits, each of
 * another patient. Prints the base of its DICOMweb. `node bench/support/picture-pacs.ts <studies>`
 */

import { dataset } from '../../test/imaging/support/dataset.ts';
import { startFakePacs } from '../../test/support/fake-pacs.ts';
import { issuer, patientIdOf, studyUidOf } from './imaging-patients.ts';

const [studies = 200] = process.argv.slice(2).map(Number);
const [rows, columns] = [2000, 2400];

/** A picture that is not even: a disc on a slope. */
const stored = Uint16Array.from({ length: rows * columns }, (_, at) => {
  const row = Math.floor(at / columns) - 1000;
  const column = (at % columns) - 1200;
  return (row * row + column * column < 500_000 ? 1500 : 400) + ((at * 7) % 97);
});
const frames = [new Uint8Array(stored.buffer)];

const pacs = await startFakePacs(
  Array.from({ length: studies }, (_, number) => ({
    frames,
    dataset: dataset({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
      SOPInstanceUID: `${studyUidOf(number)}.1.1`,
      StudyInstanceUID: studyUidOf(number),
      SeriesInstanceUID: `${studyUidOf(number)}.1`,
      Modality: 'CR',
      BodyPartExamined: 'CHEST',
      ViewPosition: 'PA',
      PatientID: patientIdOf(number),
      IssuerOfPatientID: issuer,
      Rows: rows,
      Columns: columns,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
    }),
  })),
);
process.on('SIGTERM', () => void pacs.close());
process.stdout.write(`${pacs.base}\n`);
