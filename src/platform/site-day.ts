import { DateTime } from 'luxon';

/** The day at an instant where the site is, as `YYYY-MM-DD`. @param timeZone IANA zone */
export function siteDay(instant: Date, timeZone: string): string {
  return DateTime.fromJSDate(instant, { zone: timeZone }).toFormat('yyyy-MM-dd');
}
