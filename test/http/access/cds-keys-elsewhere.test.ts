import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LogEvent } from '../../../src/platform/events.ts';
import { createOutbound, type Outbound } from '../../../src/platform/outbound/create-outbound.ts';
import { keyServersOf } from '../../../src/wire-cds-callers.ts';
import { type CdsAccessServer, startCdsAccessServer } from '../../support/cds-access-server.ts';
import { type CdsClient, createCdsClient } from '../../support/cds-client.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

const publicUrl = 'https://risk.example.org';
const service = `${publicUrl}/cds-services/prevent-base`;
const host = 'keys.ehr.example.org';
const time = createVirtualTime();

/** Where nobody may be led: whoever connects to it is seen. */
let canary: Server;
let canaryPort: number;
const arrived: string[] = [];
/** The key set of the client, on this machine by the name of `host` or by its address. */
let keys: Server;
let keysPort: number;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let addresses: string[];
let client: CdsClient;
let database: TestDatabase;
let events: LogEvent[];
let opened: { server: CdsAccessServer; outbound: Outbound } | undefined;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  database = await openTestDatabase();
  client = await createCdsClient({ now: () => time.clock.now() });
  canary = createServer((_, response) => void response.end('{"keys":[]}'));
  canary.on('connection', () => void arrived.push('connection'));
  canaryPort = await listening(canary);
  keys = createServer((request, response) => answer(request, response));
  keysPort = await listening(keys);
});
beforeEach(() => {
  events = [];
  arrived.length = 0;
  addresses = ['127.0.0.1'];
  answer = (_, response) => void response.setHeader('connection', 'close').end(JSON.stringify(client.keySet()));
});
afterEach(async () => {
  await opened?.server.close();
  await opened?.outbound.close();
  opened = undefined;
});
afterAll(async () => {
  for (const server of [canary, keys]) {
    server.closeAllConnections();
    server.close();
  }
  await database.close();
});

/** The door of a server that lists one key set, with the real way out and a resolver that says `addresses`. */
async function open(jku: string, privateHosts: readonly string[] = []): Promise<CdsAccessServer> {
  const clients = [
    {
      name: 'ehr',
      issuer: client.issuer,
      algorithms: ['ES384' as const, 'RS384' as const],
      fhirServers: [],
      writesBack: false,
      systemActions: false,
      jku: [jku],
    },
  ];
  const outbound = createOutbound({
    allowed: keyServersOf(clients),
    privateHosts,
    resolve: async () => addresses.map((address) => ({ address, family: 4 })),
    event: (event) => void events.push(event),
  });
  const server = await startCdsAccessServer({
    clients,
    database: database.database,
    clock: time.clock,
    fetch: outbound.fetch,
    publicUrl,
    logger: silentLogger,
  });
  opened = { server, outbound };
  return server;
}

async function callWith(server: CdsAccessServer, jku: string): Promise<number> {
  const authorization = `Bearer ${await client.token(service, { header: { jku } })}`;
  const { status } = await fetch(`${server.origin}/cds-services/prevent-base`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{}',
  });
  return status;
}

const refusals = (): string[] => events.flatMap((event) => (event.name === 'outbound.refused' ? [event.reason] : []));

test('CDS-65: a listed jku is asked for its keys, so that what follows proves something', async () => {
  const jku = `http://127.0.0.1:${keysPort}/jwks`;
  expect(await callWith(await open(jku), jku)).toBe(200);
});

test('CDS-65: a listed jku whose name resolves to a private address is not asked', async () => {
  const jku = `http://${host}:${canaryPort}/jwks`;
  expect(await callWith(await open(jku), jku)).toBe(401);
  expect(arrived).toEqual([]);
  expect(refusals()).toContain('address-not-allowed');
});

test('CDS-65: a listed jku whose name later resolves to another network is asked no more, even for a new key', async () => {
  const jku = `http://${host}:${keysPort}/jwks`;
  const server = await open(jku, [host]);
  expect(await callWith(server, jku)).toBe(200);
  addresses = ['169.254.169.254'];
  await client.rotate(true);
  await time.advance(24 * 3_600_000);
  expect(await callWith(server, jku)).toBe(401);
  expect(refusals()).toContain('address-not-allowed');
});

test.each([301, 302, 303, 307, 308])(
  'CDS-65: a listed jku leads nobody elsewhere by a redirect (%i)',
  async (status) => {
    const jku = `http://127.0.0.1:${keysPort}/jwks`;
    answer = (_, response) =>
      void response.writeHead(status, { location: `http://127.0.0.1:${canaryPort}/jwks` }).end('{"keys":[]}');
    expect(await callWith(await open(jku), jku)).toBe(401);
    expect(arrived).toEqual([]);
  },
);

test('CDS-65: a jku that is not listed is not asked, and neither is the listed one in its place', async () => {
  let asked = 0;
  answer = (_, response) => {
    asked++;
    response.end(JSON.stringify(client.keySet()));
  };
  const server = await open(`http://127.0.0.1:${keysPort}/jwks`);
  for (const jku of [
    `http://127.0.0.1:${canaryPort}/jwks`,
    `http://localhost:${canaryPort}/jwks`,
    `http://127.0.0.1:${keysPort}@127.0.0.1:${canaryPort}/jwks`,
    `http://127.0.0.1:${keysPort}/jwks?to=http://127.0.0.1:${canaryPort}`,
  ])
    expect(await callWith(server, jku), jku).toBe(401);
  expect([arrived, asked]).toEqual([[], 0]);
});

test('whoever comes to the canary is seen, so that its silence proves something', async () => {
  await fetch(`http://127.0.0.1:${canaryPort}/jwks`);
  expect(arrived).toEqual(['connection']);
});
