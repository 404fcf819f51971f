import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { appointment, encounter, observation, patient, procedure } from '../support/build-record.ts';
import { everyColumnModel, everyColumnModels } from '../support/every-column-model.ts';
import { send } from '../support/fhir-test-server.ts';
import { folderAt, type ModelFolder } from '../support/model-folder.ts';
import { type PredictCall, predictOverHttp, readInputs } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const intake = 'http://example.org/fhir/Questionnaire/intake';

const features: Record<string, FeatureDefinition> = {
  procedureDuringStay: { kind: 'procedure', label: 'Any procedure during the stay', during: 'encounter' },
  proceduresOfYear: {
    kind: 'procedure',
    label: 'Appendectomies',
    codes: ['http://snomed.info/sct|80146002'],
    window: 'P1Y',
    pick: 'count',
  },
  hemoglobinAtDischarge: {
    kind: 'observation',
    label: 'Last hemoglobin before discharge',
    unit: 'g/dL',
    codes: ['http://loinc.org|718-7'],
    window: 'P30D',
    anchor: 'encounter-end',
    pick: 'latest',
    plausible: [2, 25],
    missing: 'abstain',
  },
  painScore: {
    kind: 'questionnaire',
    label: 'Pain',
    questionnaire: [intake],
    linkId: 'pain',
    window: 'P90D',
    pick: 'latest',
    unit: '{score}',
    plausible: [0, 10],
    numbers: { unit: '{score}', source: 'the questionnaire asks for points' },
  },
  leadTime: { kind: 'appointment', label: 'Lead time', pick: 'lead-time', per: 'd' },
  appointmentDay: { kind: 'appointment', label: 'Day of the appointment', pick: 'weekday' },
  penicillinAllergy: {
    kind: 'allergy',
    label: 'Penicillin allergy',
    codes: ['http://snomed.info/sct|91936005'],
    when: 'ever',
  },
  heartDiseaseInFamily: {
    kind: 'family-history',
    label: 'Heart disease in the family',
    codes: ['http://snomed.info/sct|53741008'],
    onsetBefore: 60,
  },
  referral: {
    kind: 'service-request',
    label: 'Referral',
    codes: ['http://snomed.info/sct|183519002'],
    of: 'encounter',
    when: 'ever',
  },
  frailty: { kind: 'input', label: 'Frailty', unit: '{score}', plausible: [1, 9], whole: true, ask: 'How frail?' },
};

const gPerDl = (value: number) => ({ value, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' });
const person: Resource[] = [
  patient(),
  // Over long before the window of the hemoglobin reaches back from as-of.
  encounter('2025-06-01T08:00:00Z', '2025-06-08T08:00:00Z', {
    id: 'stay',
    basedOn: [{ reference: 'ServiceRequest/referral' }],
  }),
  observation('718-7', gPerDl(9.5), '2025-06-07T06:00:00Z', { id: 'hb-1' }),
  observation('718-7', gPerDl(13.5), '2026-02-07T06:00:00Z', { id: 'hb-2' }),
  procedure('80146002', '2025-06-03', { id: 'appendectomy', encounter: { reference: 'Encounter/stay' } }),
  {
    resourceType: 'QuestionnaireResponse',
    id: 'intake',
    status: 'completed',
    questionnaire: intake,
    subject: { reference: 'Patient/1' },
    authored: '2026-02-20T09:00:00Z',
    item: [{ linkId: 'group', item: [{ linkId: 'pain', answer: [{ valueInteger: 4 }] }] }],
  },
  {
    resourceType: 'AllergyIntolerance',
    id: 'penicillin',
    patient: { reference: 'Patient/1' },
    recordedDate: '2020-01-01',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '91936005' }] },
  },
  {
    resourceType: 'FamilyMemberHistory',
    id: 'father',
    status: 'completed',
    patient: { reference: 'Patient/1' },
    date: '2020-01-01',
    relationship: { text: 'father' },
    condition: [
      {
        code: { coding: [{ system: 'http://snomed.info/sct', code: '53741008' }] },
        onsetAge: { value: 52, unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' },
      },
    ],
  },
  {
    resourceType: 'ServiceRequest',
    id: 'referral',
    status: 'completed',
    intent: 'order',
    subject: { reference: 'Patient/1' },
    authoredOn: '2025-05-01',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '183519002' }] },
  },
  appointment('2026-03-16T09:00:00Z', { id: 'next', created: '2026-02-24T09:00:00Z' }),
];
const others: Resource[] = [
  patient({ id: '2' }),
  appointment('2026-03-02T09:00:00Z', {
    id: 'of-another',
    participant: [{ actor: { reference: 'Patient/2' }, status: 'accepted' }],
  }),
];

let models: ModelFolder;
let store: StartedFhirsight;
let reader: StartedFhirsight;
beforeAll(async () => {
  models = await everyColumnModels();
  const model = folderAt(models.modelsDir, everyColumnModel, '1.0.0');
  await model.edit('feature-map.json', (map) => Object.assign(map.features, features));
  await model.seal();
  const settings = { MODELS_DIR: models.modelsDir };
  store = await startFhirsight({ clock, settings });
  const stored = await send(store.fhir, 'POST', transactionOf([...person, ...others], { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  reader = await startFhirsight({ clock, settings: { ...settings, FHIR_BASE_URL: store.fhir } });
});
afterAll(async () => {
  await reader?.close();
  await store?.close();
  await models?.[Symbol.asyncDispose]();
});

describe('procedures, appointments, answers and what the caller says', () => {
  const expected = {
    procedureDuringStay: true,
    proceduresOfYear: 1,
    hemoglobinAtDischarge: 9.5,
    painScore: 4,
    leadTime: 20,
    appointmentDay: 'monday',
    penicillinAllergy: true,
    heartDiseaseInFamily: true,
    referral: true,
    frailty: 3,
  };
  const call: PredictCall = {
    model: everyColumnModel,
    asOf: '2026-03-01T11:00:00Z',
    encounter: 'stay',
    inputs: { frailty: 3 },
  };

  it.each(['own store', 'another server'])('are read from the %s', async (from) => {
    const server = from === 'own store' ? store : reader;
    const inputs = readInputs(await predictOverHttp(server.fhir, '1', call));
    const read = Object.fromEntries(Object.keys(expected).map((name) => [name, inputs.get(name)?.value]));
    expect(read).toEqual(expected);
    expect(inputs.get('leadTime')?.sources[0]?.reference).toMatch(/Appointment\/next/);
    expect(inputs.get('painScore')?.sources[0]?.reference).toMatch(/QuestionnaireResponse\/intake/);
    expect(inputs.get('frailty')).toMatchObject({ state: 'asserted' });
  });

  it('are missing, each with its reason, where the call names no encounter and asserts nothing', async () => {
    const { encounter: _, inputs: __, ...bare } = call;
    const inputs = readInputs(await predictOverHttp(store.fhir, '1', bare));
    expect(inputs.get('hemoglobinAtDischarge')).toMatchObject({ state: 'missing', reason: 'no-encounter' });
    expect(inputs.get('procedureDuringStay')).toMatchObject({ state: 'missing', reason: 'no-encounter' });
    expect(inputs.get('frailty')).toMatchObject({ state: 'missing', reason: 'not-asserted' });
  });
});
