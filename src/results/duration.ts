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
  return DateTime.fromJSDate(from, { zone: timeZone })
    .plus({ [unit]: count })
    .toJSDate();
}

/** An instant as a FHIR dateTime with the offset of the site. @param timeZone IANA name */
export function fhirDateTime(instant: Date, timeZone: string): string {
  const text = DateTime.fromJSDate(instant, { zone: timeZone }).toISO({ suppressMilliseconds: true });
  if (text === null)
    throw new PredictionError('RESULT_INVALID', `${timeZone} is no time zone, or the instant is none.`);
  return text;
}
