import { DateTime, Duration } from 'luxon';

/** `since` of a cohort: from one on, days (by the calendar of a time zone), weeks, or hours. */
export const sincePattern = '^P(?:[1-9][0-9]{0,2}[DW]|T[1-9][0-9]{0,3}H)$';

/** Clocks of two servers differ, and what is written may be seen a little later: what changed so long before the last run is asked for again. */
const overlapMs = 10 * 60_000;

/**
 * From when on changed studies are in a run: `since` before it is made, and further back where the last finished run of its schedule
 * was made earlier than that. So nothing falls between two runs, however late one is or however many failed between them.
 * @param since for which `sincePattern` holds
 * @param timeZone IANA zone of the calendar: a day may have 23 or 25 hours
 * @param last when the last finished run of the schedule was made, whose cohort held all that had changed by then
 */
export function changedSince(
  since: string,
  { at, timeZone, last }: { readonly at: Date; readonly timeZone: string; readonly last?: Date },
): Date {
  const asked = DateTime.fromJSDate(at, { zone: timeZone }).minus(Duration.fromISO(since));
  if (!asked.isValid) throw new RangeError(`there is no instant ${since} before ${at.toISOString()} in ${timeZone}`);
  const lastMs = last === undefined ? Number.POSITIVE_INFINITY : last.getTime() - overlapMs;
  return new Date(Math.min(asked.toMillis(), lastMs));
}
