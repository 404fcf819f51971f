import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
beforeAll(async () => {
  server = await startFhirTestServer();
});
afterAll(() => server.close());

const patient = (value: string, extra: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:t', value }],
  ...extra,
});
const is = (value: string) => `identifier=urn:t|${value}`;
const create = (value: string, ifNoneExist: string, extra: object = {}) => ({
  ...extra,
  resource: patient(value),
  request: { method: 'POST', url: 'Patient', ifNoneExist },
});
const updateWhere = (value: string) => ({
  resource: patient(value),
  request: { method: 'PUT', url: `Patient?${is(value)}` },
});
const process = (type: string, entry: object[]) => send(server.base, 'POST', { resourceType: 'Bundle', type, entry });
const matches = async (value: string) => (await send(`${server.base}/Patient?${is(value)}&_total=accurate`)).body.total;

describe('OP-65 a resource that the same transaction deletes', () => {
  const urn = 'urn:uuid:6f0b9ed5-8b5b-4f0e-9f37-1c3b7a6c1d00';
  const observation = {
    resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: urn } },
    request: { method: 'POST', url: 'Observation' },
  };
  const remove = (id: string) => ({ request: { method: 'DELETE', url: `Patient/${id}` } });

  test('is no match of a conditional create: what is reported as stored is stored', async () => {
    await send(`${server.base}/Patient/gone-1`, 'PUT', patient('gone-1', { id: 'gone-1' }));
    const answer = await process('transaction', [
      remove('gone-1'),
      create('gone-1', is('gone-1'), { fullUrl: urn }),
      observation,
    ]);
    expect(answer.body.entry[1].response.status).toBe('201 Created');
    const { reference } = answer.body.entry[2].resource.subject;
    expect(reference).not.toBe('Patient/gone-1');
    expect((await send(`${server.base}/${reference}`)).status).toBe(200);
    expect(await matches('gone-1')).toBe(1);
  });

  test('is no match of a conditional update', async () => {
    await send(`${server.base}/Patient/gone-2`, 'PUT', patient('gone-2', { id: 'gone-2' }));
    const answer = await process('transaction', [updateWhere('gone-2'), remove('gone-2')]);
    expect([answer.status, answer.body.entry[0].response.status]).toEqual([200, '201 Created']);
    expect((await send(`${server.base}/Patient/gone-2`)).status).toBe(410);
    expect(await matches('gone-2')).toBe(1);
  });

  test('is no match of a conditional reference', async () => {
    await send(`${server.base}/Patient/gone-3`, 'PUT', patient('gone-3', { id: 'gone-3' }));
    const subject = { reference: `Patient?${is('gone-3')}` };
    const answer = await process('transaction', [
      remove('gone-3'),
      { ...observation, resource: { ...observation.resource, subject } },
    ]);
    expect(answer.status).toBe(412);
    expect((await send(`${server.base}/Patient/gone-3`)).status).toBe(200);
  });
});

describe.each(['transaction', 'batch'])('a condition of an entry that cannot be honoured, in a %s', (type) => {
  const body = (id: string) => ({ resource: patient('stray', { id, gender: 'other' }) });
  const update = (extra: object) => ({ ...body('kept'), request: { method: 'PUT', url: 'Patient/kept', ...extra } });

  test.each([
    ['ifNoneMatch', update({ ifNoneMatch: '*' })],
    ['ifNoneMatch', { request: { method: 'GET', url: 'Patient/kept', ifNoneMatch: 'W/"1"' } }],
    ['ifModifiedSince', { request: { method: 'GET', url: 'Patient/kept', ifModifiedSince: '2030-01-01T00:00:00Z' } }],
    ['ifNoneExist', update({ ifNoneExist: is('other') })],
    ['ifNoneExist', { request: { method: 'DELETE', url: 'Patient/kept', ifNoneExist: is('other') } }],
    ['ifMatch', { ...body('kept'), request: { method: 'POST', url: 'Patient', ifMatch: 'W/"1"' } }],
    ['ifMatch', { request: { method: 'GET', url: 'Patient/kept', ifMatch: 'W/"1"' } }],
    ['url', update({ url: `Patient/kept?${is('other')}` })],
    ['url', { ...body('kept'), request: { method: 'POST', url: `Patient?${is('other')}` } }],
    ['url', { request: { method: 'DELETE', url: `Patient/kept?${is('other')}` } }],
  ])('is refused by its %s and touches no resource', async (element, entry) => {
    await send(`${server.base}/Patient/kept`, 'PUT', patient('kept', { id: 'kept', gender: 'female' }));
    await send(`${server.base}/Patient/other`, 'PUT', patient('other', { id: 'other', gender: 'female' }));
    const answer = await process(type, [entry]);
    const failed = type === 'batch' ? answer.body.entry[0].response : { status: answer.status, outcome: answer.body };
    expect([String(failed.status), failed.outcome.issue[0].expression]).toEqual([
      '400',
      [`Bundle.entry[0].request.${element}`],
    ]);
    for (const id of ['kept', 'other']) expect((await send(`${server.base}/Patient/${id}`)).body.gender).toBe('female');
    expect(await matches('stray')).toBe(0);
  });
});

