import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle, Observation, Resource } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { createFhirClient, type FhirClient, type FhirClientOptions } from '../../../src/fhir/client/fhir-client.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../../support/stub-fhir-server.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const secretId = 'secret-patient-4711';
const secretCode = 'http://loinc.org|2160-0';

async function stubWith(faults: StubFault[], count = 20): Promise<StubFhirServer> {
  const rows = Array.from({ length: count }, (_, index): Observation => {
    const code = { coding: [{ system: 'http://loinc.org', code: '2160-0' }] };
    const subject = { reference: `Patient/${secretId}` };
    return { resourceType: 'Observation', id: `o${index}`, status: 'final', code, subject };
  });
  const stub = await startStubFhirServer({ resources: [{ resourceType: 'Patient', id: secretId }, ...rows], faults });
  opened.push(stub);
  return stub;
}

/** A server that answers these pages, one leading to the next, and nothing else. */
async function pagesAt(pages: readonly Bundle[]): Promise<string> {
  const server = createServer((request, response) => {
    const number = Number(new URL(request.url ?? '', base).searchParams.get('page') ?? 0);
    const link = number + 1 < pages.length ? [{ relation: 'next', url: `${base}?page=${number + 1}` }] : [];
    response.setHeader('content-type', 'application/fhir+json').end(JSON.stringify({ ...pages[number], link }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  opened.push({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return base;
}

function searchset(...resources: Resource[]): Bundle {
  return { resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) };
}

function clientOf(base: string, options: Partial<FhirClientOptions> = {}): FhirClient {
  const client = createFhirClient({
    base,
    outbound: outboundTo(base),
    timeoutMs: 5_000,
    maxResources: 1_000,
    ...options,
  });
  opened.push(client);
  return client;
}

async function searchAll(client: FhirClient, values = [secretCode], signal?: AbortSignal): Promise<Resource[]> {
  const rows: Resource[] = [];
  const search = {
    type: 'Observation',
    parameters: [['patient', secretId]] as const,
    anyOf: { name: 'code', values },
  };
  for await (const page of client.search(search, signal)) rows.push(...page);
  return rows;
}

async function errorOf(promise: Promise<unknown>): Promise<PredictionError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PredictionError)) throw new Error(`expected a PredictionError, got ${String(error)}`);
  return error;
}

/** What every failure has in common: it names the server and the interaction, and no value of a parameter. */
function expectUnreachable(error: PredictionError, base: string, said: RegExp, code = 'transient'): void {
  expect(error.code).toBe('RECORD_UNREACHABLE');
  expect(error.message).toMatch(said);
  expect(error.message).toContain(base);
  expect(error.message).toMatch(/\((read Patient|search Observation by patient, code)\)\. [A-Z].*\.$/);
  expect(error.message).not.toContain(secretId);
  expect(error.message).not.toContain('2160-0');
  expect(error.issues[0]).toMatchObject({ code, message: error.message });
}

describe('fhir client', () => {
  test('asks for FHIR 4.0 as JSON, 200 rows at a time, and follows opaque next links', async () => {
    const stub = await stubWith([]);
    const rows = await searchAll(clientOf(stub.base));
    expect(rows).toHaveLength(20);
    expect(stub.requests).toHaveLength(3);
    expect(stub.requests[0]?.headers.accept).toMatch(/^application\/fhir\+json; *fhirVersion=4\.0/);
    expect(stub.requests[0]?.url).toContain('_count=200');
    expect(stub.requests[1]?.url).toMatch(/^\/fhir\?page=/);
  });

  test('its base has neither credentials, query nor trailing slash; the credentials are sent as a header', async () => {
    const stub = await stubWith([]);
    const client = clientOf(`${stub.base.replace('//', '//user:pass%20word@')}//?key=1`);
    expect(client.base).toBe(stub.base);
    await client.read('Patient', secretId);
    expect(stub.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:pass word').toString('base64')}`);
    expect(stub.requests[0]?.url).toBe(`/fhir/Patient/${secretId}`);
  });

  test('sends the headers it is given with every page', async () => {
    const stub = await stubWith([]);
    await searchAll(clientOf(stub.base, { headers: { authorization: 'Bearer token' } }));
    expect(stub.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer token'));
  });

  test.each([404, 410])('a read that is answered %i finds nothing', async (status) => {
    const stub = await stubWith([{ kind: 'status', status }]);
    expect(await clientOf(stub.base).read('Patient', secretId)).toBeUndefined();
  });

  test.each(['..', '.', 'a/b', 'a?b', '', 'x'.repeat(65)])('never asks for the impossible id %j', async (id) => {
    const stub = await stubWith([]);
    expect(await clientOf(stub.base).read('Patient', id)).toBeUndefined();
    expect(stub.requests).toEqual([]);
  });

  test('splits a search whose URL would exceed 1,800 characters, and gives each row once', async () => {
    const stub = await stubWith([], 5);
    const many = Array.from({ length: 120 }, (_, index) => `http://snomed.info/sct|${1_000_000 + index}`);
    const rows = await searchAll(clientOf(stub.base), [secretCode, ...many, secretCode]);
    expect(rows).toHaveLength(5);
    expect(stub.requests.length).toBeGreaterThan(2);
    for (const { url } of stub.requests) expect(`http://127.0.0.1:65535${url}`.length).toBeLessThanOrEqual(1_800);
    const asked = stub.requests.flatMap(({ url }) => new URL(url, stub.base).searchParams.get('code')?.split(','));
    expect(new Set(asked)).toEqual(new Set([secretCode, ...many]));
    expect(asked).toHaveLength(121);
  });

  test('escapes a comma inside a code, so that one code stays one code', async () => {
    const stub = await stubWith([]);
    await searchAll(clientOf(stub.base), ['urn:x|a,b']);
    expect(new URL(stub.requests[0]?.url ?? '', stub.base).searchParams.get('code')).toBe('urn:x|a\\,b');
  });

  test('a Bundle without entry is a search without matches', async () => {
    const stub = await stubWith([{ kind: 'no-entry' }], 3);
    expect(await searchAll(clientOf(stub.base))).toEqual([]);
  });

  test('leaves out warnings, included resources and rows it saw on the page before', async () => {
    const stub = await stubWith([{ kind: 'duplicates' }]);
    const rows = await searchAll(clientOf(stub.base));
    expect(rows.map(({ id }) => id).sort()).toEqual(Array.from({ length: 20 }, (_, index) => `o${index}`).sort());
  });

  test('a row corrected between two pages is not lost to its earlier version', async () => {
    const version = (versionId: string, status: Observation['status']): Observation => {
      const meta = { versionId, lastUpdated: `2026-01-0${versionId}T00:00:00Z` };
      return { resourceType: 'Observation', id: 'o1', meta, status, code: {} };
    };
    const pages = [searchset(version('1', 'final')), searchset(version('1', 'final'), version('2', 'corrected'))];
    const rows = (await searchAll(clientOf(await pagesAt(pages)))) as Observation[];
    expect(rows.map(({ status }) => status)).toEqual(['final', 'corrected']);
  });

  test('a row that changed is given again where the server names no versions', async () => {
    const row = (status: Observation['status']): Observation => {
      return { resourceType: 'Observation', id: 'o1', status, code: {} };
    };
    const base = await pagesAt([searchset(row('final')), searchset(row('final'), row('corrected'))]);
    expect(await searchAll(clientOf(base))).toEqual([row('final'), row('corrected')]);
  });

  test.each(['collection', 'history', 'batch-response', undefined] as (Bundle['type'] | undefined)[])(
    'a Bundle of type %s is no answer to a search, for it may hold anything',
    async (type) => {
      const base = await pagesAt([{ ...searchset(), type } as Bundle]);
      expectUnreachable(await errorOf(searchAll(clientOf(base))), base, /Bundle that is no searchset/);
    },
  );

  test('a part of a resource is unreachable in a read too', async () => {
    const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
    const stub = await startStubFhirServer({ resources: [{ resourceType: 'Patient', id: secretId, meta: { tag } }] });
    opened.push(stub);
    expectUnreachable(await errorOf(clientOf(stub.base).read('Patient', secretId)), stub.base, /SUBSETTED/);
  });

  test('reads a compressed body', async () => {
    const stub = await stubWith([{ kind: 'gzip' }]);
    expect(await searchAll(clientOf(stub.base))).toHaveLength(20);
  });

  const failures: [name: string, fault: StubFault, said: RegExp][] = [
    ['a page for people instead of FHIR', { kind: 'html' }, /answered text\/html, not JSON/],
    ['a body that ends in the middle', { kind: 'truncate' }, /JSON that breaks off/],
    ['JSON that is no resource', { kind: 'no-resource' }, /no FHIR resource/],
    ['a Patient that nobody asked for', { kind: 'patient-instead' }, /other than a Bundle|another resource/],
    ['an OperationOutcome', { kind: 'outcome-instead' }, /OperationOutcome|another resource/],
    ['another FHIR version', { kind: 'r5' }, /FHIR 5\.0, not 4\.0/],
    ['a body that is not compressed as it says', { kind: 'gzip-broken' }, /cannot be unpacked/],
    ['a connection that is reset, twice', { kind: 'reset' }, /broke the connection off/],
    ['a connection that is reset within the body', { kind: 'reset-mid-body' }, /broke the connection off/],
    [
      '301',
      { kind: 'status', status: 301, headers: { location: 'https://elsewhere.example/x?y' } },
      /redirects elsewhere \(301, to elsewhere\.example\)/,
    ],
    ['400', { kind: 'status', status: 400 }, /refused the request \(400\)/],
    ['401', { kind: 'status', status: 401 }, /does not accept the credentials \(401\)/],
    ['403', { kind: 'status', status: 403 }, /forbids this \(403\)/],
    ['429', { kind: 'status', status: 429 }, /asked too often \(429\)/],
    ['204', { kind: 'status', status: 204 }, /204 instead of 200/],
    ['500', { kind: 'status', status: 500 }, /failed \(500\)/],
    ['503, twice', { kind: 'status', status: 503 }, /not available now \(503\)/],
  ];

  test.each(failures)('%s is an unreachable record, in a read and in a search', async (_name, fault, said) => {
    const stub = await stubWith([fault]);
    const client = clientOf(stub.base);
    expectUnreachable(await errorOf(client.read('Patient', secretId)), stub.base, said);
    expectUnreachable(await errorOf(searchAll(client)), stub.base, said);
  });

  test.each(failures)('%s on the second page is an unreachable record', async (_name, fault, said) => {
    const stub = await stubWith([{ ...fault, on: 'next' }]);
    expectUnreachable(await errorOf(searchAll(clientOf(stub.base))), stub.base, said);
  });

  const searchFailures: [name: string, fault: StubFault, said: RegExp][] = [
    ['404', { kind: 'status', status: 404 }, /does not know this interaction \(404\)/],
    ['an error inside the Bundle', { kind: 'outcome-error' }, /reported an error inside the Bundle/],
    ['an error inside the second page', { kind: 'outcome-error', on: 'next' }, /reported an error inside the Bundle/],
    ['next links in a circle', { kind: 'next-circle' }, /in a circle/],
    ['next links without end', { kind: 'next-endless' }, /more than 1000 entries or pages/],
    ['a next link that is no address', { kind: 'next-nowhere' }, /next link that is no address/],
    ['parts of resources', { kind: 'subsetted' }, /SUBSETTED/],
    ['fewer matches than it counts', { kind: 'false-total' }, /there are 21 matches, but gave 20/],
  ];

  test.each(searchFailures)('%s makes a search incomplete', async (_name, fault, said) => {
    const stub = await stubWith([fault]);
    expectUnreachable(await errorOf(searchAll(clientOf(stub.base))), stub.base, said);
  });

  test('a row is not lost unnoticed where another resource without a search mode makes up the number', async () => {
    const row: Observation = { resourceType: 'Observation', id: 'o1', status: 'final', code: {} };
    const base = await pagesAt([{ ...searchset(row, { resourceType: 'Medication', id: 'm' }), total: 2 }]);
    expectUnreachable(await errorOf(searchAll(clientOf(base))), base, /there are 2 matches, but gave 1/);
  });

  test('a Bundle that says that it is a part of the answer does not make an absence of nothing', async () => {
    const base = await pagesAt([{ ...searchset(), meta: { tag: [{ code: 'SUBSETTED' }] } }]);
    expectUnreachable(await errorOf(searchAll(clientOf(base))), base, /SUBSETTED/);
  });

  test('more rows than allowed are an unreachable record, never a part of them', async () => {
    const stub = await stubWith([]);
    const error = await errorOf(searchAll(clientOf(stub.base, { maxResources: 15 })));
    expectUnreachable(error, stub.base, /more than 15 entries/);
  });

  test.each([
    ['another host', (base: string) => base.replace('127.0.0.1', 'localhost')],
    ['another port', (base: string) => base.replace(/:\d+/, ':1')],
    ['another scheme', (base: string) => base.replace('http:', 'https:')],
    ['a path beside the base', (base: string) => `${base}-other/Observation`],
    ['a path above the base', (base: string) => `${base}/../admin`],
    ['a path above the base, encoded', (base: string) => `${base}/%2e%2e%2fadmin`],
    ['other credentials', (base: string) => base.replace('//', '//user:pass@')],
  ])('a next link to %s is not followed', async (_name, elsewhere) => {
    const stub = await stubWith([]);
    const other = await stubWith([{ kind: 'next-elsewhere', url: elsewhere(stub.base) }]);
    const target = await stubWith([{ kind: 'next-elsewhere', url: elsewhere('http://127.0.0.1:1/fhir') }]);
    for (const server of [other, target]) {
      const client = clientOf(server.base, { headers: { authorization: 'Bearer token' } });
      const error = await errorOf(searchAll(client));
      expectUnreachable(error, server.base, /leads away from it, to .*(127\.0\.0\.1|localhost)/);
      expect(server.requests).toHaveLength(1);
    }
    expect(stub.requests).toEqual([]);
  });

  test('a server that hangs is given up after timeoutMs, and the error says so', async () => {
    const stub = await stubWith([{ kind: 'hang' }]);
    const client = clientOf(stub.base, { timeoutMs: 150 });
    expectUnreachable(await errorOf(searchAll(client)), stub.base, /within 150 ms/, 'timeout');
    expectUnreachable(await errorOf(client.read('Patient', secretId)), stub.base, /within 150 ms/, 'timeout');
  });

  test('a server that hangs in the middle of a body is given up after timeoutMs', async () => {
    const stub = await stubWith([{ kind: 'hang-mid-body' }]);
    const error = await errorOf(searchAll(clientOf(stub.base, { timeoutMs: 150 })));
    expectUnreachable(error, stub.base, /within 150 ms/, 'timeout');
  });

  test('a caller who gives up is answered at once', async () => {
    const stub = await stubWith([{ kind: 'hang' }]);
    const given = new AbortController();
    const error = errorOf(searchAll(clientOf(stub.base), [secretCode], given.signal));
    given.abort();
    expectUnreachable(await error, stub.base, /request was given up/, 'timeout');
  });

  test('a caller who gives up with an error of the project gets that error', async () => {
    const stub = await stubWith([]);
    const reason = new PredictionError('SHUTTING_DOWN', 'The server drains.');
    expect(await errorOf(clientOf(stub.base).read('Patient', secretId, AbortSignal.abort(reason)))).toBe(reason);
  });

  test('a refused connection is an unreachable record', async () => {
    const stub = await startStubFhirServer({ resources: [] });
    await stub.close();
    const error = await errorOf(clientOf(stub.base).read('Patient', secretId));
    expectUnreachable(error, stub.base, /refused the connection/);
  });

  test('a failed TLS handshake is an unreachable record', async () => {
    const stub = await stubWith([]);
    const base = stub.base.replace('http:', 'https:');
    expectUnreachable(await errorOf(clientOf(base).read('Patient', secretId)), base, /over TLS/);
  });

  test('a host name that does not exist is an unreachable record', async () => {
    const base = 'http://no-such-host.invalid/fhir';
    expectUnreachable(await errorOf(clientOf(base).read('Patient', secretId)), base, /cannot be resolved/);
  });

  test('a body above the limit is refused while it arrives, compressed or not', async () => {
    for (const faults of [[], [{ kind: 'gzip' }]] satisfies StubFault[][]) {
      const stub = await stubWith([{ kind: 'huge', bytes: 4_000_000 }, ...faults]);
      const error = await errorOf(searchAll(clientOf(stub.base, { maxBodyBytes: 1_000_000 })));
      expectUnreachable(error, stub.base, /more than 1000000 bytes/);
    }
  });

  test.each([
    ['a reset connection', { kind: 'reset', times: 1 }],
    ['a connection reset within the body', { kind: 'reset-mid-body', times: 1 }],
    ['502', { kind: 'status', status: 502, times: 1 }],
    ['503', { kind: 'status', status: 503, times: 1 }],
    ['504', { kind: 'status', status: 504, times: 1 }],
    ['429 with a short Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '0' }, times: 1 }],
  ] satisfies [string, StubFault][])('%s is repeated once', async (_name, fault) => {
    const stub = await stubWith([{ ...fault }], 3);
    expect(await searchAll(clientOf(stub.base))).toHaveLength(3);
    expect(stub.requests).toHaveLength(2);
  });

  test.each([
    ['500', { kind: 'status', status: 500 }],
    ['429 without Retry-After', { kind: 'status', status: 429 }],
    ['429 with a long Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '3' } }],
    ['503 with a long Retry-After', { kind: 'status', status: 503, headers: { 'retry-after': '120' } }],
    ['a page for people', { kind: 'html' }],
  ] satisfies [string, StubFault][])('%s is not repeated', async (_name, fault) => {
    const stub = await stubWith([{ ...fault, times: 1 }], 3);
    expect((await errorOf(searchAll(clientOf(stub.base)))).code).toBe('RECORD_UNREACHABLE');
    expect(stub.requests).toHaveLength(1);
  });

  test('a repetition gets no time of its own', async () => {
    const stub = await stubWith([{ kind: 'status', status: 503, headers: { 'retry-after': '2' } }]);
    const error = await errorOf(clientOf(stub.base, { timeoutMs: 150 }).read('Patient', secretId));
    expectUnreachable(error, stub.base, /within 150 ms/, 'timeout');
    expect(stub.requests).toHaveLength(1);
  });
});
