import type { DicomJson } from '../dicom/dicom-json.ts';
import type { ReadFrame } from '../image-reading.ts';
import { writtenDataset } from './written-dataset.ts';

/** One object, and which of its frames. */
export interface ReadObject {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  /** From 1, ascending; absent: it has but one. */
  readonly frames?: readonly number[];
}

/** The objects that frames belong to, in the order in which they were read. */
export function readObjects(images: readonly ReadFrame[]): readonly ReadObject[] {
  const objects = Map.groupBy(images, ({ sopInstanceUid }) => sopInstanceUid);
  return [...objects.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { frame, objectFrames, ...object } = first;
    const frames = [frame, ...others.map((other) => other.frame)].toSorted((a, b) => a - b);
    return [objectFrames === 1 ? object : { ...object, frames }];
  });
}

/** A reference to an image (PS3.3, table 10-3); frames are named where it has more than one, or the whole object would be meant. */
export function imageReference({ sopClassUid, sopInstanceUid, frames }: ReadObject): DicomJson {
  return writtenDataset({
    ReferencedSOPClassUID: sopClassUid,
    ReferencedSOPInstanceUID: sopInstanceUid,
    ...(frames === undefined ? {} : { ReferencedFrameNumber: frames.map(String) }),
  });
}

/** Hierarchical SOP Instance Reference (PS3.3, table C.17-3): every object that a document refers to, under its series and study. */
export function evidence(study: string, objects: readonly ReadObject[]): DicomJson {
  const bySeries = Map.groupBy(objects, ({ seriesInstanceUid }) => seriesInstanceUid);
  return writtenDataset({
    StudyInstanceUID: study,
    ReferencedSeriesSequence: [...bySeries].map(([series, inSeries]) =>
      writtenDataset({
        SeriesInstanceUID: series,
        ReferencedSOPSequence: inSeries.map(({ sopClassUid, sopInstanceUid }) =>
          writtenDataset({ ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid }),
        ),
      }),
    ),
  });
}
