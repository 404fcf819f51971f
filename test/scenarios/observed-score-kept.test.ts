import type { AuditEvent, Bundle, Observation, Provenance } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { supersededTag } from '../../src/write-back/superseded-tag.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const now = new Date('2026-03-01T10:20:30.400Z');
let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: ['ckd-epi-2021'], clock: { now: () => now } });
  for (const id of ['kept', 'newer', 'changed']) await store(id, 'creatinine', 168);
});
afterAll(() => server?.close());

async function store(patient: string, name: string, value: number, at?: string): Promise<void> {
  const result = laboratoryResult(patient, name, '14682-9', value, 'umol/L', at);
  const stored = await send(
    server.fhir,
    'POST',
    transactionOf([...scorablePatient(patient).slice(0, 2), result], { fullUrls: false }),
  );
  expect(stored.status, stored.text).toBe(200);
}

const predict = (patient: string, asOf = '2026-02-01T12:00:00Z'): Promise<Answer> =>
  predictOverHttp(server.fhir, patient, { model: 'ckd-epi-2021', asOf, writeBack: true });

async function kept(patient: string, asOf?: string): Promise<Observation & { id: string }> {
  const answer = await predict(patient, asOf);
  expect(answer.status, answer.text).toBe(200);
  const result = answer.body as Observation;
  expect(result.resourceType).toBe('Observation');
  if (result.id === undefined) throw new Error('the result was not stored');
  return { ...result, id: result.id };
}

async function found<Kind>(query: string): Promise<Kind[]> {
  const answer = await send(`${server.fhir}/${query}`);
  expect(answer.status, answer.text).toBe(200);
  return ((answer.body as Bundle).entry ?? []).map(({ resource }) => resource as Kind);
}

describe('a score that is no probability, written back', () => {
  it('is the Observation that clients find by patient and code, with its Provenance and its place in the log', async () => {
    const result = await kept('kept');
    const stored = await found<Observation>('Observation?patient=kept&code=http://loinc.org|98979-8');
    expect(stored.map(({ id, valueQuantity }) => [id, valueQuantity])).toEqual([[result.id, result.valueQuantity]]);
    const targets = (await found<Provenance>('Provenance')).flatMap(({ target }) => target.map((one) => one.reference));
    expect(targets).toContain(`Observation/${result.id}/_history/1`);
    const [event] = await found<AuditEvent>(`AuditEvent?subtype=operation&entity=Observation/${result.id}`);
    const names = (event?.entity ?? []).map(({ what }) => what?.reference);
    expect(names).toContain(`Observation/${result.id}`);
  });

  it('is stored once, however often it is asked for', async () => {
    const first = await kept('kept');
    expect((await kept('kept')).id).toBe(first.id);
    expect(await found('Observation?patient=kept&code=http://loinc.org|98979-8')).toHaveLength(1);
  });

  it('is not read as a laboratory value by the next prediction', async () => {
    const first = await kept('kept');
    const sources = (await kept('kept', '2026-03-01T10:00:00Z')).derivedFrom?.map(({ reference }) => reference) ?? [];
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).not.toContain(first.id);
  });

  it('gives way to a later one, and says so', async () => {
    const early = await kept('newer');
    await store('newer', 'creatinine-2', 230, '2026-02-10T08:00:00Z');
    const late = await kept('newer', '2026-02-15T12:00:00Z');
    expect(late.id).not.toBe(early.id);
    const tags = async (id: string) =>
      ((await send(`${server.fhir}/Observation/${id}`)).body as Observation).meta?.tag?.map(({ code }) => code) ?? [];
    expect(await tags(early.id)).toEqual([supersededTag.code]);
    expect(await tags(late.id)).toEqual([]);
  });

  it('is a conflict once somebody else has changed its number', async () => {
    const result = await kept('changed');
    const forged = { ...result, valueQuantity: { ...result.valueQuantity, value: 90 } };
    const put = await send(`${server.fhir}/Observation/${result.id}`, 'PUT', forged);
    expect(put.status, put.text).toBe(200);
    const answer = await predict('changed');
    expect(answer.status).toBe(409);
    expect(answer.text).toContain(`Observation/${result.id}`);
  });
});
