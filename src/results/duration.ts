import { DateTime } from 'luxon';
import { PredictionError } from '../platform/errors.ts';

const units = { Y: 'year', M: 'month', W: 'week', D: 'day' } as const;

interface SimpleDuration {
  readonly count: number;
  readonly unit: (typeof units)[keyof typeof units];
}

/** Reads `P10Y`, `P6M`, `P2W` or `P30D`, the only forms a manifest may hold. */
function parseDuration(text: string): SimpleDuration {
  const match = /^P(\d+)([YMWD])$/.exec(text);
  if (match === null) {
    throw new PredictionError('RESULT_INVALID', `${text} is no duration of the form P10Y, P6M, P2W or P30D.`);
  }
  return { count: Number(match[1]), unit: units[match[2] as keyof typeof units] };
}

/** `P10Y` as `10 years`. */
export function durationText(duration: string): string {
  const { count, unit } = parseDuration(duration);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * The instant a duration after another, by the calendar of the site: ten years end on the same day at the same
 * local time, whatever leap days and clock changes lie between.
 * @param timeZone IANA name
 */
export function addDuration(from: Date, duration: string, timeZone: string): Date {
  const { count, unit } = parseDuration(duration);
  if (timeZone === 'UTC') return addInUtc(from, count, unit);
  return DateTime.fromJSDate(from, { zone: timeZone })
    .plus({ [unit]: count })
    .toJSDate();
}

/** What the calendar of a site in UTC gives, without its zone's rules: a day that the month has not is its last one. */
function addInUtc(from: Date, count: number, unit: SimpleDuration['unit']): Date {
  const to = new Date(from);
  if (unit === 'day' || unit === 'week') {
    to.setUTCDate(from.getUTCDate() + count * (unit === 'week' ? 7 : 1));
    return to;
  }
  const months = from.getUTCMonth() + (unit === 'month' ? count : 0);
  const year = from.getUTCFullYear() + (unit === 'year' ? count : 0);
  const lastDay = new Date(Date.UTC(year, months + 1, 0)).getUTCDate();
  to.setUTCFullYear(year, months, Math.min(from.getUTCDate(), lastDay));
  return to;
}

/** An instant as a FHIR dateTime with the offset of the site. @param timeZone IANA name */
export function fhirDateTime(instant: Date, timeZone: string): string {
  if (timeZone === 'UTC') {
    const text = instant.toISOString();
    return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
  }
  const text = DateTime.fromJSDate(instant, { zone: timeZone }).toISO({ suppressMilliseconds: true });
  if (text === null)
    throw new PredictionError('RESULT_INVALID', `${timeZone} is no time zone, or the instant is none.`);
  return text;
}
