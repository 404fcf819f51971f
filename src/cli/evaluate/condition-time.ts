import type { Condition } from '@medplum/fhirtypes';
import { lastInstant } from '../../features/last-instant.ts';
import { type InstantRange, instantRange } from '../../fhir/instant-range.ts';

/**
 * When a diagnosis began: its onset, else when it was recorded. Where its onset is given as an age or a text, or it was over
 * before it was recorded, it began at an unknown time before: a range without a beginning.
 * @param timeZone of the site
 * @returns unknown where it says no time, or one that cannot be read
 */
export function conditionTime(condition: Condition, timeZone: string): InstantRange | 'unknown' {
  const rangeOf = (text: string | undefined): InstantRange | undefined =>
    text === undefined ? undefined : instantRange(text, timeZone);
  const { onsetDateTime, onsetPeriod, abatementDateTime, abatementPeriod, recordedDate } = condition;
  const onset = onsetDateTime ?? onsetPeriod?.start;
  if (onset !== undefined) return rangeOf(onset) ?? 'unknown';
  const recorded = rangeOf(recordedDate);
  const over = rangeOf(abatementDateTime ?? abatementPeriod?.start ?? abatementPeriod?.end);
  if (over !== undefined && (recorded === undefined || over.start < recorded.start)) return upTo(over);
  if (recorded === undefined) return 'unknown';
  return hasOtherOnset(condition) || hasUnreadEnd(condition, over) ? upTo(recorded) : recorded;
}

/** Any time up to the last one that this may stand for. */
function upTo(range: InstantRange): InstantRange {
  return { start: Number.NEGATIVE_INFINITY, end: lastInstant(range) + 1 };
}

/** An onset that is no date, or a period without a beginning. */
function hasOtherOnset({ onsetAge, onsetRange, onsetString, onsetPeriod }: Condition): boolean {
  return [onsetAge, onsetRange, onsetString, onsetPeriod].some((onset) => onset !== undefined);
}

/** It is over, and when is no date: it may have been so long before it was recorded. */
function hasUnreadEnd(condition: Condition, over: InstantRange | undefined): boolean {
  const { abatementDateTime, abatementPeriod, abatementAge, abatementRange, abatementString } = condition;
  if (over !== undefined) return false;
  return [abatementDateTime, abatementPeriod, abatementAge, abatementRange, abatementString].some(
    (end) => end !== undefined,
  );
}
