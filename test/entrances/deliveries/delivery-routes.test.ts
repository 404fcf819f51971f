import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../support/fhir-test-server.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';

let folder: string;
let server: StartedFhirsight;
let url: string;

/** Nothing listens at the sink: its rows stay as the tests put them. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-desk-'));
  const sinksFile = path.join(folder, 'sinks.json');
  const sinks = [
    {
      name: 'ehr',
      kind: 'fhir-transaction',
      url: 'http://127.0.0.1:1/fhir',
      firstRetryMs: 3_600_000,
      maxRetryMs: 3_600_000,
    },
  ];
  await writeFile(sinksFile, JSON.stringify({ sinks }));
  server = await startFhirsight({ settings: { SINKS_FILE: sinksFile } });
  url = `${server.url}/deliveries`;
  const rows = [
    ['ehr', 'r1', 'delivered'],
    ['ehr', 'r2', 'dead'],
    ['ehr', 'r3', 'dead'],
    ['old', 'r4', 'pending'],
  ];
  for (const [sink, identifier, state] of rows) {
    await server.house.database.query(
      `insert into deliveries (tenant, sink, identifier, resource_type, resource_id, state, attempts, last_error)
       values ('default', $1, $2, 'RiskAssessment', 'ra-1', $3, 4, $4)`,
      [sink, identifier, state, state === 'dead' ? '{"reason":"rejected","status":422,"text":"no"}' : null],
    );
  }
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test('the summary counts by sink and state, and names sinks that are no longer declared', async () => {
  const { status, body } = await send(`${url}/summary`);
  expect(status).toBe(200);
  expect(body.sinks).toEqual([
    { sink: 'ehr', declared: true, pending: 0, sending: 0, delivered: 1, dead: 2 },
    { sink: 'old', declared: false, pending: 1, sending: 0, delivered: 0, dead: 0 },
  ]);
});

test('the list is filtered by sink and state, and paged by key', async () => {
  const { body: dead } = await send(`${url}?sink=ehr&state=dead`);
  expect(dead.deliveries).toMatchObject([
    {
      sink: 'ehr',
      identifier: 'r2',
      state: 'dead',
      attempts: 4,
      result: 'RiskAssessment/ra-1',
      lastError: { status: 422 },
    },
    { identifier: 'r3' },
  ]);
  expect(dead.next).toBeUndefined();
  const seen: string[] = [];
  for (let next: string | undefined = '/deliveries?_count=1'; next !== undefined; ) {
    const { status, body } = await send(`${server.url}${next}`);
    expect(status).toBe(200);
    seen.push(...body.deliveries.map(({ identifier }: { identifier: string }) => identifier));
    next = body.next;
  }
  expect(seen).toEqual(['r1', 'r2', 'r3', 'r4']);
});

test.each([
  ['an unknown sink', '?sink=nowhere', 'There is no such sink; allowed are ehr, old.'],
  ['a sink that is no name', '?sink=a%20b', 'sink'],
  ['an unknown state', '?state=lost', 'state must be one of pending, sending, delivered, dead.'],
  ['an unknown parameter', '?patient=1', 'patient is unknown here'],
  ['a repeated parameter', '?state=dead&state=dead', 'state may be given once'],
  ['no rows at all', '?_count=0', '_count'],
  ['a page that is none', '?_page=abc', '_page'],
  ['a page of another kind', `?_page=${Buffer.from('[1,2]').toString('base64url')}`, '_page'],
  ['a page with a null character', `?_page=${Buffer.from('["a","\\u0000"]').toString('base64url')}`, '_page'],
])('a list with %s is refused with 400', async (_, query, says) => {
  const { status, body } = await send(`${url}${query}`);
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain(says);
});

test.each([
  ['no sink', { state: 'dead' }, 'sink must name a sink'],
  ['an unknown sink', { sink: 'nowhere', state: 'dead' }, 'There is no such sink'],
  ['neither results nor all', { sink: 'ehr' }, 'Exactly one of'],
  ['both', { sink: 'ehr', state: 'dead', identifiers: ['r2'] }, 'Exactly one of'],
  ['another state', { sink: 'ehr', state: 'pending' }, 'state must be'],
  ['no result', { sink: 'ehr', identifiers: [] }, 'identifiers must be'],
  ['a result that is no text', { sink: 'ehr', identifiers: [1] }, 'identifiers must be'],
  ['an unknown field', { sink: 'ehr', state: 'dead', force: true }, 'unknown'],
  ['a list', [], 'JSON object'],
])('a re-drive of %s is refused with 400', async (_, body, says) => {
  const answer = await send(`${url}/redrive`, 'POST', body);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(says);
});

test('other methods and paths are refused with their own statuses', async () => {
  expect((await send(url, 'POST', {})).status).toBe(405);
  expect((await send(`${url}/redrive`)).status).toBe(405);
  expect((await send(`${url}/redrive`, 'POST', '{')).status).toBe(400);
  expect((await send(`${url}/redrive`, 'POST', '{}', { 'Content-Type': 'text/plain' })).status).toBe(415);
  expect((await send(`${url}/nothing`)).status).toBe(404);
});

test('dead letters are put back: those that are named, or all; what is delivered is left alone', async () => {
  const named = await send(`${url}/redrive`, 'POST', { sink: 'ehr', identifiers: ['r2', 'r1', 'unknown'] });
  expect(named.body).toEqual({ sink: 'ehr', redriven: 1 });
  const all = await send(`${url}/redrive`, 'POST', { sink: 'ehr', state: 'dead' });
  expect(all.body).toEqual({ sink: 'ehr', redriven: 1 });
  const { body } = await send(`${url}?sink=ehr&state=dead`);
  expect(body.deliveries).toEqual([]);
});
