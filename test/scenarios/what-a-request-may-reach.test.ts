import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Observation, Resource } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { callHook, fullPrefetch, patientView } from '../support/cds-call.ts';
import { patientOne } from '../support/patient-one.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

const secret = 'token-that-must-not-travel';
const record = patientOne({
  gender: 'female',
  birthDate: '1970-06-15',
  systolic: 131.07,
  totalCholesterol: 201.07,
  hdlCholesterol: 51.07,
  bodyMassIndex: 24.07,
  creatinine: 0.711,
});
const faults: StubFault[] = [];

/** Whoever connects to it was led there by a request. It listens on every address of this machine. */
let canary: Server;
let canaryPort: number;
const arrived: string[] = [];
let good: StubFhirServer;
let goodPort: string;
let fhirsight: StartedFhirsight;

beforeAll(async () => {
  canary = createServer((request, response) => {
    arrived.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.setHeader('content-type', 'application/fhir+json').end('{"resourceType":"Patient","id":"1"}');
  });
  canary.on('connection', (socket) => void arrived.push(`connection from ${socket.remoteAddress}`));
  await new Promise<void>((resolve) => canary.listen(0, resolve));
  canaryPort = (canary.address() as AddressInfo).port;
  good = await startStubFhirServer({ resources: record, faults });
  goodPort = new URL(good.base).port;
  fhirsight = await startFhirsight({
    clock: { now: () => new Date('2026-03-01T12:00:00Z') },
    settings: {
      // The name of this machine resolves to an address of its own network, or to none: a listed name that must not be reached.
      CDS_FHIR_SERVERS: `${good.base},https://${hostname()}:${canaryPort}/fhir`,
      CDS_DEADLINE_MS: '30000',
    },
  });
});
afterEach(() => {
  faults.splice(0);
});
afterAll(async () => {
  await fhirsight?.close();
  await good?.close();
  canary.closeAllConnections();
  canary.close();
});

const hook = (fhirServer: string, prefetch?: Record<string, unknown>) =>
  callHook(
    fhirsight.url,
    'prevent-base',
    patientView({ patient: '1', fhirServer, token: secret, ...(prefetch === undefined ? {} : { prefetch }) }),
  );

test('the listed server is asked with the token of the call, so that what follows proves something', async () => {
  const { status, text } = await hook(good.base);
  expect(status, text).toBe(200);
  expect(good.requests.every(({ headers }) => headers.authorization === `Bearer ${secret}`)).toBe(true);
  expect(good.requests.length).toBeGreaterThan(3);
});

describe('a hook is refused, and nothing is connected to, where its fhirServer is', () => {
  const tries: readonly (readonly [string, () => string])[] = [
    ['a server that is not listed', () => `http://127.0.0.1:${canaryPort}/fhir`],
    ['localhost by name', () => `http://localhost:${canaryPort}/fhir`],
    ['loopback as one decimal number', () => `http://2130706433:${canaryPort}/fhir`],
    ['loopback in hexadecimal', () => `http://0x7f000001:${canaryPort}/fhir`],
    ['loopback in octal', () => `http://0177.0.0.01:${canaryPort}/fhir`],
    ['loopback, shortened', () => `http://127.1:${canaryPort}/fhir`],
    ['loopback in full-width digits', () => `http://１２７.０.０.１:${canaryPort}/fhir`],
    ['loopback in circled digits', () => `http://①②⑦.⓪.⓪.①:${canaryPort}/fhir`],
    ['another loopback address', () => `http://127.8.8.8:${canaryPort}/fhir`],
    ['loopback of IPv6', () => `http://[::1]:${canaryPort}/fhir`],
    ['an IPv4-mapped address', () => `http://[::ffff:127.0.0.1]:${canaryPort}/fhir`],
    ['an IPv4-mapped address in hexadecimal', () => `http://[::ffff:7f00:1]:${canaryPort}/fhir`],
    ['loopback behind NAT64', () => `http://[64:ff9b::7f00:1]:${canaryPort}/fhir`],
    ['an unspecified address', () => `http://0.0.0.0:${canaryPort}/fhir`],
    ['the unspecified address of IPv6', () => `http://[::]:${canaryPort}/fhir`],
    ['the metadata service', () => 'http://169.254.169.254/latest/meta-data/'],
    ['the metadata service as a number', () => 'http://2852039166/latest/meta-data/'],
    ['a listed name that resolves to a private address', () => `https://${hostname()}:${canaryPort}/fhir`],
    ['the listed server as a user', () => `http://127.0.0.1:${goodPort}@127.0.0.1:${canaryPort}/fhir`],
    ['the listed server as an encoded user', () => `http://127.0.0.1%3A${goodPort}%40@127.0.0.1:${canaryPort}/fhir`],
    ['the listed server before a backslash', () => `http://127.0.0.1:${canaryPort}\\@127.0.0.1:${goodPort}/fhir`],
    ['the listed server behind a fragment', () => `http://127.0.0.1:${canaryPort}/#${good.base}`],
    ['the listed server in a query', () => `http://127.0.0.1:${canaryPort}/?base=${good.base}`],
    ['the listed host as a beginning', () => `http://127.0.0.1.nip.example:${canaryPort}/fhir`],
    ['a trailing dot', () => `http://localhost.:${canaryPort}/fhir`],
    ['a port of more digits', () => `http://127.0.0.1:${goodPort}0/fhir`],
    ['a scheme of another protocol', () => `gopher://127.0.0.1:${canaryPort}/_x`],
    ['a file', () => 'file:///etc/passwd'],
    ['no scheme', () => `//127.0.0.1:${canaryPort}/fhir`],
    ['a line break', () => `${good.base}\r\nHost: 127.0.0.1:${canaryPort}`],
  ];

  test.each(tries)('CDS-65, SM-6: %s', async (_, urlOf) => {
    const { status, text } = await hook(urlOf());
    expect([400, 412], text).toContain(status);
    expect(text).not.toContain(secret);
    expect(arrived).toEqual([]);
  });
});

