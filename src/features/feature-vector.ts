import type { ReadFrame } from '../imaging/image-reading.ts';
import type { ImagePreview } from '../imaging/preprocess/image-preview.ts';
import type { SequenceNumbers } from '../model-catalog/column-value.ts';
import type { MissingInput } from '../model-catalog/missing-input.ts';
import type { SourceReference } from '../records/clinical-record.ts';
import type { Confidentiality } from '../records/confidentiality.ts';

export type { SourceReference } from '../records/clinical-record.ts';

export const missingReasons = [
  'not-found', // the search was complete and nothing in the window counts
  'no-recent-encounter', // nothing found, and the record shows no encounter in the declared time: absence proves nothing
  'undecodable', // a candidate exists whose meaning cannot be decided (text only, unresolvable reference, suspect text)
  'conflict', // two different values at the newest instant
  'unit-missing', // the newest value has no unit
  'unit-unknown', // the newest value's unit is no UCUM unit
  'unit-contradictory', // the human-readable unit and the coded unit disagree
  'unconvertible', // the newest value's unit cannot be converted to the declared one
  'comparator', // the newest value is a limit such as <5, not a number
  'implausible', // the newest value lies outside the plausible range
  'suspected-unit-error', // the newest value lies outside the plausible range, and its number would not in another unit of the analyte
  'not-numeric', // the newest value is not a finite number
  'unrecognised-answer', // the newest coded answer is in no declared list
  'not-in-vocabulary', // a code the model does not know (sex other or unknown, for one)
  'not-in-table', // the table has no row for what is looked up
  'status-at-time-unknown', // what holds today may not have held at as-of, or the other way about
  'time-unknown', // no usable clinical time
  'input-missing', // derived from an input that is missing, or the output of a model that abstains
  'no-encounter', // the feature is about the encounter of the call, and the call names none
  'not-asserted', // only the caller can give it, and the caller did not
  'too-few', // fewer measurements than the map asks for
  'too-long', // a text has more characters than the map reads
  'not-together', // measurements that belong together stand in no panel
  'not-computable', // the derivation gives no finite number
  'no-image-source', // no image server is named or configured, or the one that is named is not listed, or only the caller says whose study it is
  'no-matching-image', // no image of the study fits the rules
  'several-images', // more images, or studies, fit than the map takes
  'study-incomplete', // images are still to come, as far as can be told
  'study-of-another-patient', // the images do not prove that they are of the subject
  'image-damaged', // an image is not whole or contradicts itself
  'image-unsupported', // an image is of a form that is not read
  'image-too-large', // an image, or all of them, is larger than what is read
  'not-read', // an image that is of no use, since another one of the model cannot be read
] as const;
export type MissingReason = (typeof missingReasons)[number];

/** @throws RangeError for a reason that does not exist */
export function toMissingReason(text: string): MissingReason {
  const reason = missingReasons.find((known) => known === text);
  if (reason === undefined)
    throw new RangeError(`'${text}' is no reason to be missing; the reasons are ${missingReasons.join(', ')}`);
  return reason;
}

/** A measured value as its resource gives it. */
export interface OriginalValue {
  readonly value: number;
  /** UCUM, or the unit text that the site file knows. */
  readonly unit: string;
  /** The value is a limit, and the map says what it stands for. */
  readonly comparator?: '<' | '<=' | '>' | '>=';
}

/** What a text says: personal data, which no log, metric or result repeats. */
export interface FeatureText {
  /** In NFC, normalised and cut as the map says. */
  readonly content: string;
  /** How many characters (code points) it had; absent where it was not cut. */
  readonly cutFrom?: number;
}

/** What was read of an image: its pixels are personal data, which no log, metric or result repeats. */
export interface FeatureImage {
  /** What the model is given, in row-major order; nobody changes it. */
  readonly tensor: Float32Array;
  /** SHA-256 (hex) of its bytes, see `tensorDigest`: made with it, once, for a volume has many. */
  readonly digest: string;
  /** Sizes of the tensor, as the steps of the map make them. */
  readonly shape: readonly number[];
  /** What a person sees of it, of a volume its middle slice. */
  readonly preview: ImagePreview;
  readonly study: {
    readonly studyInstanceUid: string;
    readonly accessionNumber?: string;
    /** See `ownerMark`. */
    readonly owners: readonly string[];
  };
  /** The frames that the tensor was made of, in their order; frames count from 1 (DICOM). */
  readonly images: readonly ReadFrame[];
}

