import type { Resource } from '@medplum/fhirtypes';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { FeatureValue, MissingReason, SourceReference } from './feature-vector.ts';

/** What one kind of feature sees while it is extracted for one subject. */
export interface ExtractionContext {
  readonly record: ClinicalRecord;
  /** Epoch milliseconds. */
  readonly asOf: number;
  /** IANA zone in which dates without a time are read. */
  readonly timeZone: string;
  /** Values of the features extracted before this one, by name. */
  readonly values: ReadonlyMap<string, FeatureValue>;
  /** Resources of the record's Observations by each `system|code` of their own code. */
  observationsByCode(token: string): readonly Resource[];
}

/** Compiled once per feature at load; called once per subject. */
export type FeatureExtractor = (context: ExtractionContext) => FeatureValue;

/** A value that is not there, and why. */
export function missing(
  because: MissingReason,
  detail: string,
  sources: readonly SourceReference[] = [],
): FeatureValue {
  return { state: 'missing', because, detail, sources };
}
