import type { DicomJson } from '../dicom/dicom-json.ts';
import type { ReadObject } from './image-references.ts';

/** Where the objects of one result come from: what all of them say. */
export interface ResultOrigin {
  /** See `resultIdentifier`: UIDs of objects are made of it. */
  readonly identifier: string;
  /** What stays when the result is amended, and names its series. */
  readonly report: string;
  /** Which version of the report it is, from 1. */
  readonly version: number;
  /** The data set of an image of the study; patient and study are copied from it. */
  readonly source: DicomJson;
  /** The objects that the images of the model are in, at least one. */
  readonly objects: readonly ReadObject[];
  readonly model: {
    readonly id: string;
    readonly version: string;
    readonly title: string;
    /** SHA-256 of the model's folder. */
    readonly digest: string;
  };
  /** Version of fhirsight. */
  readonly software: string;
  /** When the model computed it: of the pictures, and of the algorithm's part in a document. */
  readonly computedAt: Date;
  /** When this version of the report was issued, by a person who has reviewed it later than it was computed. */
  readonly issuedAt: Date;
  /** IANA zone of the site; dates are in it where the source does not state another offset. */
  readonly timeZone: string;
}
