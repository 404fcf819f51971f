import { Duration } from 'luxon';

/** An ISO 8601 duration as words: `P2Y` is `2 years`. */
export function durationWords(duration: string): string {
  return Duration.fromISO(duration, { locale: 'en' }).toHuman();
}
