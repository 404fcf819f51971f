import { isFhirDateTime, parseFhirDate } from './date-time.ts';
import { startOfUtcDay, usualInstantMs } from './usual-date.ts';

/** The instants a FHIR date, dateTime or instant may stand for: from `start` up to but not including `end`, epoch milliseconds. */
export interface InstantRange {
  readonly start: number;
  readonly end: number;
}

const dayMs = 86_400_000;

/**
 * Reads a FHIR date, dateTime or instant (R4 section 2.24.0.1). A value without a time is the whole day, month or
 * year in `zone` (IANA): it has no instant of its own, and the zone is the site's.
 * @returns undefined for text that is no such date, for a time without an offset, and for a date that does not exist
 */
export function instantRange(value: string, zone: string): InstantRange | undefined {
  if (zone === 'UTC') {
    const start = startOfUtcDay(value);
    if (start !== undefined) return { start, end: start + dayMs };
  }
  const instant = usualInstantMs(value);
  if (instant !== undefined) return { start: instant, end: instant + (value.includes('.') ? 1 : 1000) };
  if (!isFhirDateTime(value)) return undefined;
  if (value.includes('T')) {
    const start = Date.parse(value);
    // Date.parse refuses only what the calendar has and JavaScript has not: a leap second.
    if (!Number.isNaN(start)) return { start, end: start + (value.includes('.') ? 1 : 1000) };
  }
  const interval = parseFhirDate(value, zone);
  return interval === undefined ? undefined : { start: interval.start.getTime(), end: interval.end.getTime() };
}
