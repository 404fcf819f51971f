import type { Patient } from '@medplum/fhirtypes';
import { DateTime } from 'luxon';
import type { DemographicsDefinition } from '../model-catalog/feature-map-schema.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { changesMeaning } from './unknown-meaning.ts';

const raceExtension = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race';

/** Age in completed years at as-of, administrative sex, or US Core race, each from the Patient resource. */
export function compileDemographics(definition: DemographicsDefinition): FeatureExtractor {
  const read: FeatureExtractor =
    definition.element === 'age'
      ? ageAt
      : (context) => (definition.element === 'sex' ? sexOf(context, definition) : raceOf(context, definition));
  return (context) =>
    changesMeaning(context.record.patient)
      ? absent(context, 'undecodable', 'the Patient carries a modifier that is not known here')
      : read(context);
}

function observed(context: ExtractionContext, value: number | string): FeatureValue {
  return { state: 'observed', value, sources: [context.record.sourceReference(context.record.patient)] };
}

function absent(
  context: ExtractionContext,
  because: 'not-found' | 'time-unknown' | 'not-in-vocabulary' | 'undecodable',
  detail: string,
): FeatureValue {
  return missing(because, detail, [context.record.sourceReference(context.record.patient)]);
}

/** A birth date known to the month or year gives an age only where every day it may mean gives the same one. */
function ageAt(context: ExtractionContext): FeatureValue {
  const { birthDate } = context.record.patient;
  if (birthDate === undefined) return absent(context, 'not-found', 'Patient.birthDate is absent');
  const range = context.rangeOf(birthDate);
  if (range === undefined) return absent(context, 'time-unknown', 'Patient.birthDate is not a date');
  const asOf = dayOf(context.asOf, context.timeZone);
  const oldest = completedYears(dayOf(range.start, context.timeZone), asOf);
  const youngest = completedYears(dayOf(range.end - 1, context.timeZone), asOf);
  if (oldest !== youngest)
    return absent(context, 'time-unknown', 'Patient.birthDate is not precise enough to know the age');
  if (oldest < 0) return absent(context, 'time-unknown', 'Patient.birthDate is after the as-of date');
  return observed(context, oldest);
}

interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The day of an instant, in epoch milliseconds, in an IANA zone. */
function dayOf(instant: number, timeZone: string): CalendarDay {
  if (timeZone !== 'UTC') return DateTime.fromMillis(instant, { zone: timeZone });
  const date = new Date(instant);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** Someone born on 29 February completes a year on 1 March of a year without that day. */
function completedYears(born: CalendarDay, asOf: CalendarDay): number {
  const hadBirthday = asOf.month > born.month || (asOf.month === born.month && asOf.day >= born.day);
  return asOf.year - born.year - (hadBirthday ? 0 : 1);
}

function sexOf(context: ExtractionContext, definition: DemographicsDefinition): FeatureValue {
  const { gender } = context.record.patient;
  if (gender === undefined) return absent(context, 'not-found', 'Patient.gender is absent');
  const { vocabulary = {} } = definition;
  for (const value of Object.keys(vocabulary)) {
    if (vocabulary[value]?.includes(gender) === true) return observed(context, value);
  }
  return absent(context, 'not-in-vocabulary', `Patient.gender is ${gender}, which the model does not know`);
}

function raceOf(context: ExtractionContext, definition: DemographicsDefinition): FeatureValue {
  const categories = ombCategories(context.record.patient);
  if (categories.length === 0) return absent(context, 'not-found', 'Patient has no US Core race category');
  const [only] = categories;
  const values = Object.entries(definition.vocabulary ?? {});
  if (categories.length === 1 && only !== undefined) {
    const match = values.find(([, tokens]) => tokens.includes(only));
    if (match !== undefined) return observed(context, match[0]);
  }
  const everyOther = values.find(([, tokens]) => tokens.length === 0);
  if (everyOther !== undefined) return observed(context, everyOther[0]);
  return absent(context, 'not-in-vocabulary', 'Patient has a race category, or several, that the model does not know');
}

function ombCategories(patient: Patient): string[] {
  const parts = (patient.extension ?? [])
    .filter((extension) => extension.url === raceExtension)
    .flatMap((extension) => extension.extension ?? []);
  const codes = parts
    .filter((part) => part.url === 'ombCategory')
    .flatMap(({ valueCoding }) => (valueCoding === undefined ? [] : [`${valueCoding.system}|${valueCoding.code}`]));
  return [...new Set(codes)];
}
