import type {
  Condition,
  Consent,
  Encounter,
  MedicationRequest,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { openRandomStream } from '../../src/cli/sample-patients/random-stream.ts';
import { PredictionError } from '../../src/platform/errors.ts';

const referenceDate = new Date('2026-03-01T00:00:00Z');

function sample(patients: number, seed = 1, reference = referenceDate): Resource[][] {
  return [...generateSamplePatients({ patients, seed, referenceDate: reference })];
}

const threeHundred = sample(300);
const resources = threeHundred.flat();

function ofType<T extends Resource>(type: T['resourceType'], among: readonly Resource[] = resources): T[] {
  return among.filter((resource): resource is T => resource.resourceType === type);
}
const patients = ofType<Patient>('Patient');
const observations = ofType<Observation>('Observation');
const conditions = ofType<Condition>('Condition');
const requests = ofType<MedicationRequest>('MedicationRequest');

function loinc(observation: Observation): string | undefined {
  return observation.code.coding?.[0]?.code;
}

/** The Observations with this code in one patient's record, oldest first. */
function withCode(record: readonly Resource[], ...codes: string[]): Observation[] {
  return ofType<Observation>('Observation', record)
    .filter((observation) => codes.includes(loinc(observation) ?? ''))
    .sort((one, other) => instant(one.effectiveDateTime) - instant(other.effectiveDateTime));
}

function instant(dateTime: string | undefined): number {
  const ms = Date.parse(dateTime ?? '');
  if (Number.isNaN(ms)) throw new Error(`${dateTime} is no date`);
  return ms;
}

describe('sample patients are the same wherever and whenever they are made', () => {
  test('the same seed and day give the same bits twice', () => {
    expect(JSON.stringify(sample(20))).toBe(JSON.stringify(sample(20)));
  });

  test('the time of day of the reference date changes nothing', () => {
    expect(sample(3, 1, new Date('2026-03-01T23:59:59Z'))).toEqual(sample(3));
  });

  test('patient 5 is the same among 5 and among 50', () => {
    expect(sample(50)[4]).toEqual(sample(5)[4]);
  });

  test('another seed or another index gives other people', () => {
    expect(sample(5, 2)[4]).not.toEqual(sample(5, 1)[4]);
    expect(sample(5, 1 + 2 ** 32)[4]).not.toEqual(sample(5, 1)[4]);
    const births = new Set(patients.map((patient) => patient.birthDate));
    expect(births.size).toBeGreaterThan(280);
  });

  test('the random stream draws what sfc32 draws in another implementation', () => {
    const small = openRandomStream(1, 1);
    const large = openRandomStream(2 ** 40 + 7, 5);
    const draw = (stream: typeof small) => [1, 2, 3].map(() => stream.uniform() * 2 ** 32);
    expect(draw(small)).toEqual([4114208188, 1734779857, 162665512]);
    expect(draw(large)).toEqual([3828171342, 3739003358, 1685080417]);
  });

  test('patients are made one at a time: asking for four billion costs nothing until they are read', () => {
    const iterator = generateSamplePatients({ patients: 4e9, seed: 1, referenceDate })[Symbol.iterator]();
    expect(iterator.next().value?.[0]?.id).toBe('sample-0001');
    expect(iterator.next().value?.[0]?.id).toBe('sample-0002');
  });

  test.each([
    [{ patients: -1, seed: 1, referenceDate }, 'patients of the sample is -1'],
    [{ patients: 1.5, seed: 1, referenceDate }, 'patients of the sample is 1.5'],
    [{ patients: Number.NaN, seed: 1, referenceDate }, 'patients of the sample is NaN'],
    [{ patients: 1, seed: 2 ** 53, referenceDate }, 'seed of the sample is'],
    [{ patients: 1, seed: -3, referenceDate }, 'seed of the sample is -3'],
    [{ patients: 1, seed: 1, referenceDate: new Date('yesterday') }, 'is not a date'],
  ])('options outside their bounds are refused at once: %o', (options, message) => {
    expect(() => generateSamplePatients(options)).toThrow(PredictionError);
    expect(() => generateSamplePatients(options)).toThrow(message);
  });
});

describe('sample patients cannot be taken for real ones', () => {
  test('every resource is labelled HTEST and tagged as synthetic', () => {
    for (const resource of resources) {
      expect(resource.meta?.security).toContainEqual({
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
        code: 'HTEST',
        display: 'test health data',
      });
      expect(resource.meta?.tag?.[0]).toMatchObject({
        system: 'https://fhirsight.org/fhir/CodeSystem/data-origin',
        code: 'synthetic',
      });
    }
  });

  test('names are numbers and Greek letters, and nobody has an address, a telephone or a portrait', () => {
    for (const patient of patients) {
      expect(patient.name?.[0]?.family).toMatch(/^Sample\d{4,}$/);
      expect(patient.name?.[0]?.given?.join()).toMatch(/^(Alpha|Beta|Gamma|Delta|Epsilon|Zeta|Eta|Theta|Kappa|Sigma)$/);
      expect(patient.address ?? patient.telecom ?? patient.contact ?? patient.photo).toBeUndefined();
    }
  });
});

describe('sample records hang together', () => {
  test('ids are valid, unique and start with the id of the patient, which comes first', () => {
    expect(new Set(resources.map((resource) => `${resource.resourceType}/${resource.id}`)).size).toBe(resources.length);
    for (const [index, [patient, ...rest]] of threeHundred.entries()) {
      expect(patient?.resourceType).toBe('Patient');
      expect(patient?.id).toBe(`sample-${String(index + 1).padStart(4, '0')}`);
      for (const resource of rest) {
        expect(resource.id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
        expect(resource.id?.startsWith(`${patient?.id}-`)).toBe(true);
      }
    }
  });

  test('each reference leads to an earlier resource of the same patient, or to the patient before for a merged one', () => {
    for (const [index, record] of threeHundred.entries()) {
      const known = new Set<string>([`Patient/sample-${String(index).padStart(4, '0')}`]);
      for (const resource of record) {
        known.add(`${resource.resourceType}/${resource.id}`);
        const contained = 'contained' in resource ? (resource.contained ?? []) : [];
        for (const reference of referencesIn(resource)) {
          const local = contained.some((inner) => `#${inner.id}` === reference);
          expect(local || known.has(reference), `${resource.id} refers to ${reference}`).toBe(true);
        }
      }
    }
  });

  test('no record holds anything after the reference date, and nothing happens after death', () => {
    for (const record of threeHundred) {
      const [patient] = ofType<Patient>('Patient', record);
      const end = patient?.deceasedDateTime ? instant(patient.deceasedDateTime) : referenceDate.getTime();
      for (const at of timesIn(record)) expect(instant(at), `${patient?.id} ${at}`).toBeLessThanOrEqual(end);
    }
  });

  test('results are issued after they are measured, and times carry a zone', () => {
    for (const observation of observations) {
      expect(instant(observation.issued)).toBeGreaterThan(instant(observation.effectiveDateTime));
    }
    for (const at of timesIn(resources)) {
      expect(at).toMatch(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2}))?$/);
    }
  });

  test('ages run from 18 to 95, on a leap day too', () => {
    for (const reference of [referenceDate, new Date('2028-02-29T00:00:00Z')]) {
      for (const [patient] of sample(100, 4, reference)) {
        const age = ageAt(reference, (patient as Patient).birthDate ?? '');
        expect(age).toBeGreaterThanOrEqual(18);
        expect(age).toBeLessThanOrEqual(95);
      }
    }
  });

  test('there are about 60 resources a patient', () => {
    expect(resources.length / threeHundred.length).toBeGreaterThan(50);
    expect(resources.length / threeHundred.length).toBeLessThan(70);
  });
});

