import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOpenRequests, type OpenRequests } from '../../src/http/open-requests.ts';
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
    { paths: ['/runs', '/fhir/R4'], longest: 2 },
    (path) => ({ contentType: 'application/json', text: JSON.stringify({ path }) }),
    (event) => events.push(event),
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
  expect(events).toEqual([
    { name: 'overload.started', open: 2, limit: 2 },
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

test('a caller who goes away is no longer counted', async () => {
  const stop = new AbortController();
  const waiting = fetch(`${url}/runs?wait`, { signal: stop.signal });
  while (openRequests.count() < 1) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await expect(waiting).rejects.toThrow();
  while (openRequests.count() > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(openRequests.count()).toBe(0);
});
