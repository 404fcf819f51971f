import type { Extension, Patient } from '@medplum/fhirtypes';
import { DateTime } from 'luxon';
import type { DemographicsDefinition } from '../model-catalog/feature-map-schema.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import { codesOf, compileSex } from './sex.ts';
import { changesMeaning } from './unknown-meaning.ts';

const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';

/** Age in completed years at as-of, sex, or what an extension of US Core says, each from the Patient resource. */
export function compileDemographics(definition: DemographicsDefinition): FeatureExtractor {
  const read = compileElement(definition);
  return (context) =>
    changesMeaning(context.record.patient)
      ? absent(context, 'undecodable', 'the Patient carries a modifier that is not known here')
      : read(context);
}

function compileElement(definition: DemographicsDefinition): FeatureExtractor {
  switch (definition.element) {
    case 'age':
      return ageAt;
    case 'sex':
      return compileSex(definition);
    case 'race':
    case 'ethnicity':
      return compileCategory(definition, `${definition.element} category`, (patient) =>
        ombCategories(patient, definition.element),
      );
    case 'birth-sex':
      return compileCategory(definition, 'birth sex', (patient) => extensionsOf(patient, 'birthsex').flatMap(codesOf));
  }
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

/** By the codes that an extension of US Core gives: one that the vocabulary lists, or, for any other and for several, the empty value. */
function compileCategory(
  definition: DemographicsDefinition,
  what: string,
  codesIn: (patient: Patient) => readonly string[],
): FeatureExtractor {
  const values = Object.entries(definition.vocabulary ?? {});
  const everyOther = values.find(([, tokens]) => tokens.length === 0);
  return (context) => {
    const codes = new Set(codesIn(context.record.patient));
    const [only] = codes;
    if (only === undefined) return absent(context, 'not-found', `Patient has no US Core ${what}`);
    if ([...codes].some((code) => code.startsWith('undefined|')))
      return absent(context, 'undecodable', `Patient has a US Core ${what} whose code names no system`);
    if ([...codes].every(isUnknown))
      return absent(context, 'not-in-vocabulary', `Patient has a US Core ${what} that is not known`);
    const match = codes.size === 1 ? values.find(([, tokens]) => tokens.includes(only)) : undefined;
    const value = match ?? everyOther;
    if (value !== undefined) return observed(context, value[0]);
    return absent(
      context,
      'not-in-vocabulary',
      `Patient has a US Core ${what}, or several, that the model does not know`,
    );
  };
}

/** Asked but unknown, unknown and the like (HL7 v3 NullFlavor). */
function isUnknown(code: string): boolean {
  return code === 'UNK' || code === 'ASKU' || code.startsWith('http://terminology.hl7.org/CodeSystem/v3-NullFlavor|');
}

function extensionsOf(patient: Patient, name: string): Extension[] {
  return (patient.extension ?? []).filter(({ url }) => url === `${usCore}${name}`);
}

function ombCategories(patient: Patient, name: string): string[] {
  const parts = extensionsOf(patient, name).flatMap(({ extension = [] }) => extension);
  return parts.filter(({ url }) => url === 'ombCategory').flatMap(codesOf);
}
