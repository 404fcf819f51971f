import type {
  Condition,
  Consent,
  Encounter,
  MedicationRequest,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';

const referenceDate = new Date('2026-03-01T00:00:00Z');
const twoYearsBefore = new Date('2024-03-01T00:00:00Z').getTime();
const fiveYearsBefore = new Date('2021-03-01T00:00:00Z').getTime();

test('at least 40 % of the patients aged 40 to 79 have all that the PREVENT base equation needs', () => {
  const records = [...generateSamplePatients({ patients: 1000, seed: 1, referenceDate })];
  const middleAged = records.filter((record) => ageOf(record) >= 40 && ageOf(record) <= 79);
  const scorable = middleAged.filter((record) => obstaclesToPrevent(record).length === 0);
  expect(middleAged.length).toBeGreaterThan(600);
  expect(scorable.length / middleAged.length).toBeGreaterThanOrEqual(0.4);
});

test('each obstacle to a prediction stops somebody', () => {
  const records = [...generateSamplePatients({ patients: 1000, seed: 1, referenceDate })];
  expect([...new Set(records.flatMap(obstaclesToPrevent))].sort()).toEqual([
    'age',
    'bmi missing',
    'bmi range',
    'cholesterol conflict',
    'cholesterol is a limit',
    'cholesterol missing',
    'cholesterol range',
    'cholesterol without unit',
    'creatinine missing',
    'deceased',
    'egfr range',
    'hdl missing',
    'inactive',
    'medication in words only',
    'merged',
    'no recent encounter',
    'opted out',
    'prior cardiovascular disease',
    'sex',
    'smoking missing',
    'systolic range',
  ]);
});

test('whatever the seed, the first patient is 55 to 60 years old, has a rich record and can be scored', () => {
  for (let seed = 0; seed < 200; seed++) {
    const [record = []] = generateSamplePatients({ patients: 1, seed, referenceDate });
    expect(obstaclesToPrevent(record)).toEqual([]);
    expect(ageOf(record)).toBeGreaterThanOrEqual(55);
    expect(ageOf(record)).toBeLessThanOrEqual(60);
    expect(record.length).toBeGreaterThan(80);
    expect(new Set(record.map((resource) => resource.resourceType)).size).toBeGreaterThanOrEqual(6);
    const race = JSON.stringify(record[0]);
    expect(race.includes('"2106-3"') || race.includes('"2054-5"')).toBe(true);
  }
});

/** What keeps the PREVENT base equation from speaking, read from the record alone, in no order. */
function obstaclesToPrevent(record: readonly Resource[]): string[] {
  const patient = record[0] as Patient;
  const obstacles: string[] = [];
  const when = (condition: boolean, obstacle: string) => {
    if (condition) obstacles.push(obstacle);
  };
  const age = ageOf(record);
  when(age < 30 || age > 79, 'age');
  when(patient.gender !== 'male' && patient.gender !== 'female', 'sex');
  when(patient.deceasedBoolean !== undefined || patient.deceasedDateTime !== undefined, 'deceased');
  when(patient.active === false, 'inactive');
  when(patient.link !== undefined, 'merged');
  const consents = ofType<Consent>('Consent', record);
  when(
    consents.some((consent) => consent.status === 'active'),
    'opted out',
  );
  const ends = ofType<Encounter>('Encounter', record).map((encounter) => Date.parse(encounter.period?.end ?? ''));
  when(!ends.some((end) => end >= twoYearsBefore), 'no recent encounter');
  when(ofType<Condition>('Condition', record).some(isCardiovascular), 'prior cardiovascular disease');
  const requests = ofType<MedicationRequest>('MedicationRequest', record);
  const isText = (request: MedicationRequest) =>
    request.medicationReference === undefined && request.medicationCodeableConcept?.coding === undefined;
  when(requests.some(isText), 'medication in words only');

  const numeric = (name: string, codes: Readonly<Record<string, number>>): number | undefined => {
    const newest = newestOf(record, Object.keys(codes));
    const [first] = newest;
    if (first === undefined) {
      obstacles.push(`${name} missing`);
      return undefined;
    }
    when(new Set(newest.map((one) => one.value)).size > 1, `${name} conflict`);
    when(first.comparator !== undefined, `${name} is a limit`);
    when(first.unit === undefined, `${name} without unit`);
    return (first.value ?? Number.NaN) / (codes[first.code] ?? Number.NaN);
  };
  const inRange = (name: string, value: number | undefined, low: number, high: number) =>
    when(value !== undefined && !(value >= low && value <= high), `${name} range`);

  inRange('systolic', numeric('systolic', { '8480-6': 1 }), 90, 180);
  inRange('cholesterol', numeric('cholesterol', { '2093-3': 1, '14647-2': 0.02586 }), 130, 320);
  inRange('hdl', numeric('hdl', { '2085-9': 1, '14646-4': 0.02586 }), 20, 100);
  inRange('bmi', numeric('bmi', { '39156-5': 1 }), 18.5, 39.999);
  const creatinine = numeric('creatinine', { '2160-0': 1, '38483-4': 1, '14682-9': 88.4 });
  if (creatinine !== undefined) inRange('egfr', ckdEpi2021(creatinine, age, patient.gender === 'female'), 15, 140);
  const smoking = newestOf(record, ['72166-2'])[0]?.answer;
  when(!['449868002', '8517006', '266919005'].includes(smoking ?? ''), 'smoking missing');
  return obstacles;
}

interface Newest {
  readonly code: string;
  readonly value?: number;
  readonly unit?: string;
  readonly comparator?: string;
  readonly answer?: string;
}

/** All usable values at the newest instant within five years, components included. */
function newestOf(record: readonly Resource[], codes: readonly string[]): Newest[] {
  const candidates = ofType<Observation>('Observation', record)
    .filter((observation) => ['final', 'amended', 'corrected'].includes(observation.status))
    .flatMap((observation) => {
      const at = Date.parse(observation.effectiveDateTime ?? '');
      return [observation, ...(observation.component ?? [])].map((part) => ({
        at,
        code: part.code.coding?.[0]?.code ?? '',
        value: part.valueQuantity?.value,
        unit: part.valueQuantity?.unit,
        comparator: part.valueQuantity?.comparator,
        answer: part.valueCodeableConcept?.coding?.[0]?.code,
      }));
    })
    .filter((candidate) => codes.includes(candidate.code) && candidate.at >= fiveYearsBefore);
  const newestAt = Math.max(...candidates.map((candidate) => candidate.at));
  return candidates.filter((candidate) => candidate.at === newestAt);
}

function isCardiovascular(condition: Condition): boolean {
  const verification = condition.verificationStatus?.coding?.[0]?.code;
  const code = condition.code?.coding?.[0]?.code ?? '';
  return verification === 'confirmed' && ['22298006', '230690007', '84114007'].includes(code);
}

/** mL/min/1.73 m² from creatinine in mg/dL; Inker et al., N Engl J Med 2021;385:1737-49. */
function ckdEpi2021(creatinine: number, age: number, female: boolean): number {
  const [kappa, alpha, factor] = female ? [0.7, -0.241, 1.012] : [0.9, -0.302, 1];
  const ratio = creatinine / kappa;
  return 142 * Math.min(ratio, 1) ** alpha * Math.max(ratio, 1) ** -1.2 * 0.9938 ** age * factor;
}

function ageOf(record: readonly Resource[]): number {
  const [year = 0, month = 0, day = 0] = ((record[0] as Patient).birthDate ?? '').split('-').map(Number);
  const birthdayPassed = month < 3 || (month === 3 && day <= 1);
  return 2026 - year - (birthdayPassed ? 0 : 1);
}

function ofType<T extends Resource>(type: T['resourceType'], record: readonly Resource[]): T[] {
  return record.filter((resource): resource is T => resource.resourceType === type);
}