/** Each situation, and how to see that one record shows it. */
const situations: Record<string, (record: readonly Resource[], patient: Patient) => boolean> = {
  'death with a date': (_, patient) => patient.deceasedDateTime !== undefined,
  'death without a date': (_, patient) => patient.deceasedBoolean === true,
  inactive: (_, patient) => patient.active === false,
  'merged into another': (_, patient) => patient.link?.[0]?.type === 'replaced-by',
  'gender other': (_, patient) => patient.gender === 'other',
  'gender unknown': (_, patient) => patient.gender === 'unknown',
  'no race': (_, patient) => racesOf(patient).length === 0,
  'two races': (_, patient) => racesOf(patient).length === 2,
  'race unknown': (_, patient) => racesOf(patient)[0] === 'UNK',
  'no encounter in two years': (record, patient) =>
    patient.deceasedBoolean === undefined &&
    ofType<Encounter>('Encounter', record).every((encounter) => (encounter.period?.start ?? '') < '2024-03-01'),
  'an admission in progress': (record) =>
    ofType<Encounter>('Encounter', record).some((encounter) => encounter.status === 'in-progress'),
  'a refusal of use in force': (record) =>
    ofType<Consent>('Consent', record).some(
      ({ status, policyRule }) => status === 'active' && policyRule !== undefined,
    ),
  'a refusal of use that ended': (record) =>
    ofType<Consent>('Consent', record).some((consent) => consent.status === 'inactive'),
  'blood pressure as panel 85354-9': (record) => withCode(record, '85354-9').some(hasBothPressures),
  'blood pressure as panel 55284-4': (record) => withCode(record, '55284-4').some(hasBothPressures),
  'blood pressure standing alone': (record) => withCode(record, '8480-6').length > 0,
  'cholesterol in mg/dL': (record) => unitsOf(record, '2093-3').has('mg/dL'),
  'cholesterol in mmol/L': (record) => unitsOf(record, '14647-2').has('mmol/L'),
  'HDL in mg/dL': (record) => unitsOf(record, '2085-9').has('mg/dL'),
  'HDL in mmol/L': (record) => unitsOf(record, '14646-4').has('mmol/L'),
  'creatinine under 2160-0': (record) => unitsOf(record, '2160-0').has('mg/dL'),
  'creatinine under 38483-4': (record) => unitsOf(record, '38483-4').has('mg/dL'),
  'creatinine in umol/L': (record) => unitsOf(record, '14682-9').has('umol/L'),
  'both unit systems in one record': (record) =>
    withCode(record, '2093-3').length > 0 && withCode(record, '14647-2').length > 0,
  'every other analyte': (record) =>
    ['4548-4', '2339-0', '2951-2', '2823-3', '9318-7', '1920-8', '1742-6', '777-3'].every(
      (code) => withCode(record, code).length > 0,
    ),
  'body measures and pulse': (record) =>
    ['8302-2', '29463-7', '39156-5', '8867-4'].every((code) => withCode(record, code).length > 0),
  'smokes daily': (record) => smokingAnswer(record) === '449868002',
  'former smoker': (record) => smokingAnswer(record) === '8517006',
  'never smoked': (record) => smokingAnswer(record) === '266919005',
  'smoking unknown': (record) => smokingAnswer(record) === '266927001',
  'a preliminary result newer than the final one': (record) => {
    const [final, preliminary] = withCode(record, '2093-3', '14647-2').slice(-2);
    return final?.status === 'final' && preliminary?.status === 'preliminary';
  },
  'a corrected result in place of a withdrawn one at the same instant': (record) => {
    const [withdrawn, corrected] = withCode(record, '2093-3', '14647-2').slice(-2);
    return (
      withdrawn?.status === 'entered-in-error' &&
      corrected?.status === 'corrected' &&
      withdrawn.effectiveDateTime === corrected.effectiveDateTime
    );
  },
  'an absurd blood pressure entered in error': (record) =>
    ofType<Observation>('Observation', record).some(
      (observation) =>
        observation.status === 'entered-in-error' && JSON.stringify(observation).includes('"value":1380'),
    ),
  'a cancelled result with the reason': (record) =>
    withCode(record, '2093-3', '14647-2').some(
      (observation) => observation.status === 'cancelled' && observation.dataAbsentReason && !observation.valueQuantity,
    ),
  'a cancelled blood pressure': (record) =>
    withCode(record, '85354-9').some(({ status, component }) => status === 'cancelled' && component === undefined),
  'a value below the limit of detection': (record) => hasComparator(record, '<'),
  'a value above the measuring range': (record) => hasComparator(record, '>'),
  'two different final values at one instant': (record) => {
    const [one, other] = withCode(record, '2093-3', '14647-2').slice(-2);
    return (
      one?.status === 'final' &&
      other?.status === 'final' &&
      one.effectiveDateTime === other.effectiveDateTime &&
      one.valueQuantity?.value !== other.valueQuantity?.value
    );
  },
  'a value without a unit': (record) =>
    withCode(record, '2093-3', '14647-2').some(
      ({ valueQuantity }) => valueQuantity && valueQuantity.code === undefined,
    ),
  'no laboratory at all': (record) => withCode(record, '2093-3', '14647-2', '2951-2').length === 0,
  'a date without a time': (record) =>
    ofType<Observation>('Observation', record).some(({ effectiveDateTime }) => effectiveDateTime?.length === 10),
  'times at +01:00': (record) => timesIn(record).some((at) => at.endsWith('+01:00')),
  'times at -05:00': (record) => timesIn(record).some((at) => at.endsWith('-05:00')),
  'times at Z': (record) => timesIn(record).some((at) => at.endsWith('Z')),
};

