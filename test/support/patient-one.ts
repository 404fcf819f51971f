import type { Resource } from '@medplum/fhirtypes';
import { encounter, observation, patient } from './build-record.ts';

/** What tells one synthetic person from another who is Patient/1 elsewhere. */
export interface PersonalValues {
  readonly gender: 'female' | 'male';
  readonly birthDate: string;
  readonly systolic: number;
  readonly totalCholesterol: number;
  readonly hdlCholesterol: number;
  readonly bodyMassIndex: number;
  readonly creatinine: number;
}

const loinc = 'http://loinc.org';

/** Patient/1 with all that PREVENT needs, on 2026-02-01. Whoever it is, every id is the same. */
export function patientOne(values: PersonalValues): Resource[] {
  const at = '2026-02-01T09:00:00Z';
  const measured = (id: string, code: string, value: number, unit: string) =>
    observation(code, { value, unit, system: 'http://unitsofmeasure.org', code: unit }, at, { id });
  return [
    patient({ id: '1', gender: values.gender, birthDate: values.birthDate }),
    encounter('2026-02-01T08:45:00Z', '2026-02-01T09:15:00Z', { id: 'visit' }),
    measured('sbp', '8480-6', values.systolic, 'mm[Hg]'),
    measured('total', '2093-3', values.totalCholesterol, 'mg/dL'),
    measured('hdl', '2085-9', values.hdlCholesterol, 'mg/dL'),
    measured('bmi', '39156-5', values.bodyMassIndex, 'kg/m2'),
    measured('creatinine', '2160-0', values.creatinine, 'mg/dL'),
    observation('72166-2', undefined, at, {
      id: 'smoking',
      code: { coding: [{ system: loinc, code: '72166-2' }] },
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '266919005' }] },
    }),
  ];
}
