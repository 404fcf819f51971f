import type { Encounter } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import { compareTexts } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';
import { isVagueAt } from './vague-time.ts';

/** An encounter that took place. */
export interface Attendance {
  readonly encounter: Encounter;
  /** Epoch milliseconds, the last instant at which it is known to have gone on: its end, or as-of for one that goes on then. */
  readonly time: number;
  /** Its end where that is known at as-of, else its beginning. */
  readonly at?: string;
}

/** Statuses of an encounter that took place. */
export const attendedStatuses: readonly string[] = ['arrived', 'triaged', 'in-progress', 'onleave', 'finished'];

/** The latest of the encounters that had begun at as-of. */
export function lastAttendance({
  record,
  asOf,
  rangeOf,
}: Pick<ExtractionContext, 'record' | 'asOf' | 'rangeOf'>): Attendance | undefined {
  let last: Attendance | undefined;
  for (const encounter of record.byType('Encounter')) {
    if (!attendedStatuses.includes(encounter.status) || changesMeaning(encounter)) continue;
    const { period } = encounter;
    const start = rangeOf(period?.start);
    // Known to the month or year of as-of, it may have begun later: it shows nothing.
    if (start === undefined || start.start > asOf || isVagueAt(asOf, start)) continue;
    const given = rangeOf(period?.end);
    const end = given === undefined || isVagueAt(asOf, given) ? start : given;
    const time = Math.min(end.start, asOf);
    if (last !== undefined && time < last.time) continue;
    const at = end === start || end.start > asOf ? period?.start : period?.end;
    const attendance = at === undefined ? { encounter, time } : { encounter, time, at };
    if (last === undefined || isLater(attendance, last)) last = attendance;
  }
  return last;
}

/** Of equally late ones the one with the least id, or the least date as a text. */
function isLater(one: Attendance, other: Attendance): boolean {
  if (one.time !== other.time) return one.time > other.time;
  const order =
    compareTexts(one.encounter.id ?? '', other.encounter.id ?? '') || compareTexts(one.at ?? '', other.at ?? '');
  return order < 0;
}
