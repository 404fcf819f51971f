import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CdsClientSettings } from '../src/http/access/cds-client-section.ts';
import { createApp } from '../src/http/server-app.ts';
import { systemClock } from '../src/platform/clock.ts';
import { createOutbound, type Outbound } from '../src/platform/outbound/create-outbound.ts';
import { keyServersOf, openCdsCallers } from '../src/wire-cds-callers.ts';
import { createCdsClient } from './support/cds-client.ts';
import { silentLogger } from './support/silent-logger.ts';
import { openTestDatabase, type TestDatabase } from './support/test-database.ts';

let opened: TestDatabase;
let folder: string;
const servers: Server[] = [];
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  opened = await openTestDatabase();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-cds-'));
});
afterAll(async () => {
  for (const server of servers) server.close();
  for (const close of closers) await close();
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

async function listening(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const settings = (more: Partial<CdsClientSettings>): CdsClientSettings => ({
  name: 'ehr',
  issuer: 'https://ehr.example.org',
  algorithms: ['ES384'],
  fhirServers: [],
  writesBack: false,
  systemActions: false,
  ...more,
});

/** The door with a real way out, before a real app. @returns its URL */
async function openDoor(clients: readonly CdsClientSettings[]): Promise<string> {
  const outbound: Outbound = createOutbound({
    allowed: keyServersOf(clients),
    privateHosts: ['127.0.0.1'],
    event: () => undefined,
  });
  const url = await listening((request, response) => app(request as never, response as never));
  const { database } = opened;
  const parts = { database, tenant: 'test', serverUrl: url, fetch: outbound.fetch, clock: systemClock };
  const callers = await openCdsCallers(clients, { ...parts, event: () => undefined });
  closers.push(callers.close, () => outbound.close());
  const app = createApp({
    routes: [
      { path: '/cds-services', handler: callers.handler },
      { path: '/cds-services', handler: (_request, response) => void response.json({}) },
    ],
    newRequestId: randomUUID,
    logger: silentLogger,
    notReady: async () => [],
  });
  return url;
}

describe('the door of /cds-services', () => {
  test('CDS-60, CDS-65: asks the listed key set over HTTP, and lets its client in once a token', async () => {
    const client = await createCdsClient();
    let asked = 0;
    const keys = await listening((_request, response) => {
      asked += 1;
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(client.keySet()));
    });
    const url = await openDoor([settings({ jku: [`${keys}/jwks`] })]);
    expect((await client.get(`${url}/cds-services`)).status).toBe(200);
    expect((await client.post(`${url}/cds-services/a`, {})).status).toBe(200);
    const refused = await client.post(`${url}/cds-services/a`, {}, `${url}/cds-services/b`);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([401, 'application/json; charset=utf-8']);
    expect(asked).toBe(1);
  });

  test('CDS-65: a listed key set that redirects gives no keys', async () => {
    const client = await createCdsClient();
    const elsewhere = await listening((_request, response) => void response.end(JSON.stringify(client.keySet())));
    const keys = await listening((_request, response) => void response.writeHead(302, { Location: elsewhere }).end());
    const url = await openDoor([settings({ jku: [`${keys}/jwks`] })]);
    expect((await client.get(`${url}/cds-services`)).status).toBe(401);
  });

  test('CDS-65: takes the keys of a keysFile, and does not start with one that holds none', async () => {
    const client = await createCdsClient();
    const keysFile = path.join(folder, 'keys.json');
    await writeFile(keysFile, JSON.stringify(client.keySet()));
    const url = await openDoor([settings({ keysFile })]);
    expect((await client.get(`${url}/cds-services`)).status).toBe(200);
    await writeFile(keysFile, '{"keys": []}');
    await expect(openDoor([settings({ keysFile })])).rejects.toThrow(/holds no public key/);
    await writeFile(keysFile, 'no JSON');
    await expect(openDoor([settings({ keysFile })])).rejects.toThrow(/cannot be read as a JWKS/);
  });
});
