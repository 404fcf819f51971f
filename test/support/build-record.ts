import type {
  Appointment,
  Condition,
  Encounter,
  MedicationRequest,
  Observation,
  Patient,
  Procedure,
  Quantity,
} from '@medplum/fhirtypes';
import { type ClinicalRecord, clinicalRecord, type RecordResource } from '../../src/records/clinical-record.ts';

/** Small synthetic resources for tests; every default can be replaced. */

const subject = { reference: 'Patient/1' };

export function patient(parts: Partial<Patient> = {}): Patient {
  return { resourceType: 'Patient', id: '1', gender: 'female', birthDate: '1970-06-15', ...parts };
}

export function mgPerDl(value: number): Quantity {
  return { value, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' };
}

let sequence = 0;
function nextId(prefix: string): string {
  sequence += 1;
  return `${prefix}-${sequence}`;
}

/** A final laboratory result; `code` is a LOINC code. */
export function observation(
  code: string,
  valueQuantity: Quantity | undefined,
  effectiveDateTime: string,
  parts: Partial<Observation> = {},
): Observation {
  return {
    resourceType: 'Observation',
    id: nextId('obs'),
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject,
    effectiveDateTime,
    ...(valueQuantity === undefined ? {} : { valueQuantity }),
    ...parts,
  };
}

/** A confirmed diagnosis; `code` is a SNOMED CT code. */
export function condition(
  code: string | undefined,
  onsetDateTime: string | undefined,
  parts: Partial<Condition> = {},
): Condition {
  return {
    resourceType: 'Condition',
    id: nextId('cond'),
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: code === undefined ? { text: 'free text' } : { coding: [{ system: 'http://snomed.info/sct', code }] },
    subject,
    ...(onsetDateTime === undefined ? {} : { onsetDateTime }),
    ...parts,
  };
}

/** An active order; `code` is an RxNorm code. */
export function medicationRequest(
  code: string | undefined,
  authoredOn: string | undefined,
  parts: Partial<MedicationRequest> = {},
): MedicationRequest {
  return {
    resourceType: 'MedicationRequest',
    id: nextId('med'),
    status: 'active',
    intent: 'order',
    subject,
    ...(code === undefined
      ? {}
      : { medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }] } }),
    ...(authoredOn === undefined ? {} : { authoredOn }),
    ...parts,
  };
}

export function encounter(start: string, end?: string, parts: Partial<Encounter> = {}): Encounter {
  return {
    resourceType: 'Encounter',
    id: nextId('enc'),
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject,
    period: end === undefined ? { start } : { start, end },
    ...parts,
  };
}

/** A booked appointment, made on the first of February 2026. */
export function appointment(start: string, parts: Partial<Appointment> = {}): Appointment {
  return {
    resourceType: 'Appointment',
    id: nextId('app'),
    status: 'booked',
    start,
    end: start,
    created: '2026-02-01T09:00:00Z',
    participant: [{ actor: subject, status: 'accepted' }],
    ...parts,
  };
}

/** A completed procedure; `code` is a SNOMED CT code. */
export function procedure(
  code: string | undefined,
  performedDateTime: string | undefined,
  parts: Partial<Procedure> = {},
): Procedure {
  return {
    resourceType: 'Procedure',
    id: nextId('proc'),
    status: 'completed',
    subject,
    code: code === undefined ? { text: 'free text' } : { coding: [{ system: 'http://snomed.info/sct', code }] },
    ...(performedDateTime === undefined ? {} : { performedDateTime }),
    ...parts,
  };
}

/**
 * The record of Patient/1 as of an instant; the first Patient among the resources is the subject.
 * @param encounter the one that the call names, of the record too
 */
export function recordOf(
  resources: readonly RecordResource[],
  asOf = '2026-03-01T12:00:00Z',
  encounter?: Encounter,
): ClinicalRecord {
  const found = resources.find((resource): resource is Patient => resource.resourceType === 'Patient') ?? patient();
  return clinicalRecord({
    subject: { tenant: 'default', base: 'http://127.0.0.1/fhir/R4', id: found.id ?? '1' },
    own: true,
    asOf: new Date(asOf),
    patient: found,
    ...(encounter === undefined ? {} : { encounter }),
    entries: [...new Set([found, ...(encounter === undefined ? [] : [encounter]), ...resources])].map((resource) => ({
      resource,
      from: 'source',
    })),
  });
}
