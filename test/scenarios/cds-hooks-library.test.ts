import type { Encounter, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Card, CardPrediction } from '../../src/entrances/cds-hooks/card.ts';
import { hookNames } from '../../src/model-catalog/hook-library.ts';
import { callHook, cardPrediction, patientView } from '../support/cds-call.ts';
import { type HoldingProxy, startHoldingProxy } from '../support/cds-holding-proxy.ts';
import { cdsResponseFindings } from '../support/cds-response-checker.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

const own = 'com.example.risk-board';
const visit = (patient: string): Encounter => ({
  resourceType: 'Encounter',
  id: `${patient}-now`,
  status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: `Patient/${patient}` },
  period: { start: '2026-03-01T08:00:00Z' },
});
/** Whoever is asked about, by the verdict that is expected. */
const people: Readonly<Record<string, Resource[]>> = {
  scored: scorablePatient('scored'),
  'not-eligible': scorablePatient('not-eligible', { birthDate: '2010-04-05' }),
  'insufficient-data': scorablePatient('insufficient-data').slice(0, 2),
};
const verdicts = Object.keys(people);

let models: ModelFolder;
let ehr: StubFhirServer;
let proxy: HoldingProxy;
let server: StartedFhirsight;

beforeAll(async () => {
  models = await copyModel('prevent-base');
  await models.edit('manifest.json', (manifest) => {
    const [service] = manifest.cdsHooks;
    service.cards.notEligible = 'info';
    const context = { patientId: { is: 'id' }, board: { is: 'text' } };
    manifest.cdsHooks = [
      ...hookNames.map((hook) => ({ ...service, id: 'every-hook', hook })),
      { ...service, id: 'every-hook', hook: own, context },
      { ...service, id: 'each-order', hook: 'order-sign', focus: ['ServiceRequest'] },
      { ...service, id: 'each-order', hook: 'order-dispatch', focus: ['ServiceRequest'] },
      { ...service, id: 'late', hook: 'patient-view', reuse: 'PT12H' },
    ];
  });
  ehr = await startStubFhirServer({
    resources: [...Object.values(people).flat(), ...verdicts.map(visit)],
  });
  proxy = await startHoldingProxy(ehr.base);
  proxy.release();
  server = await startFhirsight({
    clock: { now: () => new Date('2026-03-01T12:00:00Z') },
    settings: {
      MODELS_DIR: models.modelsDir,
      CDS_FHIR_SERVERS: `${ehr.base},${proxy.base}`,
      CDS_DEADLINE_MS: '3000',
      CDS_HOOKS_VERSION: '3.0',
    },
  });
});
afterAll(async () => {
  await server?.close();
  await proxy?.close();
  await ehr?.close();
  await models?.[Symbol.asyncDispose]();
});

const order = (patient: string, change: Record<string, unknown> = {}) => ({
  resourceType: 'ServiceRequest',
  status: 'draft',
  intent: 'order',
  subject: { reference: `Patient/${patient}` },
  ...change,
});
const bundle = (...resources: unknown[]) => ({
  resourceType: 'Bundle',
  entry: resources.map((resource) => ({ resource })),
});

/** What a client says at each hook. */
function contextOf(hook: string, patient: string): Record<string, unknown> {
  const user = { userId: 'Practitioner/7', patientId: patient };
  const draftOrders = bundle(order(patient, { id: 'draft-1' }));
  const contexts: Record<string, Record<string, unknown>> = {
    'patient-view': user,
    'encounter-start': { ...user, encounterId: `${patient}-now` },
    'encounter-discharge': { ...user, encounterId: `${patient}-now` },
    'order-select': { ...user, selections: ['ServiceRequest/draft-1'], draftOrders },
    'order-sign': { ...user, draftOrders },
    'order-dispatch': { patientId: patient, performer: 'Organization/2', dispatchedOrders: ['ServiceRequest/1'] },
    'appointment-book': { ...user, appointments: bundle({ resourceType: 'Appointment', status: 'proposed' }) },
    'allergyintolerance-create': { ...user, allergyIntolerance: { resourceType: 'AllergyIntolerance' } },
    'problem-list-item-create': { ...user, conditions: bundle({ resourceType: 'Condition' }) },
    'medication-refill': { patientId: patient, medications: bundle({ resourceType: 'MedicationRequest' }) },
    [own]: { patientId: patient, board: 'ward 3' },
  };
  return contexts[hook] ?? {};
}

async function callAt(
  service: string,
  hook: string,
  context: Record<string, unknown>,
  fhirServer = ehr.base,
): Promise<Answer> {
  const hookInstance = 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea';
  const answer = await callHook(server.url, service, { hook, hookInstance, fhirServer, context });
  expect(answer.status, answer.text).toBe(200);
  expect(cdsResponseFindings(answer.body)).toEqual([]);
  return answer;
}

const predictions = (answer: Answer): CardPrediction[] =>
  answer.body.cards.map(({ extension }: Card) => extension['org.fhirsight.prediction']);

