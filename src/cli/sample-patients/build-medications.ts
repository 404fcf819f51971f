import type { CodeableConcept, Medication, MedicationRequest } from '@medplum/fhirtypes';
import type { Person } from './draw-person.ts';
import type { Visit } from './draw-visits.ts';
import type { RandomStream } from './random-stream.ts';
import { type NextId, sampleMeta } from './resource-identity.ts';
import { formatInstant, minuteMs } from './sample-time.ts';

const catalogue = {
  simvastatin: { code: '312961', display: 'Simvastatin 20 MG Oral Tablet' },
  atorvastatin: { code: '259255', display: 'Atorvastatin 80 MG Oral Tablet' },
  amlodipine: { code: '197361', display: 'Amlodipine 5 MG Oral Tablet' },
  hydrochlorothiazide: { code: '316049', display: 'Hydrochlorothiazide 25 MG' },
  digoxin: { code: '197604', display: 'Digoxin 0.125 MG Oral Tablet' },
  metformin: { code: '860975', display: '24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet' },
  ibuprofen: { code: '310965', display: 'Ibuprofen 200 MG Oral Tablet' },
  acetaminophen: { code: '313782', display: 'Acetaminophen 325 MG Oral Tablet' },
} as const;
type Drug = keyof typeof catalogue;

/** How a request names its drug: in itself, in a contained Medication, in a Medication of its own, or in words only. */
type Form = 'coded' | 'contained' | 'referenced' | 'text';

interface Prescription {
  readonly drug: Drug;
  readonly status: 'active' | 'stopped' | 'completed';
  /** Which visit it was written at, counted from the oldest; past the end: the newest. */
  readonly visit: number;
}

/** The prescriptions and the Medication resources they refer to, these first. */
export function buildMedications(
  person: Person,
  visits: readonly Visit[],
  random: RandomStream,
  nextId: NextId,
): (Medication | MedicationRequest)[] {
  const prescriptions = drawPrescriptions(person, visits.length, random);
  const medications: Medication[] = [];
  const requests: MedicationRequest[] = [];
  for (const [index, prescription] of prescriptions.entries()) {
    const visit = visits[Math.min(prescription.visit, visits.length - 1)];
    if (visit === undefined) continue;
    const form = drawForm(person, index, random);
    const concept = drugConcept(prescription.drug);
    const request = buildRequest(person, nextId('rx'), prescription.status, visit);
    if (form === 'coded') requests.push({ ...request, medicationCodeableConcept: concept });
    if (form === 'contained') {
      const contained: Medication[] = [{ resourceType: 'Medication', id: 'drug', code: concept }];
      requests.push({ ...request, contained, medicationReference: { reference: '#drug' } });
    }
    if (form === 'referenced') {
      const medication: Medication = {
        resourceType: 'Medication',
        id: nextId('med'),
        meta: sampleMeta(),
        code: concept,
        status: 'active',
      };
      medications.push(medication);
      requests.push({ ...request, medicationReference: { reference: `Medication/${medication.id}` } });
    }
  }
  const newest = visits.at(-1);
  if (person.situations.has('medication-text-only') && newest !== undefined) {
    const request = buildRequest(person, nextId('rx'), 'active', newest);
    const text = 'Blood pressure tablet, name not known, brought along by the patient';
    requests.push({ ...request, medicationCodeableConcept: { text } });
  }
  return [...medications, ...requests];
}

function drawPrescriptions(person: Person, visitCount: number, random: RandomStream): Prescription[] {
  const prescriptions: Prescription[] = [];
  const early = () => random.integer(0, Math.max(0, visitCount - 2));
  if (person.bloodPressureTreated) {
    const both = random.chance(0.25) || person.situations.has('showcase');
    const first = random.pick(['amlodipine', 'hydrochlorothiazide'] as const);
    const second = first === 'amlodipine' ? 'hydrochlorothiazide' : 'amlodipine';
    const firstStopped = random.chance(0.2) && !both;
    prescriptions.push({ drug: first, status: firstStopped ? 'stopped' : 'active', visit: early() });
    if (both || firstStopped) prescriptions.push({ drug: second, status: 'active', visit: visitCount - 1 });
  }
  if (person.statin) {
    const intensified = random.chance(0.3);
    prescriptions.push({ drug: 'simvastatin', status: intensified ? 'stopped' : 'active', visit: early() });
    if (intensified) prescriptions.push({ drug: 'atorvastatin', status: 'active', visit: visitCount - 1 });
  }
  if (person.diabetes && random.chance(0.8))
    prescriptions.push({ drug: 'metformin', status: 'active', visit: early() });
  if (person.cardiovascularDisease === 'heart-failure') {
    prescriptions.push({ drug: 'digoxin', status: 'active', visit: early() });
  }
  prescriptions.push({ drug: random.pick(['ibuprofen', 'acetaminophen']), status: 'completed', visit: early() });
  if (random.chance(0.3)) prescriptions.push({ drug: 'acetaminophen', status: 'active', visit: visitCount - 1 });
  return prescriptions;
}

/** The first prescriptions of a patient with a situation take its form, so that every hundred patients hold each. */
function drawForm(person: Person, index: number, random: RandomStream): Form {
  const form = random.uniform();
  const { situations } = person;
  if (situations.has('medication-contained') && index === 0) return 'contained';
  if (situations.has('medication-referenced') && index <= 1) return 'referenced';
  if (form < 0.72) return 'coded';
  return form < 0.86 ? 'contained' : 'referenced';
}

function drugConcept(drug: Drug): CodeableConcept {
  const coding = { system: 'http://www.nlm.nih.gov/research/umls/rxnorm', ...catalogue[drug] };
  return { coding: [coding], text: coding.display };
}

function buildRequest(person: Person, id: string, status: Prescription['status'], visit: Visit): MedicationRequest {
  return {
    resourceType: 'MedicationRequest',
    id,
    meta: sampleMeta(),
    status,
    intent: 'order',
    subject: { reference: `Patient/${person.id}` },
    encounter: { reference: `Encounter/${visit.encounterId}` },
    authoredOn: formatInstant(visit.startMs + 20 * minuteMs, person.offsetMinutes),
  };
}
