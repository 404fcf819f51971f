// The usual forms of dates and instants are read without a pattern and without a calendar: records are full of them.

const [dash, dot, colon, plus, letterT, letterZ] = [0x2d, 0x2e, 0x3a, 0x2b, 0x54, 0x5a];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Epoch milliseconds at which a day in UTC begins; undefined for a text that is no whole day, or one before 1000. */
export function startOfUtcDay(text: string): number | undefined {
  if (!isWholeDay(text)) return undefined;
  const year = digits(text, 0, 4);
  return year < 1000 ? undefined : daysBefore(year, digits(text, 5, 7), digits(text, 8, 10)) * dayMs;
}

/** Epoch milliseconds of an instant in one of its usual forms; undefined for every other text, and for a leap second. */
export function usualInstantMs(text: string): number | undefined {
  const instant = readUsualInstant(text);
  return Number.isNaN(instant) || digits(text, 17, 19) === 60 ? undefined : instant;
}

/** True for `2024-05-17` and no other form. */
export function isWholeDay(text: string): boolean {
  return text.length === 10 && isDay(text);
}

/** True for `2024-05-17T08:30:00` with `Z`, `.123Z` or `+02:00` behind it, and no other form. */
export function isUsualInstant(text: string): boolean {
  return !Number.isNaN(readUsualInstant(text));
}

/** Epoch milliseconds of a usual instant, of a leap second those of the next one; NaN for every other text. */
function readUsualInstant(text: string): number {
  if (text.charCodeAt(10) !== letterT || text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon) return NaN;
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || !isDay(text)) return NaN;
  const day = daysBefore(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)) * dayMs;
  return day + hour * hourMs + minute * minuteMs + second * 1000 + usualEndMs(text);
}

/** What the characters behind the seconds add: `Z`, milliseconds and `Z`, or an offset of at most 14 hours; else NaN. */
function usualEndMs(text: string): number {
  if (text.length === 20) return text.charCodeAt(19) === letterZ ? 0 : NaN;
  if (text.length === 24) {
    const fraction = digits(text, 20, 23);
    return text.charCodeAt(19) === dot && fraction >= 0 && text.charCodeAt(23) === letterZ ? fraction : NaN;
  }
  const sign = text.charCodeAt(19);
  if (text.length !== 25 || (sign !== plus && sign !== dash) || text.charCodeAt(22) !== colon) return NaN;
  const hours = digits(text, 20, 22);
  const minutes = digits(text, 23, 25);
  if (hours < 0 || minutes < 0 || minutes > 59 || hours > 14 || (hours === 14 && minutes > 0)) return NaN;
  const offset = hours * hourMs + minutes * minuteMs;
  return sign === plus ? -offset : offset;
}

/** Whether the first ten characters are a day of the calendar: `2024-05-17`. */
function isDay(text: string): boolean {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return false;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Days from 1970-01-01 to a day of the calendar. */
function daysBefore(year: number, month: number, day: number): number {
  const leapDay = month > 2 && daysIn(year, 2) === 29 ? 1 : 0;
  const ofYears = (year - 1970) * 365 + leapYearsBefore(year) - leapYearsBefore(1970);
  return ofYears + (daysBeforeMonth[month - 1] ?? 0) + leapDay + day - 1;
}

function leapYearsBefore(year: number): number {
  const last = year - 1;
  return Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400);
}

/** The number that the characters from `from` up to `to` write; -1 where one is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Days of a month, 1 to 12. */
export function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
