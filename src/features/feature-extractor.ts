import type { Observation } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { Attendance } from './attendance.ts';
import type { FeatureValue, MissingReason, MissingValue, SourceReference } from './feature-vector.ts';
import type { ImageReadings } from './image.ts';
import type { ModelOutputs } from './model-output.ts';

/** What one kind of feature sees while it is extracted for one subject. */
export interface ExtractionContext {
  readonly record: ClinicalRecord;
  /** Epoch milliseconds. */
  readonly asOf: number;
  /** IANA zone in which dates without a time are read. */
  readonly timeZone: string;
  /** What a date stands for, see `instantRange`; undefined where there is none. */
  rangeOf(date: string | undefined): InstantRange | undefined;
  /** Epoch milliseconds: an ISO 8601 duration before as-of. */
  since(duration: string): number;
  /** The day of the site on which an instant (epoch milliseconds) lies: `2024-05-17`. */
  dayOf(instant: number): string;
  /** The same for every feature of one extraction: made by the first that asks with this key. */
  once<Made>(key: object, make: () => Made): Made;
  /** The latest of the encounters that had begun at as-of. */
  lastAttended(): Attendance | undefined;
  /** Values of the features extracted before this one, by name. */
  readonly values: ReadonlyMap<string, FeatureValue>;
  /** What other models say of the same record, see `outputKey`; empty where the map takes none of it. */
  readonly outputs: ModelOutputs;
  /** What was read of the images of the map; empty where it has none. */
  readonly images: ImageReadings;
  /** The record's Observations by the places of their codes, see `ObservationIndex`. */
  readonly observations: readonly (readonly Observation[] | undefined)[];
}

/** Compiled once per feature at load; called once per subject. */
export type FeatureExtractor = (context: ExtractionContext) => FeatureValue;

/** A value that is not there, and why. */
export function missing(
  because: MissingReason,
  detail: string,
  sources: readonly SourceReference[] = [],
): MissingValue {
  return { state: 'missing', because, detail, sources };
}

/** A number that is not finite, or that JSON writes with an exponent, which no result holds: another unit would do. */
export function unsayable(label: string, sources: readonly SourceReference[]): FeatureValue {
  return missing('not-computable', `${label} gives no number that a result can write in plain digits`, sources);
}
