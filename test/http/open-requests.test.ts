import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createOpenRequests, type GuardedPath, type OpenRequests } from '../../src/http/open-requests.ts';
import { createRequestPlaces } from '../../src/http/request-places.ts';
import type { LogEvent } from '../../src/platform/events.ts';

let server: Server;
let url: string;
let openRequests: OpenRequests;
let events: LogEvent[];
/** Ends the requests that were let in. */
let held: (() => void)[];

beforeEach(async () => {
  events = [];
  held = [];
  openRequests = createOpenRequests(
    [guarded('/runs'), guarded('/fhir/R4'), { ...guarded('/cds-services'), urgent: true }],
    createRequestPlaces(2, { now: () => 0, delayMs: () => 0 }),
    (event) => events.push(event),
    50,
  );
  server = createServer((request, response) => {
    if (openRequests.refuses(request, response)) return;
    if (request.url?.includes('wait')) held.push(() => response.end('waited'));
    else response.end('at once');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function guarded(path: string): GuardedPath {
  return { path, urgent: false, refusal: { contentType: 'application/json', text: JSON.stringify({ path }) } };
}

async function fill(): Promise<Promise<Response>[]> {
  const waiting = [fetch(`${url}/runs?wait`), fetch(`${url}/fhir/R4/wait`)];
  while (openRequests.count() < 2) await new Promise((resolve) => setImmediate(resolve));
  return waiting;
}

test('one too many is refused with the body of its protocol, and let in again when another has ended', async () => {
  const waiting = await fill();
  const refused = await fetch(`${url}/runs`, { method: 'POST', body: 'x'.repeat(100_000) });
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
    503,
    '1',
    { path: '/runs' },
  ]);
  for (const end of held) end();
  for (const response of await Promise.all(waiting)) expect(await response.text()).toBe('waited');
  expect(await (await fetch(`${url}/runs`)).text()).toBe('at once');
  await vi.waitUntil(() => events.length === 3);
  expect(events).toEqual([
    { name: 'overload.started', open: 2 },
    { name: 'request.refused' },
    { name: 'overload.ended', refused: 1, durationMs: expect.any(Number) },
  ]);
});

test.each(['/runs-of-another', '/health/live', '/metrics', '/'])(
  '%s is not ours to count or to refuse',
  async (path) => {
    const waiting = await fill();
    expect(await (await fetch(url + path)).text()).toBe('at once');
    for (const end of held) end();
    await Promise.all(waiting);
  },
);

test.each(['/RUNS', '/fhir/r4/Patient?name=x', '/runs/'])(
  '%s is counted, for it is answered like its path in lower case',
  async (path) => {
    const waiting = await fill();
    expect((await fetch(url + path)).status).toBe(503);
    for (const end of held) end();
    await Promise.all(waiting);
  },
);

test('whoever waits at a bedside is let in where all other places are taken', async () => {
  const waiting = await fill();
  expect(await (await fetch(`${url}/cds-services/prevent-base`)).text()).toBe('at once');
  for (const end of held) end();
  await Promise.all(waiting);
});

test('a caller who goes away is no longer counted', async () => {
  const stop = new AbortController();
  const waiting = fetch(`${url}/runs?wait`, { signal: stop.signal });
  while (openRequests.count() < 1) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await expect(waiting).rejects.toThrow();
  while (openRequests.count() > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(openRequests.count()).toBe(0);
});

test('a caller who was gone before its request came this far takes no place', async () => {
  const arrived = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const stop = new AbortController();
  const asking = fetch(`${url}/elsewhere/wait`, { signal: stop.signal });
  const [request, response] = await arrived;
  const gone = once(response, 'close');
  stop.abort();
  await Promise.all([gone, expect(asking).rejects.toThrow()]);
  request.url = '/runs';
  expect(openRequests.refuses(request, response)).toBe(false);
  expect(openRequests.count()).toBe(0);
});

test('a connection whose request was refused is not read for a while', async () => {
  const waiting = await fill();
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [served] = await arrived;
  const paused = once(served, 'pause');
  socket.write('GET /runs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await paused;
  socket.destroy();
  for (const end of held) end();
  await Promise.all(waiting);
});

test('a connection is read again after a refusal', async () => {
  const waiting = await fill();
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (const body of ['', 'x'.repeat(100_000), '']) {
    socket.write(`POST /runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 503/);
  }
  socket.destroy();
  for (const end of held) end();
  await Promise.all(waiting);
});
