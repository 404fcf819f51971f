import type { Picture } from '../preprocess/encode-png.ts';
import { imageReference } from './image-references.ts';
import { objectFrame } from './object-frame.ts';
import { captureOf } from './object-names.ts';
import type { ResultOrigin } from './result-origin.ts';
import { writePart10 } from './write-part10.ts';
import { writtenDataset } from './written-dataset.ts';

/** PS3.4 B.5: Secondary Capture Image Storage. */
const secondaryCaptureStorage = '1.2.840.10008.5.1.4.1.1.7';
const seriesNumber = 9_001;
const mostRows = 65_535;
/** Of one report, so that the next version numbers on. */
const mostPictures = 1_000;

export interface CapturedPicture {
  /** What it shows, in words. */
  readonly title: string;
  /** From 1, among the pictures of the result. */
  readonly number: number;
  readonly picture: Picture;
  /** Whether the pixels say who the patient is; as the image has it that the picture was drawn over. Absent: nobody knows. */
  readonly burnedInAnnotation?: 'YES' | 'NO';
  /** True where that image has ever been compressed with loss. */
  readonly lossy: boolean;
}

/**
 * A picture of a result as a DICOM Secondary Capture (PS3.3 A.8.1) in the study that was read, as a file. It is derived, of modality
 * OT and in a series of its own, so that nothing takes it for an image of the scanner.
 * Throws a RangeError where the pixels are not rows × columns.
 */
export function secondaryCapture(origin: ResultOrigin, captured: CapturedPicture): Uint8Array {
  const { title, number, picture, burnedInAnnotation, lossy } = captured;
  const { rows, columns, channels, data } = picture;
  if (data.length !== rows * columns * channels || rows > mostRows || columns > mostRows || data.length === 0)
    throw new RangeError(`${data.length} values are no picture of ${rows} × ${columns} × ${channels}`);
  const { model } = origin;
  return writePart10({
    ...objectFrame(origin, {
      sopClassUid: secondaryCaptureStorage,
      modality: 'OT',
      role: 'secondary-capture',
      sopInstanceUid: captureOf(origin.identifier, number).sopInstanceUid,
      // The same picture of a later version of the report is the same object.
      instanceNumber: (origin.version - 1) * mostPictures + number,
      seriesNumber,
      madeAt: origin.computedAt,
    }),
    ...writtenDataset({
      ImageType: ['DERIVED', 'SECONDARY'],
      ConversionType: 'WSD',
      DerivationDescription: `${title}. Drawn by ${model.title} (${model.id} ${model.version}); not read by a radiologist.`,
      SourceImageSequence: origin.objects.map(imageReference),
      PatientOrientation: [],
      ImageComments: title,
      SamplesPerPixel: 3,
      PhotometricInterpretation: 'RGB',
      PlanarConfiguration: 0,
      Rows: rows,
      Columns: columns,
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelRepresentation: 0,
      ...(burnedInAnnotation === undefined ? {} : { BurnedInAnnotation: burnedInAnnotation }),
      LossyImageCompression: lossy ? '01' : '00',
      PixelData: colours(channels, data),
    }),
  });
}

/** Red, green and blue side by side. */
function colours(channels: Picture['channels'], data: Uint8Array): ArrayBuffer {
  if (channels === 3) return Uint8Array.from(data).buffer;
  const all = new Uint8Array(data.length * 3);
  for (const [at, gray] of data.entries()) all.fill(gray, 3 * at, 3 * at + 3);
  return all.buffer;
}
