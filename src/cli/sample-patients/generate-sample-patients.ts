import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { buildConditions } from './build-conditions.ts';
import { buildConsents } from './build-consents.ts';
import { buildEncounters } from './build-encounters.ts';
import { buildLaboratory } from './build-laboratory.ts';
import { buildMedications } from './build-medications.ts';
import { buildPatient } from './build-patient.ts';
import { buildVitals } from './build-vitals.ts';
import { drawPerson } from './draw-person.ts';
import { drawVisits } from './draw-visits.ts';
import { openRandomStream } from './random-stream.ts';
import { openIds } from './resource-identity.ts';
import { startOfDay } from './sample-time.ts';

/**
 * Sample patients: people who never existed, with histories a risk model can be tried on.
 *
 * Everything is synthetic. A person is drawn first (age, sex, body mass index, smoking, hypertension, diabetes,
 * cardiovascular disease, treatment, usual blood pressure and laboratory values), then some years of visits, then one
 * resource per measurement, diagnosis and prescription. The distributions and the links between them (blood pressure
 * rises with age and weight, creatinine with age and disease, statins lower cholesterol…) were chosen by this
 * project to look plausible. They describe no population, support no statement about any, and are not for clinical use.
 *
 * Some patients are made difficult on purpose: `situations.ts` lists how, and at which places in every hundred. Patient 1
 * can be scored by every model of the repository and has a rich record.
 *
 * How to tell them: each resource has the security label HTEST and the tag
 * `https://fhirsight.org/fhir/CodeSystem/data-origin|synthetic`; names read `Alpha Sample0001`; there is no address and no
 * telephone. All ids start with the patient's, `sample-0001`. All references stay inside one patient, but for a merged
 * patient's link to the patient before.
 *
 * The same (seed, index, day of the reference date) gives the same patient, bit for bit, however many are asked for.
 * Ids do not hold the seed: two seeds in one store overwrite each other.
 */
export interface SampleOptions {
  /** How many, at least 0. */
  readonly patients: number;
  /** A whole number from 0 to 2^53 − 1. */
  readonly seed: number;
  /** Histories end before the UTC day of this instant begins; the time of day does not matter. */
  readonly referenceDate: Date;
}

// The random stream takes an index of 32 bits.
const mostPatients = 2 ** 32 - 1;

/**
 * One array per patient, the Patient first, each resource after those it refers to (a merged patient's link included).
 * Patients are made when asked for; none is kept. Throws PARAMETER_INVALID for options outside the bounds above.
 */
export function generateSamplePatients(options: SampleOptions): Iterable<Resource[]> {
  const { patients, seed, referenceDate } = options;
  refuseOutside('patients', patients, mostPatients);
  refuseOutside('seed', seed, Number.MAX_SAFE_INTEGER);
  if (Number.isNaN(referenceDate.getTime())) {
    throw new PredictionError('PARAMETER_INVALID', 'The reference date of the sample patients is not a date.');
  }
  const referenceMs = startOfDay(referenceDate.getTime());
  return {
    *[Symbol.iterator]() {
      for (let index = 1; index <= patients; index++) yield generatePatient(seed, index, referenceMs);
    },
  };
}

function generatePatient(seed: number, index: number, referenceMs: number): Resource[] {
  const random = openRandomStream(seed, index);
  const person = drawPerson(index, referenceMs, random);
  const nextId = openIds(person.id);
  const visits = drawVisits(person, random);
  return [
    buildPatient(person, random),
    ...buildEncounters(person, visits),
    ...buildConditions(person, visits, random, nextId),
    ...buildVitals(person, visits, random, nextId),
    ...buildLaboratory(person, visits, random, nextId),
    ...buildMedications(person, visits, random, nextId),
    ...buildConsents(person, visits, nextId),
  ];
}

function refuseOutside(name: string, value: number, highest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= highest) return;
  throw new PredictionError(
    'PARAMETER_INVALID',
    `${name} of the sample is ${value}; a whole number from 0 to ${highest} is allowed.`,
  );
}
