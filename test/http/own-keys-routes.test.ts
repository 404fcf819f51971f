import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownKeysPath, ownKeysRoutes } from '../../src/http/own-keys-routes.ts';
import { createApp } from '../../src/http/server-app.ts';
import { silentLogger } from '../support/silent-logger.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  const app = createApp({
    routes: [{ path: ownKeysPath, handler: ownKeysRoutes({ keys: [{ kty: 'EC', kid: 'ec-1' }] }) }],
    newRequestId: () => 'r1',
    logger: silentLogger,
    notReady: async () => [],
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${ownKeysPath}`;
});
afterAll(() => server.close());

test('SM-2: the own public keys are given to everybody, with the time for which they may be kept', async () => {
  const response = await fetch(url, { headers: { accept: '*/*' } });
  expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
    200,
    expect.stringContaining('application/json'),
    'public, max-age=3600',
  ]);
  expect(await response.json()).toEqual({ keys: [{ kty: 'EC', kid: 'ec-1' }] });
});

test('the own public keys are changed by nobody', async () => {
  expect((await fetch(url, { method: 'PUT', body: '{}' })).status).toBe(405);
});