describe('a listed server leads nobody elsewhere', () => {
  const next: readonly (readonly [string, () => string])[] = [
    ['to another server', () => `http://127.0.0.1:${canaryPort}/fhir?page=2`],
    ['to another server without a scheme', () => `//127.0.0.1:${canaryPort}/fhir?page=2`],
    ['to itself as a user of another one', () => `http://127.0.0.1:${goodPort}@127.0.0.1:${canaryPort}/fhir?page=2`],
    ['to the metadata service', () => 'http://169.254.169.254/latest/meta-data/'],
    ['to another path of its own', () => `http://127.0.0.1:${goodPort}/admin?page=2`],
    ['up, with an encoded slash', () => `${good.base}/..%2fadmin?page=2`],
  ];
  test.each(next)('CDS-25, SM-6: by a next link %s', async (_, urlOf) => {
    faults.push({ kind: 'next-elsewhere', url: urlOf(), on: 'search' });
    const { status } = await hook(good.base);
    expect(status).toBe(412);
    expect(arrived).toEqual([]);
    expect(good.requests.filter(({ url }) => url.includes('admin'))).toEqual([]);
  });

  test.each(next)('CDS-25, SM-6: by a next link of a page that the call holds, %s', async (_, urlOf) => {
    const { observations, ...rest } = fullPrefetch(record);
    const page = { ...(observations as object), link: [{ relation: 'next', url: urlOf() }] };
    const { status, text } = await hook(good.base, { ...rest, observations: page });
    expect(status, text).toBe(200);
    expect(good.requests.at(-1)?.url).toMatch(/^\/fhir(\/Observation)?\?/);
    expect(arrived).toEqual([]);
    expect(good.requests.filter(({ url }) => url.includes('admin'))).toEqual([]);
  });

  test.each([301, 302, 307, 308])('SM-6: by a redirect (%i)', async (status) => {
    for (const location of [`http://127.0.0.1:${canaryPort}/fhir`, 'http://169.254.169.254/latest/meta-data/']) {
      faults.splice(0, faults.length, { kind: 'status', status, headers: { location } });
      expect((await hook(good.base)).status).toBe(412);
    }
    expect(arrived).toEqual([]);
  });
});

test('SM-6: absolute references in what a call brings along are followed by nobody', async () => {
  const elsewhere = `http://127.0.0.1:${canaryPort}/fhir`;
  const led = record.map(
    (resource): Resource =>
      resource.resourceType === 'Observation'
        ? ({
            ...resource,
            encounter: { reference: `${elsewhere}/Encounter/visit` },
            performer: [{ reference: `${elsewhere}/Practitioner/1` }],
            hasMember: [{ reference: `${elsewhere}/Observation/2` }],
          } satisfies Observation)
        : resource,
  );
  const answers = [
    await hook(good.base, fullPrefetch(led)),
    await predictOverHttp(fhirsight.fhir, '1', { model: 'prevent-base', resources: led }),
  ];
  for (const { status, text } of answers) expect(status, text).toBeLessThan(500);
  expect(arrived).toEqual([]);
});

test('whoever comes to the canary is seen, so that its silence proves something', async () => {
  await fetch(`http://127.0.0.1:${canaryPort}/fhir/Patient/1`);
  expect(arrived).toEqual([expect.stringContaining('connection from'), expect.stringContaining('GET /fhir/Patient/1')]);
});
