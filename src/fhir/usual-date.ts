// The usual forms of dates and instants are read without a pattern and without a calendar: records are full of them.

const dash = 0x2d;
const dot = 0x2e;
const colon = 0x3a;
const plus = 0x2b;
const letterT = 0x54;
const letterZ = 0x5a;
const zero = 0x30;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Epoch milliseconds at which a day in UTC begins; undefined for a text that is no whole day, or one before 1000. */
export function startOfUtcDay(text: string): number | undefined {
  const days = text.length === 10 ? readDay(text) : noDay;
  return days >= year1000 ? days * dayMs : undefined;
}

/** Epoch milliseconds of an instant in one of its usual forms; undefined for every other text, and for a leap second. */
export function usualInstantMs(text: string): number | undefined {
  const instant = readUsualInstant(text);
  return Number.isNaN(instant) || twoDigits(text, 17) === 60 ? undefined : instant;
}

/** True for `2024-05-17` and no other form. */
export function isWholeDay(text: string): boolean {
  return text.length === 10 && readDay(text) !== noDay;
}

/** True for `2024-05-17T08:30:00` with `Z`, `.123Z` or `+02:00` behind it, and no other form. */
export function isUsualInstant(text: string): boolean {
  return !Number.isNaN(readUsualInstant(text));
}

/** Epoch milliseconds of a usual instant, of a leap second those of the next one; NaN for every other text. */
function readUsualInstant(text: string): number {
  const { length } = text;
  // Known to be long enough, no character read below is one that is not there.
  if (length !== 20 && length !== 25 && length !== 24) return NaN;
  if (text.charCodeAt(10) !== letterT || text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon) return NaN;
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NaN;
  const day = readDay(text);
  if (day === noDay) return NaN;
  const seconds = (hour * 60 + minute) * 60 + second;
  if (length === 20) return text.charCodeAt(19) === letterZ ? day * dayMs + seconds * 1000 : NaN;
  const added = length === 24 ? fractionMs(text) : offsetMs(text);
  return added === noEnd ? NaN : day * dayMs + seconds * 1000 + added;
}

const noEnd = -1 << 30;

/** Milliseconds and `Z`; `noEnd` for every other end of 24 characters. */
function fractionMs(text: string): number {
  const hundredths = twoDigits(text, 20);
  const thousandth = text.charCodeAt(22) - zero;
  const isFraction = hundredths >= 0 && thousandth >= 0 && thousandth <= 9;
  return isFraction && text.charCodeAt(19) === dot && text.charCodeAt(23) === letterZ
    ? hundredths * 10 + thousandth
    : noEnd;
}

/** What an offset of at most 14 hours adds; `noEnd` for every other end of 25 characters. */
function offsetMs(text: string): number {
  const sign = text.charCodeAt(19);
  if ((sign !== plus && sign !== dash) || text.charCodeAt(22) !== colon) return noEnd;
  const hours = twoDigits(text, 20);
  const minutes = twoDigits(text, 23);
  if (hours < 0 || minutes < 0 || minutes > 59 || hours > 14 || (hours === 14 && minutes > 0)) return noEnd;
  const offset = (hours * 60 + minutes) * minuteMs;
  return sign === plus ? -offset : offset;
}

const noDay = -1 << 30;

/**
 * Days from 1970-01-01 to the day of the calendar that the first ten characters write (`2024-05-17`); `noDay` for others.
 * @param text of ten characters at least
 */
function readDay(text: string): number {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return noDay;
  const century = twoDigits(text, 0);
  const ofCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (century < 0 || ofCentury < 0 || month < 1 || month > 12) return noDay;
  const year = century * 100 + ofCentury;
  return year === 0 || day < 1 || day > daysIn(year, month) ? noDay : daysBefore(year, month, day);
}

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Days from 1970-01-01 to a day of the calendar. */
function daysBefore(year: number, month: number, day: number): number {
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  const ofYears = (year - 1970) * 365 + leapYearsBefore(year) - leapYearsBefore1970;
  return ofYears + (daysBeforeMonth[month - 1] ?? 0) + leapDay + day - 1;
}

function leapYearsBefore(year: number): number {
  const last = year - 1;
  return (last >> 2) - Math.trunc(last / 100) + Math.trunc(last / 400);
}

const leapYearsBefore1970 = leapYearsBefore(1970);
const year1000 = daysBefore(1000, 1, 1);

/** The number that two characters write, both of them there; -1 where one is no digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - zero;
  const ones = text.charCodeAt(at + 1) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function isLeap(year: number): boolean {
  return (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days of a month, 1 to 12. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
