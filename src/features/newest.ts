import type { InstantRange } from '../fhir/instant-range.ts';
import type { UntimedCandidate } from './observation-candidates.ts';

/**
 * The candidates that may be the newest. A date without a time stands for its whole day, so it contends with every
 * candidate of that day: which of them is newest is not known, and if their values differ that is a conflict.
 */
export function newest<T extends { readonly time: InstantRange }>(candidates: readonly T[]): readonly T[] {
  if (candidates.length < 2) return candidates;
  let latest = Number.NEGATIVE_INFINITY;
  for (const { time } of candidates) if (time.start > latest) latest = time.start;
  return candidates.filter(({ time }) => time.end > latest);
}

/** The candidates that may be the oldest, by the same rule. */
export function earliest<T extends { readonly time: InstantRange }>(candidates: readonly T[]): readonly T[] {
  if (candidates.length < 2) return candidates;
  let soonest = Number.POSITIVE_INFINITY;
  for (const { time } of candidates) if (time.end < soonest) soonest = time.end;
  return candidates.filter(({ time }) => time.start < soonest);
}

/** Of candidates that may lie before the window or in it, those that may be as new as the newest that surely lies in it. */
export function mayBeNewest<T extends { readonly time: InstantRange }>(
  contenders: readonly { readonly time: InstantRange }[],
  atEdge: readonly T[],
): readonly T[] {
  let newestStart = Number.NEGATIVE_INFINITY;
  for (const { time } of contenders) if (time.start > newestStart) newestStart = time.start;
  return atEdge.filter(({ time }) => time.end > newestStart);
}

/** Of the candidates without a time, those that may be as new as the newest with one: it cannot be told which counts. */
export function perhapsNewer<T extends Pick<UntimedCandidate, 'latest'>>(
  contenders: readonly { readonly time: InstantRange }[],
  untimed: readonly T[],
): readonly T[] {
  if (untimed.length === 0) return untimed;
  let newestStart = Number.NEGATIVE_INFINITY;
  for (const { time } of contenders) if (time.start > newestStart) newestStart = time.start;
  return untimed.filter(({ latest }) => latest >= newestStart);
}
