import { isFhirDateTime, parseFhirDate } from './date-time.ts';
import { startOfUtcDay, usualInstantMs } from './usual-date.ts';

/** The instants a FHIR date, dateTime or instant may stand for: from `start` up to but not including `end`, epoch milliseconds. */
export interface InstantRange {
  readonly start: number;
  readonly end: number;
}

const dayMs = 86_400_000;

/** What a date or instant in one of its usual forms stands for; undefined for every other text. See `instantRange`. */
export function usualRange(value: string, zone: string): InstantRange | undefined {
  if (value.length === 10) {
    const start = zone === 'UTC' ? startOfUtcDay(value) : undefined;
    return start === undefined ? undefined : { start, end: start + dayMs };
  }
  const instant = usualInstantMs(value);
  return instant === undefined ? undefined : { start: instant, end: instant + (value.length === 24 ? 1 : 1000) };
}

/**
 * Reads a FHIR date, dateTime or instant (R4 section 2.24.0.1). A value without a time is the whole day, month or
 * year in `zone` (IANA): it has no instant of its own, and the zone is the site's.
 * @returns undefined for text that is no such date, for a time without an offset, and for a date that does not exist
 */
export function instantRange(value: string, zone: string): InstantRange | undefined {
  const usual = usualRange(value, zone);
  if (usual !== undefined) return usual;
  return value.length <= dayLength ? calendarRange(value, zone) : readRange(value, zone);
}

const dayLength = 'YYYY-MM-DD'.length;
const mostKnown = 50_000;
const knownByZone = new Map<string, Map<string, InstantRange>>();

/**
 * A day, a month or a year of a zone is found by the rules of its clocks, which takes as long as all else in an extraction;
 * a life has few of them, and many people share them: each is read once.
 */
function calendarRange(value: string, zone: string): InstantRange | undefined {
  const known = knownByZone.get(zone) ?? new Map<string, InstantRange>();
  const found = known.get(value);
  if (found !== undefined) return found;
  const read = readRange(value, zone);
  if (read === undefined) return undefined;
  if (known.size >= mostKnown) known.clear();
  knownByZone.set(zone, known.set(value, read));
  return read;
}

function readRange(value: string, zone: string): InstantRange | undefined {
  if (!isFhirDateTime(value)) return undefined;
  if (value.includes('T')) {
    const start = Date.parse(value);
    // Date.parse refuses only what the calendar has and JavaScript has not: a leap second.
    if (!Number.isNaN(start)) return { start, end: start + (value.includes('.') ? 1 : 1000) };
  }
  const interval = parseFhirDate(value, zone);
  return interval === undefined ? undefined : { start: interval.start.getTime(), end: interval.end.getTime() };
}
