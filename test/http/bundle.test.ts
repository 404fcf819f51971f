import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
beforeAll(async () => {
  server = await startFhirTestServer();
});
afterAll(() => server.close());

const bundle = (type: string, entry: object[]) => ({ resourceType: 'Bundle', type, entry });
const post = (resource: { resourceType: string }, extra: object = {}, request: object = {}) => ({
  ...extra,
  resource,
  request: { method: 'POST', url: resource.resourceType, ...request },
});
const put = (resource: { resourceType: string; id: string }, extra: object = {}) => ({
  ...extra,
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
});
const patient = (extra: object = {}) => ({ resourceType: 'Patient', ...extra });
const observation = (subject: string, extra: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'weight' },
  subject: { reference: subject },
  ...extra,
});
const countOf = async (type: string) => (await send(`${server.base}/${type}?_summary=count`)).body.total;

describe('transaction', () => {
  test('OP-65 stores everything and rewrites references to the entries of the Bundle', async () => {
    const answer = await send(
      server.base,
      'POST',
      bundle('transaction', [
        post(observation('urn:uuid:0a6b5c1e-0000-4000-8000-000000000001'), {
          fullUrl: 'urn:uuid:0a6b5c1e-0000-4000-8000-000000000002',
        }),
        post(patient(), { fullUrl: 'urn:uuid:0a6b5c1e-0000-4000-8000-000000000001' }),
        post({
          resourceType: 'List',
          status: 'current',
          mode: 'working',
          entry: [{ item: { reference: 'urn:uuid:0a6b5c1e-0000-4000-8000-000000000002' } }],
        } as never),
      ]),
    );
    expect(answer.status).toBe(200);
    expect(answer.body.type).toBe('transaction-response');
    const [weight, person, list] = answer.body.entry;
    expect(answer.body.entry.map((entry: { response: { status: string } }) => entry.response.status)).toEqual(
      Array(3).fill('201 Created'),
    );
    expect(weight.resource.subject.reference).toBe(`Patient/${person.resource.id}`);
    expect(list.resource.entry[0].item.reference).toBe(`Observation/${weight.resource.id}`);
    expect(weight.response).toMatchObject({ etag: 'W/"1"', location: `Observation/${weight.resource.id}/_history/1` });
    const found = await send(`${server.base}/Observation?patient=${person.resource.id}`);
    expect(found.body.entry).toHaveLength(1);
  });

  test('OP-65 an entry that fails leaves nothing of the others and is named in one OperationOutcome', async () => {
    const before = await countOf('Patient');
    const answer = await send(
      server.base,
      'POST',
      bundle('transaction', [
        post(patient()),
        put({ resourceType: 'Patient', id: 'tx-kept' }),
        {
          ...put({ resourceType: 'Patient', id: 'tx-stale' }),
          request: { method: 'PUT', url: 'Patient/tx-stale', ifMatch: 'W/"4"' },
        },
      ]),
    );
    expect([answer.status, answer.body.resourceType]).toEqual([412, 'OperationOutcome']);
    expect(answer.body.issue[0].expression).toEqual(['Bundle.entry[2]']);
    expect(await countOf('Patient')).toBe(before);
    expect((await send(`${server.base}/Patient/tx-kept`)).status).toBe(404);
  });

  test.each([
    ['an invalid resource', [post(patient()), post({ resourceType: 'Observation' })], 400, 'Bundle.entry[1].resource'],
    ['an entry without a method', [post(patient()), { resource: patient() }], 400, 'Bundle.entry[1].request'],
    [
      'the same resource twice',
      [put({ resourceType: 'Patient', id: 't' }), put({ resourceType: 'Patient', id: 't' })],
      400,
      'Bundle.entry[1].request.url',
    ],
    [
      'the same fullUrl twice',
      [post(patient(), { fullUrl: 'urn:uuid:1' }), post(patient(), { fullUrl: 'urn:uuid:1' })],
      400,
      'Bundle.entry[1].fullUrl',
    ],
    [
      'a versioned fullUrl',
      [post(patient(), { fullUrl: 'http://x.org/Patient/1/_history/2' })],
      400,
      'Bundle.entry[0].fullUrl',
    ],
    [
      'a resource of another type than the URL',
      [{ resource: patient(), request: { method: 'POST', url: 'Observation' } }],
      400,
      'Bundle.entry[0].resource',
    ],
    [
      'an operation',
      [post(patient()), { request: { method: 'POST', url: 'Patient/1/$predict' } }],
      404,
      'Bundle.entry[1].request.url',
    ],
    [
      'a read of what is not there',
      [post(patient()), { request: { method: 'GET', url: 'Patient/nobody' } }],
      404,
      'Bundle.entry[1]',
    ],
    [
      'a search it does not know',
      [post(patient()), { request: { method: 'GET', url: 'Patient?name=x' } }],
      400,
      'Bundle.entry[1]',
    ],
    [
      'a conditional reference without a match',
      [post(observation('Patient?identifier=nobody'))],
      412,
      'Bundle.entry[0].resource',
    ],
  ])('OP-64 OP-65 %s fails the whole and stores nothing', async (_name, entries, status, expression) => {
    const before = await countOf('Patient');
    const answer = await send(server.base, 'POST', bundle('transaction', entries));
    expect([answer.status, answer.body.issue[0].expression[0].startsWith(expression)]).toEqual([status, true]);
    expect(await countOf('Patient')).toBe(before);
  });

  test('OP-65 resolves a conditional reference to the one match', async () => {
    await send(
      `${server.base}/Patient/cref`,
      'PUT',
      patient({ id: 'cref', identifier: [{ system: 'urn:t', value: 'cref' }] }),
    );
    const answer = await send(
      server.base,
      'POST',
      bundle('transaction', [post(observation('Patient?identifier=urn:t|cref'))]),
    );
    expect(answer.body.entry[0].resource.subject.reference).toBe('Patient/cref');
    const outside = await send(`${server.base}/Observation`, 'POST', observation('Patient?identifier=urn:t|cref'));
    expect([outside.status, outside.body.issue[0].expression]).toEqual([400, ['Observation.subject.reference']]);
  });

  test('OP-66 twelve entries with one shared If-None-Exist device create it once and all refer to it', async () => {
    const device = (fullUrl: string) =>
      post(
        { resourceType: 'Device', identifier: [{ system: 'urn:m', value: 'v1' }] } as never,
        { fullUrl },
        { ifNoneExist: 'identifier=urn:m|v1' },
      );
    const entries = [
      device('urn:uuid:0a6b5c1e-0000-4000-8000-00000000000a'),
      device('urn:uuid:0a6b5c1e-0000-4000-8000-00000000000b'),
      ...Array.from({ length: 10 }, (_, index) =>
        post(
          observation('Patient/1', {
            device: { reference: `urn:uuid:0a6b5c1e-0000-4000-8000-00000000000${index % 2 ? 'a' : 'b'}` },
          }),
        ),
      ),
    ];
    for (const status of ['201 Created', '200 OK']) {
      const answer = await send(server.base, 'POST', bundle('transaction', entries));
      expect(answer.status).toBe(200);
      const [first, second, ...rest] = answer.body.entry;
      expect([first.response.status, second.response.status]).toEqual([status, '200 OK']);
      const id = `Device/${first.resource.id}`;
      expect(
        new Set(rest.map((entry: { resource: { device: { reference: string } } }) => entry.resource.device.reference)),
      ).toEqual(new Set([id]));
    }
    expect((await send(`${server.base}/Device?identifier=urn:m|v1&_total=accurate`)).body.total).toBe(1);
  });

  test('OP-65 concurrent transactions with the same If-None-Exist keep every reference whole', async () => {
    const entries = [
      post(
        patient({ identifier: [{ system: 'urn:t', value: 'shared' }] }),
        { fullUrl: 'urn:uuid:0a6b5c1e-0000-4000-8000-0000000000aa' },
        { ifNoneExist: 'identifier=urn:t|shared' },
      ),
      post(observation('urn:uuid:0a6b5c1e-0000-4000-8000-0000000000aa')),
    ];
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send(server.base, 'POST', bundle('transaction', entries))),
    );
    const subjects = new Set(answers.map((answer) => answer.body.entry[1].resource.subject.reference));
    expect(subjects.size).toBe(1);
    expect((await send(`${server.base}/${[...subjects][0]}`)).status).toBe(200);
  });

  test('OP-65 processes deletes, creates, updates and reads in this order, and answers in the order of the request', async () => {
    await send(`${server.base}/Patient/order-a`, 'PUT', patient({ id: 'order-a' }));
    const answer = await send(
      server.base,
      'POST',
      bundle('transaction', [
        { request: { method: 'GET', url: 'Patient/order-b' } },
        put({ resourceType: 'Patient', id: 'order-b' }),
        { request: { method: 'DELETE', url: 'Patient/order-a' } },
      ]),
    );
    expect(answer.body.entry[0].resource.id).toBe('order-b');
    expect(answer.body.entry[1].response.status).toBe('201 Created');
    expect((await send(`${server.base}/Patient/order-a`)).status).toBe(410);
  });

  test('transactions that write the same resources in opposite order all succeed', async () => {
    const entries = ['cross-a', 'cross-b', 'cross-c'].map((id) => put({ resourceType: 'Patient', id }));
    const answers = await Promise.all(
      [entries, entries.toReversed(), entries, entries.toReversed()].map((order) =>
        send(server.base, 'POST', bundle('transaction', order)),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect((await send(`${server.base}/Patient/cross-b/_history`)).body.total).toBe(4);
  });

  test('eighty updates fit into one transaction', async () => {
    const entries = Array.from({ length: 80 }, (_, index) => put({ resourceType: 'Patient', id: `many-${index}` }));
    expect((await send(server.base, 'POST', bundle('transaction', entries))).status).toBe(200);
  });

  test('OP-32 return=minimal leaves the resources out', async () => {
    const answer = await send(server.base, 'POST', bundle('transaction', [post(patient())]), {
      Prefer: 'return=minimal',
    });
    expect(answer.body.entry[0].resource).toBeUndefined();
    expect(answer.body.entry[0].response.location).toMatch(/^Patient\//);
  });

  test('OP-32 return=OperationOutcome says of each entry that writes what became of it, and leaves the read ones whole', async () => {
    for (const type of ['transaction', 'batch']) {
      await send(`${server.base}/Patient/told`, 'PUT', { resourceType: 'Patient', id: 'told' });
      const entries = [post(patient()), { request: { method: 'GET', url: 'Patient/told' } }];
      const answer = await send(server.base, 'POST', bundle(type, entries), { Prefer: 'return=OperationOutcome' });
      const [written, read] = answer.body.entry;
      expect([written.resource, written.response.outcome.resourceType]).toEqual([undefined, 'OperationOutcome']);
      expect(written.response.outcome.issue[0]).toMatchObject({ severity: 'information', code: 'informational' });
      expect([read.resource.id, read.response.outcome]).toEqual(['told', undefined]);
    }
  });

  test('keeps decimals as written through the rewriting of references', async () => {
    const text = JSON.stringify(
      bundle('transaction', [
        post(
          observation('urn:uuid:0a6b5c1e-0000-4000-8000-0000000000bb', { id: 'x', valueQuantity: { value: 70.25 } }),
        ),
        post(patient(), { fullUrl: 'urn:uuid:0a6b5c1e-0000-4000-8000-0000000000bb' }),
      ]),
    ).replace('70.25', '70.50');
    const answer = await send(server.base, 'POST', text);
    expect(answer.text).toContain('70.50');
    expect((await send(`${server.base}/Observation/${answer.body.entry[0].resource.id}`)).text).toContain('70.50');
  });
});

describe('batch', () => {
  test('OP-65 a batch is 200 and each entry stands alone', async () => {
    const answer = await send(
      server.base,
      'POST',
      bundle('batch', [
        post(patient()),
        post({ resourceType: 'Observation' }),
        { request: { method: 'GET', url: 'Patient/nobody' } },
        { request: { method: 'GET', url: 'Patient?bogus=1' } },
        { resource: patient() },
        { request: { method: 'PATCH', url: 'Patient/1' } },
        put({ resourceType: 'Patient', id: 'batch-1' }),
        { request: { method: 'GET', url: 'Patient/batch-1' } },
      ]),
    );
    expect([answer.status, answer.body.type]).toEqual([200, 'batch-response']);
    const statuses = answer.body.entry.map((entry: { response: { status: string } }) =>
      entry.response.status.slice(0, 3),
    );
    expect(statuses).toEqual(['201', '400', '404', '400', '400', '405', '201', '200']);
    expect(answer.body.entry[1].response.outcome.resourceType).toBe('OperationOutcome');
    expect(answer.body.entry[3].response.outcome.issue[0].diagnostics).toContain('bogus');
  });

  test('OP-65 an entry of a batch cannot refer to one that the batch creates', async () => {
    const answer = await send(
      server.base,
      'POST',
      bundle('batch', [post(patient(), { fullUrl: 'urn:uuid:p' }), post(observation('urn:uuid:p'))]),
    );
    expect(
      answer.body.entry.map((entry: { response: { status: string } }) => entry.response.status.slice(0, 3)),
    ).toEqual(['201', '400']);
  });

  test.each([
    ['a collection', bundle('collection', [])],
    ['no Bundle at all', patient()],
    ['a list', []],
    ['a batch with odd elements', { ...bundle('batch', [post(patient())]), colour: 'red' }],
  ])('OP-64 %s is 400', async (_name, body) => {
    expect((await send(server.base, 'POST', body)).status).toBe(400);
  });
});