describe('OP-65 two entries of a transaction with the same criteria', () => {
  test.each([
    ['two conditional updates', (v: string) => [updateWhere(v), updateWhere(v)]],
    ['a conditional create and a conditional update', (v: string) => [create(v, is(v)), updateWhere(v)]],
    ['a conditional update and a conditional create', (v: string) => [updateWhere(v), create(v, is(v))]],
  ])('are one resource written twice and refused: %s', async (name, entries) => {
    const value = name.replaceAll(' ', '-');
    const answer = await process('transaction', entries(value));
    expect([answer.status, answer.body.issue[0].expression]).toEqual([400, ['Bundle.entry[1].request']]);
    expect(await matches(value)).toBe(0);
  });

  test('OP-66 create one resource however the criteria are spelled', async () => {
    const answer = await process('transaction', [
      create('spelled', is('spelled')),
      create('spelled', '?identifier=urn%3At%7Cspelled'),
      create('spelled', `${is('spelled')}&${is('spelled')}`),
    ]);
    expect(
      answer.body.entry.map((entry: { response: { status: string } }) => entry.response.status.slice(0, 3)),
    ).toEqual(['201', '200', '200']);
    expect(await matches('spelled')).toBe(1);
  });

  test('criteria that ask about the result of a search are refused, naming the entry', async () => {
    const answer = await process('transaction', [create('a', is('a')), create('b', `${is('b')}&_count=5`)]);
    expect([answer.status, answer.body.issue[0].expression]).toEqual([400, ['Bundle.entry[1]']]);
    expect(await matches('a')).toBe(0);
  });
});

test('five thousand creates and updates of one transaction are all stored, each with its own status', async () => {
  await send(`${server.base}/Patient/bulk-7`, 'PUT', { resourceType: 'Patient', id: 'bulk-7' });
  await send(`${server.base}/Patient/bulk-8`, 'PUT', { resourceType: 'Patient', id: 'bulk-8' });
  await send(`${server.base}/Patient/bulk-8`, 'DELETE');
  const answer = await process(
    'transaction',
    Array.from({ length: 5000 }, (_, index) => {
      const resource = { resourceType: 'Patient', id: `bulk-${index}`, active: true };
      const put = index < 600;
      return { resource, request: { method: put ? 'PUT' : 'POST', url: put ? `Patient/bulk-${index}` : 'Patient' } };
    }),
  );
  const statuses = answer.body.entry.map((entry: { response: { status: string; etag: string } }) =>
    [entry.response.status.slice(0, 3), entry.response.etag].join(' '),
  );
  expect(new Set(statuses.filter((_: string, index: number) => index !== 7 && index !== 8))).toEqual(
    new Set(['201 W/"1"']),
  );
  expect([statuses[7], statuses[8]]).toEqual(['200 W/"2"', '201 W/"3"']);
  for (const index of [0, 7, 8, 599, 4999]) {
    const { resource } = answer.body.entry[index];
    expect((await send(`${server.base}/Patient/${resource.id}`)).body).toEqual(resource);
  }
});

describe('OP-62 a conditional update that matches nothing', () => {
  test('overwrites no resource that happens to have the id of its body, over REST and in a transaction', async () => {
    await send(
      `${server.base}/Patient/bystander`,
      'PUT',
      patient('bystander', { id: 'bystander', birthDate: '1970-01-01' }),
    );
    const body = patient('nobody', { id: 'bystander' });
    expect((await send(`${server.base}/Patient?${is('nobody')}`, 'PUT', body)).status).toBe(412);
    const entry = { resource: body, request: { method: 'PUT', url: `Patient?${is('nobody')}` } };
    expect((await process('transaction', [entry])).status).toBe(412);
    expect((await send(`${server.base}/Patient/bystander`)).body.birthDate).toBe('1970-01-01');
  });
});

describe('OP-60 half a character', () => {
  test('is refused, so that a resource cannot become one that no later write can touch', async () => {
    const broken = patient('half', { id: 'half', name: [{ family: 'A\ud800' }] });
    expect((await send(`${server.base}/Patient/half`, 'PUT', broken)).status).toBe(400);
    expect((await send(`${server.base}/Patient/half`, 'PUT', patient('half', { id: 'half' }))).status).toBe(201);
    expect((await send(`${server.base}/Patient/half`, 'DELETE')).status).toBe(200);
  });
});