describe('three hundred sample patients, and each hundred of them, hold every situation', () => {
  test.each(Object.keys(situations))('%s', (name) => {
    const shows = situations[name];
    const hundredsThatShow = [0, 1, 2].filter((hundred) =>
      threeHundred.slice(hundred * 100, hundred * 100 + 100).some((record) => shows?.(record, record[0] as Patient)),
    );
    expect(hundredsThatShow).toEqual([0, 1, 2]);
  });

  test('conditions: active, resolved, refuted, entered in error, and in words only', () => {
    const states = new Set(conditions.map((condition) => condition.clinicalStatus?.coding?.[0]?.code));
    expect([...states]).toEqual(expect.arrayContaining(['active', 'resolved']));
    const verifications = new Set(conditions.map((condition) => condition.verificationStatus?.coding?.[0]?.code));
    expect([...verifications].sort()).toEqual(['confirmed', 'entered-in-error', 'refuted']);
    const codes = new Set(conditions.map((condition) => condition.code?.coding?.[0]?.code));
    expect([...codes]).toEqual(expect.arrayContaining(['44054006', '38341003', '22298006', undefined]));
  });

  test('medication: coded, contained, referenced and in words only; active, stopped and completed', () => {
    const coded = requests.map((request) => request.medicationCodeableConcept?.coding?.[0]?.code);
    expect(coded).toEqual(expect.arrayContaining(['312961', '259255', '197361', '316049', '860975', undefined]));
    const references = requests.map((request) => request.medicationReference?.reference ?? '');
    expect(references.some((reference) => reference === '#drug')).toBe(true);
    expect(references.some((reference) => reference.startsWith('Medication/sample-'))).toBe(true);
    expect(requests.some(({ medicationCodeableConcept: drug }) => drug?.text && drug.coding === undefined)).toBe(true);
    expect([...new Set(requests.map((request) => request.status))].sort()).toEqual(['active', 'completed', 'stopped']);
    expect(JSON.stringify(requests)).toContain('"197604"');
  });

  test('most results are final', () => {
    const final = observations.filter((observation) => observation.status === 'final').length;
    expect(final / observations.length).toBeGreaterThan(0.98);
  });
});

