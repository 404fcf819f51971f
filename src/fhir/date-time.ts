import { DateTime } from 'luxon';
import { daysIn, isUsualInstant, isWholeDay } from './usual-date.ts';

/** The time a FHIR date stands for: from `start` up to, but not including, `end`. Open ends are undefined. */
export interface Interval {
  readonly start?: Date;
  readonly end?: Date;
}

const shape =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?)?)?)?$/;

/**
 * Reads a FHIR date, dateTime or instant, also a partial one (`2024`, `2024-05`), as the interval it stands for:
 * a year, a month, a day, a minute, a second, or a millisecond. Without an offset it is local time of `timeZone`
 * (IANA name). Undefined where the text is no such date, or the date does not exist (2024-02-30).
 * A leap second counts as the second before it; digits beyond the millisecond are cut.
 */
export function parseFhirDate(text: string, timeZone: string): Required<Interval> | undefined {
  const parts = shape.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = parts;
  if (!existsInCalendar(parts)) return undefined;
  if (hour === undefined) return calendarInterval(parts, timeZone);
  const start = DateTime.fromObject(
    {
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Math.min(Number(second ?? 0), 59),
      millisecond: fraction === undefined ? 0 : Math.trunc(Number(fraction) * 1000),
    },
    { zone: offset === undefined ? timeZone : offset === 'Z' ? 'utc' : `UTC${offset}` },
  );
  if (!start.isValid) return undefined;
  return { start: start.toJSDate(), end: start.plus({ [precisionOf(parts)]: 1 }).toJSDate() };
}

/**
 * A year, a month or a day of the calendar in `timeZone`. It ends where the next one starts, not a length later: where
 * the clocks change at midnight a day can start at 01:00.
 */
function calendarInterval([, year, month, day]: RegExpExecArray, timeZone: string): Required<Interval> | undefined {
  const date = { year: Number(year), month: Number(month ?? 1), day: Number(day ?? 1) };
  if (timeZone === 'UTC' && date.year >= 1000) {
    const [nextYear, nextMonth, nextDay] = month === undefined ? [1, 0, 0] : day === undefined ? [0, 1, 0] : [0, 0, 1];
    const end = new Date(Date.UTC(date.year + nextYear, date.month - 1 + nextMonth, date.day + nextDay));
    return { start: new Date(Date.UTC(date.year, date.month - 1, date.day)), end };
  }
  const unit = month === undefined ? 'years' : day === undefined ? 'months' : 'days';
  const next = DateTime.fromObject(date, { zone: 'utc' }).plus({ [unit]: 1 });
  const start = startOfDay(date, timeZone);
  const end = startOfDay({ year: next.year, month: next.month, day: next.day }, timeZone);
  return start && end ? { start, end } : undefined;
}

/** Midnight; the first of two where the clocks go back over it, and where they skip it the instant they do. */
function startOfDay(date: { year: number; month: number; day: number }, zone: string): Date | undefined {
  const midnight = DateTime.fromObject(date, { zone });
  return midnight.isValid ? midnight.getPossibleOffsets()[0]?.toJSDate() : undefined;
}

function precisionOf([, , , , , , second, fraction]: RegExpExecArray): string {
  if (second === undefined) return 'minutes';
  return fraction === undefined ? 'seconds' : 'milliseconds';
}

function existsInCalendar([, year, month, day, hour, minute, second]: RegExpExecArray): boolean {
  if (Number(year) === 0) return false;
  if (month !== undefined && (Number(month) < 1 || Number(month) > 12)) return false;
  if (day !== undefined && (Number(day) < 1 || Number(day) > daysIn(Number(year), Number(month)))) return false;
  return Number(hour ?? 0) <= 23 && Number(minute ?? 0) <= 59 && Number(second ?? 0) <= 60;
}

const dateShape = /^\d{4}(-\d\d(-\d\d)?)?$/;
const timeShape = /T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** True for a FHIR `date` that exists: a year, a month or a day. */
export function isFhirDate(text: string): boolean {
  return isWholeDay(text) || (dateShape.test(text) && isReal(text));
}

/** True for a FHIR `dateTime` that exists: a date, or a time to the second with its offset. */
export function isFhirDateTime(text: string): boolean {
  return isWholeDay(text) || isFhirInstant(text) || (dateShape.test(text) && isReal(text));
}

/** True for a FHIR `instant` that exists: always to the second and with its offset. */
export function isFhirInstant(text: string): boolean {
  return isUsualInstant(text) || (timeShape.test(text) && isReal(text));
}

function isReal(text: string): boolean {
  const parts = shape.exec(text);
  return parts !== null && existsInCalendar(parts);
}
