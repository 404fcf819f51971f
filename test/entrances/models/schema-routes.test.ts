import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schemaRoutes } from '../../../src/entrances/models/schema-routes.ts';
import { createApp } from '../../../src/http/server-app.ts';
import { publishedSchemas } from '../../../src/model-catalog/published-schemas.ts';
import { silentLogger } from '../../support/silent-logger.ts';

const app = createApp({
  routes: [{ path: '/schemas', handler: schemaRoutes() }],
  newRequestId: () => 'one',
  logger: silentLogger,
  notReady: async () => [],
});
const server = createServer(app);
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/schemas`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe('GET /schemas/{name}', () => {
  test.each(Object.keys(publishedSchemas))('gives %s', async (name) => {
    const answer = await fetch(`${url}/${name}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/schema+json; charset=utf-8',
    ]);
    expect(await answer.json()).toEqual(publishedSchemas[name]);
  });

  test.each(['manifest', 'toString', '..%2fpackage.json'])('knows no schema %s', async (name) => {
    expect((await fetch(`${url}/${name}`)).status).toBe(404);
  });

  test('refuses to be written', async () => {
    const answer = await fetch(`${url}/manifest.schema.json`, { method: 'PUT', body: '{}' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
