import type { InstantRange } from '../fhir/instant-range.ts';

/**
 * The candidates that may be the newest. A date without a time stands for its whole day, so it contends with every
 * candidate of that day: which of them is newest is not known, and if their values differ that is a conflict.
 */
export function newest<T extends { readonly time: InstantRange }>(candidates: readonly T[]): T[] {
  let latest = Number.NEGATIVE_INFINITY;
  for (const { time } of candidates) latest = Math.max(latest, time.start);
  return candidates.filter(({ time }) => time.end > latest);
}
