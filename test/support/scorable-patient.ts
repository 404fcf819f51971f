import type { Condition, Encounter, Observation, Patient, Resource } from '@medplum/fhirtypes';

/** What stands in the record of a scorable patient that no log and no error may repeat. */
export const privateDetails = {
  family: 'Zzyzxfamily',
  given: 'Qwertygiven',
  birthDate: '1968-04-05',
  identifier: 'MRN-5550123',
  cholesterol: 213.456,
} as const;

/** Every value that `prevent-base` needs for one synthetic man, measured on 10 January 2026; ids begin with the patient's. */
export function scorablePatient(id: string, changes: Partial<Patient> = {}): Resource[] {
  const patient: Patient = {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:oid:1.2.3.4', value: `${privateDetails.identifier}-${id}` }],
    name: [{ family: privateDetails.family, given: [privateDetails.given] }],
    gender: 'male',
    birthDate: privateDetails.birthDate,
    ...changes,
  };
  const encounter: Encounter = {
    resourceType: 'Encounter',
    id: `${id}-visit`,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${id}` },
    period: { start: '2026-01-10T08:00:00Z', end: '2026-01-10T09:00:00Z' },
  };
  return [
    patient,
    encounter,
    laboratoryResult(id, 'cholesterol', '2093-3', privateDetails.cholesterol, 'mg/dL'),
    laboratoryResult(id, 'hdl', '2085-9', 47, 'mg/dL'),
    laboratoryResult(id, 'systolic', '8480-6', 151, 'mm[Hg]'),
    laboratoryResult(id, 'bmi', '39156-5', 27.5, 'kg/m2'),
    laboratoryResult(id, 'creatinine', '2160-0', 0.97, 'mg/dL'),
    {
      resourceType: 'Observation',
      id: `${id}-smoking`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '72166-2' }] },
      subject: { reference: `Patient/${id}` },
      effectiveDateTime: '2026-01-10T08:30:00Z',
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '266919005' }] },
    },
  ];
}

/** A final result in UCUM; `code` is a LOINC code. */
export function laboratoryResult(
  patient: string,
  name: string,
  code: string,
  value: number,
  unit: string,
  effectiveDateTime = '2026-01-10T08:30:00Z',
): Observation {
  return {
    resourceType: 'Observation',
    id: `${patient}-${name}`,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime,
    valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
  };
}

/** A confirmed diagnosis with a SNOMED CT code. */
export function diagnosis(patient: string, name: string, code: string, onsetDateTime: string): Condition {
  return {
    resourceType: 'Condition',
    id: `${patient}-${name}`,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
    code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    subject: { reference: `Patient/${patient}` },
    onsetDateTime,
  };
}
