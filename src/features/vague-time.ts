import type { InstantRange } from '../fhir/instant-range.ts';

const longestDayMs = 26 * 60 * 60 * 1000;

/** A month or a year that holds as-of does not say on which side of it something lies; a day is read as seen. */
export function isVagueAt(asOf: number, { start, end }: InstantRange): boolean {
  return start <= asOf && end > asOf && end - start > longestDayMs;
}