describe('sample histories are plausible', () => {
  const meanOf = (records: readonly Resource[][], value: (record: Resource[]) => number | undefined) => {
    const values = records.map(value).filter((one) => one !== undefined);
    return values.reduce((sum, one) => sum + one, 0) / values.length;
  };
  const newestValue = (record: readonly Resource[], code: string) =>
    withCode(record, code).findLast((observation) => observation.status === 'final')?.valueQuantity?.value;
  const hasDiabetes = (record: readonly Resource[]) =>
    ofType<Condition>('Condition', record).some((condition) => condition.code?.coding?.[0]?.code === '44054006');

  test('HbA1c and body mass index are higher with diabetes', () => {
    const [sick, well] = [threeHundred.filter(hasDiabetes), threeHundred.filter((record) => !hasDiabetes(record))];
    const hba1c = (record: Resource[]) => newestValue(record, '4548-4');
    const bodyMassIndex = (record: Resource[]) => newestValue(record, '39156-5');
    expect(meanOf(sick, hba1c)).toBeGreaterThan(meanOf(well, hba1c) + 1);
    expect(meanOf(sick, bodyMassIndex)).toBeGreaterThan(meanOf(well, bodyMassIndex));
  });

  test('systolic pressure rises with age', () => {
    const systolic = (record: Resource[]) =>
      withCode(record, '85354-9').findLast(({ status }) => status === 'final')?.component?.[0]?.valueQuantity?.value;
    const age = (record: Resource[]) => ageAt(referenceDate, (record[0] as Patient).birthDate ?? '');
    const young = threeHundred.filter((record) => age(record) < 45);
    const old = threeHundred.filter((record) => age(record) > 70);
    expect(meanOf(old, systolic)).toBeGreaterThan(meanOf(young, systolic) + 5);
  });

  test('body mass index agrees with weight and height', () => {
    for (const record of threeHundred) {
      const [weight, height, ratio] = ['29463-7', '8302-2', '39156-5'].map((code) => newestValue(record, code));
      if (weight === undefined || height === undefined || ratio === undefined) continue;
      expect(Math.abs(ratio - (weight * 10_000) / height ** 2)).toBeLessThan(0.051);
    }
  });
});