export type FeatureScalar = number | boolean | string;

/** Measured numbers on a grid of time: by channel one number for each bin, from the oldest to the newest. */
export type SequenceSteps = SequenceNumbers;

/**
 * What is known of one feature for one subject as of one instant. Absence is a value with a reason,
 * never NaN and never a silent default.
 */
export type FeatureValue =
  | {
      readonly state: 'observed';
      readonly value: FeatureScalar;
      readonly at?: string;
      readonly sources: readonly SourceReference[];
      /** As it was given, where that was in another unit or as a limit. */
      readonly original?: OriginalValue;
      /** Of a text, whose `value` is how many characters it has. */
      readonly text?: FeatureText;
      /** Of an image, whose `value` is how many frames were read. */
      readonly image?: FeatureImage;
      /** How its unit text was understood, where only the site file knows it; that a text was cut; by which rule an image was chosen. */
      readonly detail?: string;
    }
  | {
      readonly state: 'derived';
      readonly value: FeatureScalar;
      readonly at?: string;
      /** Of which features; none where it was made of several measurements. */
      readonly from: readonly string[];
      readonly detail?: string;
      /** `id@version` of the other model whose output it is. */
      readonly model?: string;
      /** Of a sequence, whose `value` is how many bins hold a measurement: what the model is given. */
      readonly steps?: SequenceSteps;
      readonly sources: readonly SourceReference[];
    }
  | { readonly state: 'asserted'; readonly value: FeatureScalar; readonly sources: readonly SourceReference[] }
  | {
      readonly state: 'imputed';
      readonly value: FeatureScalar;
      /** Why there is no value in the record. */
      readonly because: MissingReason;
      /** That reason in words, and where the value comes from. */
      readonly detail: string;
      readonly sources: readonly SourceReference[];
    }
  | {
      readonly state: 'assumed-absent';
      /** No, or none of what was to be counted. */
      readonly value: false | 0;
      readonly detail: string;
      readonly at?: string;
      readonly sources: readonly SourceReference[];
    }
  | {
      readonly state: 'missing';
      readonly because: MissingReason;
      readonly detail: string;
      /** The time of the values that are in conflict. */
      readonly at?: string;
      /** For a derived feature: the inputs that are missing. */
      readonly needs?: readonly string[];
      /** For the output of another model that lacks inputs: why it lacks them. */
      readonly behind?: readonly MissingReason[];
      /** Of an image: nothing is missing but the quiet period of its study, which passes by itself. */
      readonly passes?: true;
      /** What the model is given, where it was trained with values missing for this reason; else it abstains. */
      readonly given?: MissingInput;
      readonly sources: readonly SourceReference[];
    };

/** A feature without a value, and why. */
export type MissingValue = Extract<FeatureValue, { state: 'missing' }>;

export const verdictStates = ['score', 'not-eligible', 'insufficient-data', 'out-of-range'] as const;

/** May the model speak about this subject, for one outcome? */
export type Verdict =
  | { readonly state: 'score' }
  | {
      readonly state: 'not-eligible' | 'insufficient-data' | 'out-of-range';
      /** `deceased`, `age`, `creatinine:not-found`, `bodyMassIndex`…, in the order of the map. */
      readonly reasons: readonly { readonly reason: string; readonly feature?: string; readonly message: string }[];
    };

/** Step 2 of the path: what goes into the model, and what the model may say. */
export interface ModelInputs {
  /** By feature name, in the order of the map; holds population features too. */
  readonly features: ReadonlyMap<string, FeatureValue>;
  /** By outcome id, in the order of the manifest. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Every resource that was looked at to decide eligibility or give a value, without repeats. */
  readonly basis: readonly SourceReference[];
  /** How confidential what was looked at is; absent where no resource says it. */
  readonly confidentiality?: Confidentiality;
  /** Features that the map marks as sensitive, once they stand apart (see `shownInputs`): scored, and told to nobody. */
  readonly hidden?: ReadonlyMap<string, FeatureValue>;
}
