import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CdsAccessServer, startCdsAccessServer } from '../../support/cds-access-server.ts';
import { createCdsClient } from '../../support/cds-client.ts';
import { send } from '../../support/fhir-test-server.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const publicUrl = 'https://risk.example.org';
const listed = 'https://ehr.example.org';
let database: TestDatabase;
let server: CdsAccessServer;

beforeAll(async () => {
  database = await openTestDatabase();
  server = await startCdsAccessServer({
    clients: [],
    database: database.database,
    clock: { now: () => new Date() },
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    publicUrl,
    logger: silentLogger,
  });
});
afterAll(async () => {
  await server.close();
  await database.close();
});

const allowOrigin = 'access-control-allow-origin';
const preflight = (origin: string, path = '/cds-services/prevent-base') =>
  send(`${server.origin}${path}`, 'OPTIONS', undefined, {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  });

describe('CDS-68: a page of another origin', () => {
  test('that is listed is told before any token that it may send one, with JSON', async () => {
    for (const path of [
      '/cds-services',
      '/cds-services/prevent-base',
      '/cds-services/prevent-base/feedback',
      '/fhir/R4',
    ]) {
      const { status, headers } = await preflight(listed, path);
      expect([status, headers.get(allowOrigin), headers.get('vary')], path).toEqual([204, listed, 'Origin']);
      expect(headers.get('access-control-allow-headers')).toMatch(/^Authorization,Content-Type,/);
      expect(headers.get('access-control-allow-methods')?.split(',')).toEqual(
        expect.arrayContaining(['GET', 'POST', 'OPTIONS', 'PUT', 'DELETE']),
      );
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test('may read answers where it is listed, refusals too, and is still asked for its token', async () => {
    const answer = await send(`${server.origin}/cds-services`, 'GET', undefined, { Origin: listed });
    expect([answer.status, answer.headers.get(allowOrigin), answer.headers.get('vary')]).toEqual([
      401,
      listed,
      'Origin',
    ]);
    const client = await createCdsClient();
    const { status } = await send(`${server.origin}/cds-services`, 'GET', undefined, {
      Origin: listed,
      Authorization: `Bearer ${await client.token(`${publicUrl}/cds-services`)}`,
    });
    expect(status).toBe(401);
  });

  test.each([
    'https://attacker.example.org',
    'https://ehr.example.org.attacker.example.org',
    'http://ehr.example.org',
    'https://ehr.example.org:8443',
    'https://EHR.example.org',
    'null',
    '*',
  ])('%s, that is not listed, is told of no origin', async (origin) => {
    expect((await preflight(origin)).headers.get(allowOrigin)).toBeNull();
    const answer = await send(`${server.origin}/cds-services`, 'GET', undefined, { Origin: origin });
    expect([answer.headers.get(allowOrigin), answer.headers.get('vary')]).toEqual([null, 'Origin']);
  });

  test('has no business elsewhere, nor with OPTIONS that is no preflight', async () => {
    expect((await preflight(listed, '/health/ready')).headers.get(allowOrigin)).toBeNull();
    expect((await preflight(listed, '/admin/models')).headers.get(allowOrigin)).toBeNull();
    const plain = await send(`${server.origin}/cds-services`, 'OPTIONS', undefined, { Origin: listed });
    expect(plain.status).toBe(401);
  });
});
