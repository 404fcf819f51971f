import type { Encounter } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** An encounter that took place. */
export interface Attendance {
  readonly encounter: Encounter;
  /** Epoch milliseconds: its end, or as-of for one that goes on then. */
  readonly time: number;
}

const attended: readonly string[] = ['arrived', 'triaged', 'in-progress', 'onleave', 'finished'];

/** Encounters of the record that had begun at as-of, the latest first; of equally late ones the one with the lesser id. */
export function attendances({
  record,
  asOf,
  rangeOf,
}: Pick<ExtractionContext, 'record' | 'asOf' | 'rangeOf'>): Attendance[] {
  const found: Attendance[] = [];
  for (const encounter of record.byType('Encounter')) {
    if (!attended.includes(encounter.status) || changesMeaning(encounter)) continue;
    const start = rangeOf(encounter.period?.start);
    if (start === undefined || start.start > asOf) continue;
    const end = encounter.period?.end === undefined ? start : rangeOf(encounter.period.end);
    found.push({ encounter, time: Math.min(end?.start ?? start.start, asOf) });
  }
  const idOf = ({ encounter }: Attendance) => encounter.id ?? '';
  return found.sort(
    (one, other) => other.time - one.time || (idOf(one) < idOf(other) ? -1 : idOf(one) > idOf(other) ? 1 : 0),
  );
}
