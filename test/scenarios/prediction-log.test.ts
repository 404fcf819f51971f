import type { AuditEvent, AuditEventEntity, Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PredictionError } from '../../src/platform/errors.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PredictCall, predictOverHttp } from '../support/predict-call.ts';
import { privateDetails, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { startStubFhirServer } from '../support/stub-fhir-server.ts';
import { transactionOf } from '../support/transaction-of.ts';

let now = new Date('2026-03-01T10:20:30.400Z');
let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ settings: { SITE_TIME_ZONE: 'Europe/Berlin' }, clock: { now: () => now } });
  await store(scorablePatient('one'));
  await store(scorablePatient('two'));
});
afterAll(() => server?.close());

async function store(resources: Parameters<typeof transactionOf>[0]): Promise<void> {
  const stored = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
}

/** Predicts a minute later than before, so that the order of the log is known. */
function predict(patient: string, call: Partial<PredictCall> = {}): Promise<Answer> {
  now = new Date(now.getTime() + 60_000);
  return predictOverHttp(server.fhir, patient, { model: 'prevent-base', ...call });
}

/** Of all that is accounted for, only predictions. */
const predictions = 'subtype=fhir-operation,cds-hooks,cohort,command-line';

async function search(query: string): Promise<AuditEvent[]> {
  const answer = await send(`${server.fhir}/AuditEvent?${predictions}&${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(checkResource(answer.body)).toEqual([]);
  return ((answer.body as Bundle).entry ?? []).map(({ resource }) => resource as AuditEvent);
}

async function newest(patient: string): Promise<AuditEvent> {
  const [event] = await search(`patient=${patient}&_count=1`);
  if (event === undefined) throw new Error(`no AuditEvent about ${patient}`);
  return event;
}

function details(entity: AuditEventEntity | undefined, type: string): (string | undefined)[] {
  return (entity?.detail ?? []).flatMap((detail) => (detail.type === type ? [detail.valueString] : []));
}

function named(event: AuditEvent, name: string): AuditEventEntity | undefined {
  return event.entity?.find((entity) => entity.name === name);
}

describe('the prediction log as AuditEvent (AUD-1)', () => {
  it('has a result that was written: its model, its inputs and the resource, in valid R4', async () => {
    const answer = await predict('one', { writeBack: true });
    expect(answer.status, answer.text).toBe(200);
    const event = await newest('one');
    expect(event).toMatchObject({
      resourceType: 'AuditEvent',
      type: { code: 'rest' },
      subtype: [{ code: 'operation' }, { code: 'fhir-operation' }],
      action: 'E',
      recorded: now.toISOString(),
      outcome: '0',
      outcomeDesc: 'scored',
      source: { observer: { identifier: { value: server.fhir } } },
    });
    expect(event.agent?.map(({ requestor }) => requestor)).toEqual([true, false]);
    const { digest } = server.house.catalog.find('prevent-base');
    expect(event.agent?.[1]?.who?.identifier?.value).toBe(`prevent-base|1.0.0|${digest}`);
    expect(event.entity?.[0]?.what).toEqual({ reference: 'Patient/one' });
    const prediction = named(event, 'Prediction');
    expect(prediction?.what).toMatchObject({
      reference: `RiskAssessment/${answer.body.id}`,
      identifier: { value: answer.body.identifier[0].value },
    });
    expect(details(prediction, 'request-id')).toEqual([answer.headers.get('x-request-id')]);
    for (const stage of ['gather', 'features', 'infer', 'explain', 'build', 'write', 'total'])
      expect(Number(details(prediction, `${stage}-ms`)[0]), stage).toBeGreaterThan(0);
    const inputs = named(event, 'Model inputs');
    expect(details(inputs, 'sha256')[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(details(inputs, 'reference')).toContain('Observation/one-cholesterol/_history/1');
    const [resource] = (await send(`${server.fhir}/${prediction?.what?.reference}`)).body.prediction;
    const [, score] = (details(prediction, 'score')[0] ?? '').split(': ');
    expect(Number(score) * 100).toBeCloseTo(resource.probabilityDecimal, 10);
  });

  it('names no value, no name and no birth date', async () => {
    await predict('one');
    const text = JSON.stringify(await search('patient=one'));
    for (const detail of Object.values(privateDetails)) expect(text).not.toContain(String(detail));
  });

  it('has abstentions as results with their verdicts', async () => {
    await store([{ resourceType: 'Patient', id: 'bare', gender: 'male', birthDate: '1968-04-05' }]);
    expect((await predict('bare')).status).toBe(422);
    const event = await newest('bare');
    expect(event).toMatchObject({ outcome: '0', outcomeDesc: 'abstained: insufficient-data' });
    expect(details(named(event, 'Prediction'), 'verdict').join()).toContain('insufficient-data');
    expect(details(named(event, 'Model inputs'), 'missing').length).toBeGreaterThan(0);
  });

  it('has failures with their code, also where the model is unknown', async () => {
    expect((await predict('nobody')).status).toBe(404);
    expect((await predict('nobody', { model: 'no such model' })).status).toBe(404);
    const events = await search('patient=nobody');
    expect(events.map(({ outcome, outcomeDesc }) => [outcome, outcomeDesc])).toEqual([
      ['4', 'failed: MODEL_UNKNOWN'],
      ['4', 'failed: SUBJECT_UNKNOWN'],
    ]);
    expect(JSON.stringify(events[0])).not.toContain('no such model');
  });

  it('is read by id, which nobody can guess, and by nothing else', async () => {
    const event = await newest('one');
    const answer = await send(`${server.fhir}/AuditEvent/${event.id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(event);
    for (const id of ['1', 'x'.repeat(64), '00000000-0000-4000-8000-000000000000', '_history', "';--"]) {
      const unknown = await send(`${server.fhir}/AuditEvent/${encodeURIComponent(id)}`);
      expect([id, unknown.status, unknown.body.resourceType]).toEqual([id, 404, 'OperationOutcome']);
    }
    for (const path of ['_history/1', '_history', '$meta', 'a/b']) {
      const answer = await send(`${server.fhir}/AuditEvent/${event.id}/${path}`);
      expect([path, answer.status]).toEqual([path, 404]);
    }
  });
});