function racesOf(patient: Patient): (string | undefined)[] {
  const race = patient.extension?.find((extension) => extension.url.endsWith('us-core-race'));
  const categories = race?.extension?.filter((extension) => extension.url === 'ombCategory') ?? [];
  return categories.map((category) => category.valueCoding?.code);
}

function hasBothPressures(panel: Observation): boolean {
  const components = panel.component ?? [];
  const [systolic, diastolic] = components;
  return (
    systolic?.code.coding?.[0]?.code === '8480-6' &&
    diastolic?.code.coding?.[0]?.code === '8462-4' &&
    components.every((component) => component.valueQuantity?.code === 'mm[Hg]')
  );
}

function unitsOf(record: readonly Resource[], code: string): Set<string | undefined> {
  return new Set(withCode(record, code).map((observation) => observation.valueQuantity?.code));
}

function smokingAnswer(record: readonly Resource[]): string | undefined {
  return withCode(record, '72166-2').at(-1)?.valueCodeableConcept?.coding?.[0]?.code;
}

function hasComparator(record: readonly Resource[], comparator: string): boolean {
  return ofType<Observation>('Observation', record).some(
    (observation) => observation.valueQuantity?.comparator === comparator,
  );
}

function ageAt(reference: Date, birthDate: string): number {
  const birth = new Date(birthDate);
  const beforeBirthday =
    reference.getUTCMonth() < birth.getUTCMonth() ||
    (reference.getUTCMonth() === birth.getUTCMonth() && reference.getUTCDate() < birth.getUTCDate());
  return reference.getUTCFullYear() - birth.getUTCFullYear() - (beforeBirthday ? 1 : 0);
}

function stringsUnder(value: unknown, keys: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => stringsUnder(item, keys));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    keys.includes(key) && typeof inner === 'string' ? [inner] : stringsUnder(inner, keys),
  );
}

function referencesIn(resource: Resource): string[] {
  return stringsUnder(resource, ['reference']);
}

function timesIn(record: readonly Resource[]): string[] {
  const keys = ['effectiveDateTime', 'issued', 'start', 'end', 'onsetDateTime', 'abatementDateTime'];
  return stringsUnder(record, [...keys, 'recordedDate', 'authoredOn', 'dateTime', 'deceasedDateTime']);
}
