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
  const days = text.length === 10 ? readDay(text) : NaN;
  return days >= year1000 ? days * dayMs : undefined;
}

/** Epoch milliseconds of an instant in one of its usual forms; undefined for every other text, and for a leap second. */
export function usualInstantMs(text: string): number | undefined {
  const instant = readUsualInstant(text);
  return Number.isNaN(instant) || twoDigits(text, 17) === 60 ? undefined : instant;
}

/** True for `2024-05-17` and no other form. */
export function isWholeDay(text: string): boolean {
  return text.length === 10 && !Number.isNaN(readDay(text));
}

/** True for `2024-05-17T08:30:00` with `Z`, `.123Z` or `+02:00` behind it, and no other form. */
export function isUsualInstant(text: string): boolean {
  return !Number.isNaN(readUsualInstant(text));
}

/** Epoch milliseconds of a usual instant, of a leap second those of the next one; NaN for every other text. */
function readUsualInstant(text: string): number {
  if (text.charCodeAt(10) !== letterT || text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon) return NaN;
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NaN;
  return readDay(text) * dayMs + hour * hourMs + minute * minuteMs + second * 1000 + usualEndMs(text);
}

/** What the characters behind the seconds add: `Z`, milliseconds and `Z`, or an offset of at most 14 hours; else NaN. */
function usualEndMs(text: string): number {
  if (text.length === 20) return text.charCodeAt(19) === letterZ ? 0 : NaN;
  if (text.length === 24) {
    const hundredths = twoDigits(text, 20);
    const thousandth = text.charCodeAt(22) - zero;
    const isFraction = hundredths >= 0 && thousandth >= 0 && thousandth <= 9;
    return isFraction && text.charCodeAt(19) === dot && text.charCodeAt(23) === letterZ
      ? hundredths * 10 + thousandth
      : NaN;
  }
  const sign = text.charCodeAt(19);
  if (text.length !== 25 || (sign !== plus && sign !== dash) || text.charCodeAt(22) !== colon) return NaN;
  const hours = twoDigits(text, 20);
  const minutes = twoDigits(text, 23);
  if (hours < 0 || minutes < 0 || minutes > 59 || hours > 14 || (hours === 14 && minutes > 0)) return NaN;
  const offset = hours * hourMs + minutes * minuteMs;
  return sign === plus ? -offset : offset;
}

/** Days from 1970-01-01 to the day of the calendar that the first ten characters write (`2024-05-17`); NaN for others. */
function readDay(text: string): number {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return NaN;
  const century = twoDigits(text, 0);
  const ofCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const year = century * 100 + ofCentury;
  if (century < 0 || ofCentury < 0 || year === 0 || month < 1 || month > 12) return NaN;
  return day < 1 || day > daysIn(year, month) ? NaN : daysBefore(year, month, day);
}

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Days from 1970-01-01 to a day of the calendar. */
function daysBefore(year: number, month: number, day: number): number {
  const leapDay = month > 2 && daysIn(year, 2) === 29 ? 1 : 0;
  const ofYears = (year - 1970) * 365 + leapYearsBefore(year) - leapYearsBefore1970;
  return ofYears + (daysBeforeMonth[month - 1] ?? 0) + leapDay + day - 1;
}

function leapYearsBefore(year: number): number {
  const last = year - 1;
  return Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400);
}

const leapYearsBefore1970 = leapYearsBefore(1970);
const year1000 = daysBefore(1000, 1, 1);

/** The number that two characters write; -1 where one is no digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - zero;
  const ones = text.charCodeAt(at + 1) - zero;
  // Behind the end the difference is NaN, which fails both.
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** Days of a month, 1 to 12. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