describe('a search on AuditEvent', () => {
  it('pages through everything once, in both directions, however many share an instant', async () => {
    const same = new Date(now.getTime() + 60_000);
    await Promise.all(
      Array.from({ length: 7 }, () => {
        now = same;
        return predictOverHttp(server.fhir, 'two', { model: 'prevent-base' });
      }),
    );
    await predict('two');
    const pages = async (order: string): Promise<string[]> => {
      const ids: string[] = [];
      let url = `${server.fhir}/AuditEvent?${predictions}&patient=Patient/two&_count=3&_sort=${order}`;
      for (let page = 0; url !== '' && page < 10; page++) {
        const { body } = await send(url);
        ids.push(...((body as Bundle).entry ?? []).map(({ resource }) => resource?.id ?? ''));
        url = (body as Bundle).link?.find(({ relation }) => relation === 'next')?.url ?? '';
      }
      return ids;
    };
    const down = await pages('-date');
    expect(down).toHaveLength(8);
    expect(new Set(down).size).toBe(8);
    expect(await pages('date')).toEqual(down.toReversed());
  });

  it('finds by date, with prefixes, in the time zone of the site', async () => {
    now = new Date('2026-04-01T22:30:00.123Z'); // in Berlin it is 2 April already
    await predictOverHttp(server.fhir, 'one', { model: 'prevent-base' });
    const found = async (query: string) => (await search(query)).length;
    expect(await found('date=2026-04-02')).toBe(1);
    expect(await found('date=2026-04-01')).toBe(0);
    expect(await found('date=2026-04-01T22:30:00.123Z')).toBe(1);
    expect(await found('date=ge2026-04-02&date=le2026-04-02')).toBe(1);
    expect(await found('date=gt2026-04-02')).toBe(0);
    expect(await found('date=lt2026-04-02T00:30:00%2B02:00&date=ge2026-04-01')).toBe(0);
    expect(await found('date=le2026-04-01T22:30:00.123Z&date=ge2026-04-02')).toBe(1);
  });

  it('finds by subject, stored result, caller and outcome', async () => {
    const [written] = (await search('patient=one&_sort=date')).flatMap((event) => {
      const reference = named(event, 'Prediction')?.what?.reference;
      return reference === undefined ? [] : [reference];
    });
    expect(await search(`entity=${written}`)).toHaveLength(1);
    const aboutOne = await search('entity=Patient/one');
    expect(aboutOne.length).toBeGreaterThan(1);
    for (const spelled of ['one', 'Patient/one', `${server.fhir}/Patient/one`])
      expect(await search(`patient=${encodeURIComponent(spelled)}`)).toEqual(aboutOne);
    expect(await search('patient=https://elsewhere.example/fhir/Patient/one')).toEqual([]);
    expect((await search('patient=one,two&outcome=0')).length).toBeGreaterThan(aboutOne.length);
    expect((await search('outcome=4')).every(({ outcome }) => outcome === '4')).toBe(true);
    expect(await search('outcome=8')).toEqual([]);
    expect(await search('agent=Practitioner/17')).toEqual([]);
    expect(await search(`_id=${aboutOne[0]?.id},not-an-id`)).toEqual([aboutOne[0]]);
  });

  it('is also taken as a form, so that no patient stands in a URL', async () => {
    const answer = await send(`${server.fhir}/AuditEvent/_search`, 'POST', 'patient=one&_count=2', {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.entry).toHaveLength(2);
  });

  it.each([
    ['subject=one', 'no search parameter'],
    ['patient:missing=true', 'no search parameter'],
    ['patient=', 'empty'],
    ['patient=a b', 'takes'],
    ['patient=Practitioner/1', 'takes'],
    ['patient=one&patient=two', 'once'],
    ['patient=one%00', 'character'],
    ['entity=one', 'takes'],
    ['agent=Device/x', 'takes'],
    ['date=2026-02-30', 'exists'],
    ['date=ne2026-02-01', 'prefixes'],
    ['date=yesterday', 'exists'],
    ['outcome=1', '0, 4, 8 or 12'],
    ['action=X', 'C, R, U, D or E'],
    ['subtype=Read', 'interaction'],
    ['_sort=patient', '-date'],
    ['_count=-1', 'whole number'],
    ['_count=0', 'at least 1'],
    ['_page=abc', 'next link'],
    [`_page=${Buffer.from('["-date","x","1"]').toString('base64url')}`, 'next link'],
    [`_page=${Buffer.from('["-date","x\'; drop","Infinity"]').toString('base64url')}`, 'next link'],
  ])('refuses %s and says what is allowed', async (query, says) => {
    const answer = await send(`${server.fhir}/AuditEvent?${query}`);
    expect([answer.status, answer.body.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(answer.text).toContain(says);
  });
});

describe('writing an AuditEvent', () => {
  const event: AuditEvent = {
    resourceType: 'AuditEvent',
    type: { code: 'rest' },
    recorded: '2026-03-01T00:00:00Z',
    agent: [{ requestor: true }],
    source: { observer: { display: 'forged' } },
  };

  it.each([
    ['POST', 'AuditEvent'],
    ['PUT', 'AuditEvent/forged'],
    ['DELETE', 'AuditEvent/forged'],
    ['PATCH', 'AuditEvent/forged'],
    ['PUT', 'AuditEvent?date=2026'],
  ])('is refused by %s to %s, with the reason', async (method, path) => {
    const answer = await send(`${server.fhir}/${path}`, method, method === 'DELETE' ? undefined : event);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect(answer.text).toContain('own account');
  });

  it.each(['batch', 'transaction'] as const)('is refused in a %s', async (type) => {
    const entry = [{ resource: event, request: { method: 'POST' as const, url: 'AuditEvent' } }];
    const answer = await send(server.fhir, 'POST', { resourceType: 'Bundle', type, entry });
    const status = type === 'batch' ? answer.body.entry[0].response.status : String(answer.status);
    expect(status, answer.text).toMatch(/^405/);
    expect(JSON.stringify(await search('date=2026-03-01T00:00:00Z'))).not.toContain('forged');
  });

  it('is not offered by the CapabilityStatement, which lists what a search takes', async () => {
    const { body } = await send(`${server.fhir}/metadata`);
    expect(checkResource(body)).toEqual([]);
    const offered = body.rest[0].resource.find(({ type }: { type: string }) => type === 'AuditEvent');
    expect(offered.interaction).toEqual([{ code: 'read' }, { code: 'search-type' }]);
    expect(offered.searchParam.map(({ name }: { name: string }) => name)).toEqual([
      '_id',
      'action',
      'agent',
      'date',
      'entity',
      'outcome',
      'patient',
      'subtype',
    ]);
  });
});

describe('other bases and callers', () => {
  it('refers to patients of another server by absolute URL, and never mixes the two', async () => {
    const stub = await startStubFhirServer({ resources: scorablePatient('one') });
    const remote = await startFhirsight({ settings: { FHIR_BASE_URL: stub.base }, clock: { now: () => now } });
    try {
      await predictOverHttp(remote.fhir, 'one', { model: 'prevent-base' });
      const absolute = `${stub.base}/Patient/one`;
      const found = await send(`${remote.fhir}/AuditEvent?patient=${encodeURIComponent(absolute)}`);
      expect(found.body.entry[0].resource.entity[0].what).toEqual({ reference: absolute });
      expect((await send(`${remote.fhir}/AuditEvent?patient=one`)).body).not.toHaveProperty('entry');
    } finally {
      await remote.close();
      await stub.close();
    }
  });

  it('never takes the Practitioner/17 of one hospital for that of another', async () => {
    const bases = ['https://a.example', 'https://b.example'];
    const request = {
      requestId: 'r',
      model: 'prevent-base',
      subject: 'one',
      seed: [],
      inputs: [],
      writeBack: false,
    } as const;
    for (const base of bases) {
      const origin = { from: 'server', base, answers: new Map() } as const;
      const caller = { user: 'Practitioner/same' };
      await expect(server.house.predict({ ...request, entrance: 'cds-hooks', caller, origin })).rejects.toThrow();
    }
    expect(await search('agent=Practitioner/same')).toEqual([]);
    for (const base of bases) {
      const reference = `${base}/Practitioner/same`;
      const found = await search(`agent=${encodeURIComponent(reference)}`);
      expect(found.map(({ agent }) => agent?.[0]?.who?.reference)).toEqual([reference]);
    }
  });

  it('finds a failure about a patient of this server however the call spelled its base', async () => {
    const origin = { from: 'server', base: server.fhir.replace('127.0.0.1', 'localhost'), answers: new Map() } as const;
    const request = { requestId: 'r', model: 'prevent-base', seed: [], inputs: [], writeBack: false, origin } as const;
    const asked = server.house.predict({ ...request, entrance: 'cds-hooks', subject: 'misspelled' });
    await expect(asked).rejects.toMatchObject({ code: 'SUBJECT_UNKNOWN' });
    expect(await search('patient=misspelled')).toHaveLength(1);
  });

  it('says who asked, by which card or run, of every entrance', async () => {
    const request = {
      requestId: 'r',
      model: 'prevent-base',
      subject: 'one',
      seed: [],
      inputs: [],
      writeBack: false,
    } as const;
    const card = '3f6f1b0e-6a39-4c5a-9c3a-1f8f0f6f2a11';
    await server.house.predict({ ...request, entrance: 'cds-hooks', caller: { user: 'Practitioner/17', card } });
    await server.house.predict({ ...request, entrance: 'cohort', caller: { client: 'nightly', run: 'run-1' } });
    await expect(
      server.house.predict({ ...request, subject: 'nobody', entrance: 'command-line' }),
    ).rejects.toBeInstanceOf(PredictionError);
    const [shown] = await search('agent=Practitioner/17');
    expect(shown?.agent?.[0]).toMatchObject({ requestor: true, who: { reference: 'Practitioner/17' } });
    expect(named(shown as AuditEvent, 'CDS Hooks card')?.what?.identifier?.value).toBe(card);
    const run = (await search('patient=one')).find((event) => named(event, 'Cohort run') !== undefined);
    expect(run).toMatchObject({ type: { code: '110110' }, agent: [{ altId: 'nightly' }, {}] });
    expect((await newest('nobody')).subtype).toMatchObject([{ code: 'command-line' }]);
  });
});
