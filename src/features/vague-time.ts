import type { InstantRange } from '../fhir/instant-range.ts';

const longestDayMs = 26 * 60 * 60 * 1000;

/** Known to the month or the year only: too vague to say how long ago it was. */
export function isVague({ start, end }: InstantRange): boolean {
  return end - start > longestDayMs;
}

/** A month or a year that holds as-of does not say on which side of it something lies; a day is read as seen. */
export function isVagueAt(asOf: number, range: InstantRange): boolean {
  return range.start <= asOf && range.end > asOf && isVague(range);
}
