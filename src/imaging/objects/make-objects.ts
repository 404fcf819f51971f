import { decode } from 'fast-png';
import type { Picture } from '../preprocess/encode-png.ts';
import { comprehensiveReport, type ReportContent } from './comprehensive-report.ts';
import type { ResultOrigin } from './result-origin.ts';
import { secondaryCapture } from './secondary-capture.ts';

/** A picture as a report holds it. */
export interface StoredPicture {
  /** What it shows, in words. */
  readonly title: string;
  /** From 1, among the pictures of the report. */
  readonly number: number;
  /** A PNG file in base64. */
  readonly png: string;
}

/** What is to be made of one version of a report. */
export interface ObjectsJob {
  readonly origin: ResultOrigin;
  readonly pictures: readonly StoredPicture[];
  /** Of the images that the pictures were drawn over; see `CapturedPicture`. */
  readonly drawnOver: { readonly burnedInAnnotation?: 'YES' | 'NO'; readonly lossy: boolean };
  /** Of the structured report; absent: none is made. */
  readonly content?: ReportContent;
  /** See `comprehensiveReport`. */
  readonly predecessor?: string;
}

/** The objects of a report as DICOM files, the pictures first. Throws a RangeError for a picture that is none of ours. */
export function makeObjects({ origin, content, pictures, drawnOver, predecessor }: ObjectsJob): Uint8Array[] {
  const captures = pictures.map(({ title, number, png }) =>
    secondaryCapture(origin, { title, number, picture: decodedPicture(png), ...drawnOver }),
  );
  return content === undefined ? captures : [...captures, comprehensiveReport(origin, content, predecessor)];
}

function decodedPicture(png: string): Picture {
  const { width, height, channels, depth, data } = decode(Buffer.from(png, 'base64'), { checkCrc: true });
  if (depth !== 8 || (channels !== 1 && channels !== 3) || !(data instanceof Uint8Array))
    throw new RangeError(`A picture of ${channels} channels of ${depth} bits is none of a report`);
  return { rows: height, columns: width, channels, data };
}
