import type { Encounter } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** An encounter that took place. */
export interface Attendance {
  readonly encounter: Encounter;
  /** Epoch milliseconds, the last instant at which it is known to have gone on: its end, or as-of for one that goes on then. */
  readonly time: number;
}

const attended: readonly string[] = ['arrived', 'triaged', 'in-progress', 'onleave', 'finished'];

/** The latest of the encounters that had begun at as-of; of equally late ones the one with the least id. */
export function lastAttendance({
  record,
  asOf,
  rangeOf,
}: Pick<ExtractionContext, 'record' | 'asOf' | 'rangeOf'>): Attendance | undefined {
  let last: Attendance | undefined;
  for (const encounter of record.byType('Encounter')) {
    if (!attended.includes(encounter.status) || changesMeaning(encounter)) continue;
    const start = rangeOf(encounter.period?.start);
    if (start === undefined || start.start > asOf) continue;
    const end = encounter.period?.end === undefined ? start : rangeOf(encounter.period.end);
    const time = Math.min(end?.start ?? start.start, asOf);
    if (last === undefined || time > last.time || (time === last.time && idOf(encounter) < idOf(last.encounter))) {
      last = { encounter, time };
    }
  }
  return last;
}

function idOf({ id }: Encounter): string {
  return id ?? '';
}
