import type { Patient } from '@medplum/fhirtypes';
import { DateTime } from 'luxon';
import { changesMeaning } from '../../features/unknown-meaning.ts';
import { ageBand } from './age-band.ts';

/** What patients are told apart by, in the order of `patientGroups`. */
export const patientGroupings = ['sex', 'age', 'race', 'ethnicity'] as const;

const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';

/** The categories of the Office of Management and Budget as US Core codes them. */
const categories: Readonly<Record<string, string>> = {
  '1002-5': 'American Indian or Alaska Native',
  '2028-9': 'Asian',
  '2054-5': 'Black or African American',
  '2076-8': 'Native Hawaiian or Other Pacific Islander',
  '2106-3': 'White',
  '2131-1': 'Other Race',
  '2135-2': 'Hispanic or Latino',
  '2186-5': 'Not Hispanic or Latino',
};

/**
 * Administrative sex, age band at as-of, race and ethnicity by US Core; undefined where the Patient does not say, or not well
 * enough. Only for telling groups apart: a model is given what its map reads.
 */
export function patientGroups(patient: Patient, asOf: Date, timeZone: string): (string | undefined)[] {
  if (changesMeaning(patient)) return patientGroupings.map(() => undefined);
  return [
    patient.gender === 'unknown' ? undefined : patient.gender,
    bandOf(patient.birthDate, asOf, timeZone),
    categoryOf(patient, 'race'),
    categoryOf(patient, 'ethnicity'),
  ];
}

/** A birth date known to the year or month has a band only where every day of it has the same one. */
function bandOf(birthDate: string | undefined, asOf: Date, timeZone: string): string | undefined {
  if (birthDate === undefined || !/^\d{4}(-\d{2}(-\d{2})?)?$/.test(birthDate)) return undefined;
  const today = DateTime.fromJSDate(asOf, { zone: timeZone }).toISODate() ?? '';
  // What the birth date leaves out, as the first and as the last day that it may mean.
  const bands = ['YYYY-01-01', 'YYYY-12-31'].map((day) =>
    ageBand(completedYears(`${birthDate}${day.slice(birthDate.length)}`, today)),
  );
  return bands[0] === bands[1] ? bands[0] : undefined;
}

/** Of two days as text. A month with an end that the calendar has not is as good for that as one with it. */
function completedYears(born: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}

function categoryOf(patient: Patient, name: 'race' | 'ethnicity'): string | undefined {
  const parts = (patient.extension ?? [])
    .filter(({ url }) => url === `${usCore}${name}`)
    .flatMap(({ extension = [] }) => extension)
    .filter(({ url }) => url === 'ombCategory');
  const found = [...new Set(parts.map(({ valueCoding }) => valueCoding?.code))];
  if (found.length > 1) return 'several';
  return found[0] === undefined ? undefined : categories[found[0]];
}