describe('every hook', () => {
  it('CDS-3 CDS-4 is discovered with its version, one id at many hooks', async () => {
    const { services } = (await send(`${server.url}/cds-services`)).body;
    const offered = services.filter(({ id }: { id: string }) => id === 'every-hook');
    expect(offered.map(({ hook }: { hook: string }) => hook)).toEqual([...hookNames, own]);
    for (const { version, hookVersion } of offered) {
      expect(version).toBe('3.0.0');
      expect(hookVersion).toMatch(/^\d+\.\d+(\.\d+)?$/);
    }
    expect(offered.find(({ hook }: { hook: string }) => hook === 'order-dispatch').hookVersion).toBe('1.1');
  });

  it.each([...hookNames, own].flatMap((hook) => verdicts.map((verdict) => [hook, verdict] as const)))(
    'CDS-4 CDS-14 %s gives the verdict of its patient: %s',
    async (hook, verdict) => {
      const answer = await callAt('every-hook', hook, contextOf(hook, verdict));
      const { state, score } = cardPrediction(answer);
      expect(state).toBe(verdict);
      const viewed = cardPrediction(await callAt('every-hook', 'patient-view', contextOf('patient-view', verdict)));
      expect(score).toBe(viewed.score);
      expect(typeof score).toBe(verdict === 'scored' ? 'number' : 'undefined');
    },
  );

  it('CDS-71 takes no draft for a fact: a drug that is only being ordered changes no score, whatever status it claims', async () => {
    const context = contextOf('order-sign', 'scored');
    const before = cardPrediction(await callAt('every-hook', 'order-sign', context)).score;
    const drug = {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/scored' },
      authoredOn: '2026-02-01',
      // Hydrochlorothiazide, one of the codes of the model's antihypertensive medication.
      medicationCodeableConcept: {
        coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '310798' }],
      },
    };
    const draftOrders = bundle({ ...drug, id: 'draft-2' }, drug);
    expect(cardPrediction(await callAt('every-hook', 'order-sign', { ...context, draftOrders })).score).toBe(before);
    // The same order in the record is looked at: when it began is not said well enough to score.
    const medicationRequests = {
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ resource: { ...drug, id: 'order-2' } }],
    };
    const held = patientView({ patient: 'scored', fhirServer: ehr.base, prefetch: { medicationRequests } });
    expect(cardPrediction(await callHook(server.url, 'every-hook', held)).state).toBe('insufficient-data');
  });
});

describe('a service about each order', () => {
  const user = { userId: 'Practitioner/7', patientId: 'scored' };

  it('gives a card for each, and results that never collide nor supersede each other', async () => {
    const draftOrders = bundle(order('scored'), order('scored', { note: [{ text: 'second' }] }), {
      ...order('scored'),
      resourceType: 'MedicationRequest',
    });
    const answer = await callAt('each-order', 'order-sign', { ...user, draftOrders });
    const [one, other, ...rest] = predictions(answer);
    expect(rest).toEqual([]);
    expect(one?.score).toBe(other?.score);
    expect(one?.result).not.toBe(other?.result);
    const { rows } = await server.house.database.query<{ focus: string; standing: boolean; logged: string }>(
      `select o.focus, o.superseded_by is null as standing, l.focus as logged from outcomes o
         join prediction_log l on l.result = o.identifier where o.identifier = any($1)`,
      [[one?.result, other?.result]],
    );
    expect(rows).toHaveLength(2);
    for (const { focus, standing, logged } of rows) {
      expect(focus).toMatch(/^ServiceRequest#[0-9a-f]{64}$/);
      expect([standing, logged]).toEqual([true, focus]);
    }
  });

  it('names a saved order by its id', async () => {
    const context = { ...contextOf('order-dispatch', 'scored'), dispatchedOrders: ['ServiceRequest/1', 'Task/2'] };
    const [prediction, ...rest] = predictions(await callAt('each-order', 'order-dispatch', context));
    expect(rest).toEqual([]);
    const { rows } = await server.house.database.query('select focus from prediction_log where result = $1', [
      prediction?.result,
    ]);
    expect(rows).toEqual([{ focus: 'ServiceRequest/1' }]);
  });

  it('gives no card where the call orders nothing of the kind', async () => {
    const draftOrders = bundle({ ...order('scored'), resourceType: 'NutritionOrder' });
    expect((await callAt('each-order', 'order-sign', { ...user, draftOrders })).body).toEqual({ cards: [] });
  });
});

describe('a score that is late', () => {
  const late = (options: Partial<Parameters<typeof patientView>[0]> = {}): Promise<Answer> =>
    callHook(
      server.url,
      'late',
      patientView({ patient: 'scored', fhirServer: proxy.base, user: 'Practitioner/7', ...options }),
    );
  const logged = async (card: string): Promise<unknown> => {
    const { rows } = await server.house.database.query('select state from prediction_log where card = $1', [card]);
    return rows[0];
  };

  it('CDS-16 is computed behind the answer, and shown to the next call of the same user that is late, with its time', async () => {
    proxy.hold();
    const first = await late();
    expect(cardPrediction(first).state).toBe('computing');
    proxy.release();
    const [{ uuid }] = first.body.cards;
    await expect.poll(() => logged(uuid), { timeout: 5_000 }).toEqual({ state: 'scored' });
    proxy.hold();
    const second = await late();
    expect(cdsResponseFindings(second.body)).toEqual([]);
    const prediction = cardPrediction(second);
    expect(prediction).toMatchObject({ state: 'scored', earlier: 'newer-data-not-checked' });
    expect(second.body.cards[0].uuid).toBe(uuid);
    expect(second.body.cards[0].summary).toMatch(/^As of 2026-03-01 \d\d:00: \d/);
    expect(second.body.cards[0].detail).toContain('Newer data not checked');
    const others = await Promise.all([late({ user: 'Practitioner/8' }), late({ patient: 'not-eligible' })]);
    expect(others.map((answer) => cardPrediction(answer).state)).toEqual(['computing', 'computing']);
    proxy.release();
    const viewed = cardPrediction(await callAt('every-hook', 'patient-view', contextOf('patient-view', 'scored')));
    expect(prediction.score).toBe(viewed.score);
  });
});
