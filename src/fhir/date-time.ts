import { DateTime } from 'luxon';

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

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
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

/** Epoch milliseconds at which a day in UTC begins; undefined for a text that is no whole day. */
export function startOfUtcDay(text: string): number | undefined {
  if (!isWholeDay(text) || text < '1000') return undefined;
  return Date.UTC(digits(text, 0, 4), digits(text, 5, 7) - 1, digits(text, 8, 10));
}

/** True for `2024-05-17` and no other form; the usual ones are told without a pattern, for records are full of dates. */
function isWholeDay(text: string): boolean {
  return text.length === 10 && text[4] === '-' && text[7] === '-' && isDay(text);
}

/** True for `2024-05-17T08:30:00` with `Z`, `.123Z` or `+02:00` behind it, and no other form. */
function isUsualInstant(text: string): boolean {
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':' || !isUsualEnd(text)) return false;
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
  return text[4] === '-' && text[7] === '-' && isDay(text);
}

/** Whether the characters behind the seconds are `Z`, milliseconds and `Z`, or an offset of at most 14 hours. */
function isUsualEnd(text: string): boolean {
  if (text.length === 20) return text[19] === 'Z';
  if (text.length === 24) return text[19] === '.' && digits(text, 20, 23) >= 0 && text[23] === 'Z';
  if (text.length !== 25 || (text[19] !== '+' && text[19] !== '-') || text[22] !== ':') return false;
  const [hours, minutes] = [digits(text, 20, 22), digits(text, 23, 25)];
  return hours >= 0 && minutes >= 0 && minutes <= 59 && (hours <= 13 || (hours === 14 && minutes === 0));
}

/** Whether the first ten characters, with dashes where they belong, are a day of the calendar. */
function isDay(text: string): boolean {
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** The number that the characters from `from` up to `to` write; -1 where one is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isReal(text: string): boolean {
  const parts = shape.exec(text);
  return parts !== null && existsInCalendar(parts);
}
