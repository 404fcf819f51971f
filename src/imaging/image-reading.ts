import type { ImagingStudy } from '@medplum/fhirtypes';
import type { SourceReference } from '../records/clinical-record.ts';
import type { ImageFaultReason } from './image-fault.ts';
import type { ImagePreview } from './preprocess/image-preview.ts';

/** Why a model gets no image. Trouble with an image server is none of these: it is an error. */
export const imageMissingReasons = [
  'not-found', // no study in the window
  'undecodable', // a study that may be the one does not say what it is, or does not name itself
  'time-unknown', // a study that may be the newest does not say when it was made
  'no-image-source', // no endpoint is named and none configured, or the one that is named is not listed, or only the caller says whose study it is
  'no-matching-image', // no image of the study fits the rules
  'several-images', // more fit than the rules allow
  'study-incomplete', // images are still to come, as far as can be told
  'study-of-another-patient', // the images do not say that they are of the subject, or say that they are of somebody else
  'image-damaged',
  'image-unsupported',
  'image-too-large',
  'not-read', // another image of the model cannot be read: without it this one is of no use
] as const;
export type ImageMissingReason = (typeof imageMissingReasons)[number];

/** One frame that was read; frames count from 1 (DICOM). */
export interface ReadFrame {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly frame: number;
  /** How many frames its object has. */
  readonly objectFrames: number;
}

/** What was read of one image of a feature map, for one subject. */
export type ImageReading =
  | {
      readonly state: 'read';
      readonly tensor: Float32Array;
      /** SHA-256 (hex) of its numbers as float32, little-endian. */
      readonly digest: string;
      readonly shape: readonly number[];
      readonly preview: ImagePreview;
      readonly study: {
        readonly imagingStudy: SourceReference;
        readonly studyInstanceUid: string;
        /** As the images have it. */
        readonly accessionNumber?: string;
        /** Under whom the images that were read are filed there: see `ownerMark`. */
        readonly owners: readonly string[];
      };
      /** In the order in which the tensor was made of them. */
      readonly images: readonly ReadFrame[];
      /** When the study began, as the resource gives it. */
      readonly at: string;
      /** What was asked for, what was left out, and what was taken, in words. */
      readonly rule: string;
    }
  | {
      readonly state: 'missing';
      readonly because: ImageMissingReason;
      readonly detail: string;
      /** See NotYetQuiet. */
      readonly passes?: true;
      readonly sources: readonly SourceReference[];
    };

/** Ends the reading of one image inside this folder; `readImages` makes it a reason. Its message holds no value of a patient. */
export class NoImage extends Error {
  readonly because: ImageMissingReason | ImageFaultReason;
  /** The study that was chosen and gives no image, so that the abstention is about it. */
  readonly study?: ImagingStudy;

  constructor(because: ImageMissingReason, message: string, study?: ImagingStudy) {
    super(message);
    this.name = 'NoImage';
    this.because = because;
    if (study !== undefined) this.study = study;
  }
}

/** The study is there whole, as all that counts it says, and changed a moment ago: that passes by itself, and says nothing of its images. */
export class NotYetQuiet extends NoImage {
  constructor(message: string) {
    super('study-incomplete', message);
    this.name = 'NotYetQuiet';
  }
}
