import { type ExtractionContext, missing } from './feature-extractor.ts';
import type { MissingValue } from './feature-vector.ts';
import type { UntimedCandidate } from './observation-candidates.ts';

/** One that does not say when it was true, or not well enough, may be one that counts. */
export function timeUnknown(
  { record }: ExtractionContext,
  { label, pick }: { readonly label: string; readonly pick: string },
  rivals: readonly Pick<UntimedCandidate, 'observation'>[],
): MissingValue {
  const sources = rivals.map(({ observation }) => record.sourceReference(observation));
  const what = pick === 'latest' ? 'be the newest' : 'belong to those that count';
  return missing('time-unknown', `a ${label} without a usable time may ${what}`, sources);
}
