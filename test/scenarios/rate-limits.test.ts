import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';

/** The limits in a whole server, where tokens prove who asks. */

const scraper = 'a-token-of-prometheus-0123456789';
let server: GuardedFhirsight;
beforeAll(async () => {
  server = await startGuardedFhirsight(
    { staticTokens: [{ name: 'prometheus', tokenFile: 'prometheus', roles: ['operator'] }] },
    { settings: { MAX_REQUESTS_PER_MINUTE: '3' } },
    { prometheus: scraper },
  );
});
afterAll(() => server?.close());

const ask = (path: string, token: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  });

it('a client that asks too often gets 429, others do not, and a model can still be switched off by the one that may not ask', async () => {
  const statuses: number[] = [];
  for (let asked = 0; asked < 4; asked += 1) statuses.push((await ask('/models', server.house.adminToken)).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  const refused = await ask('/fhir/R4/Patient/1', server.house.adminToken);
  expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/fhir+json; charset=utf-8']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'throttled' }] });
  expect((await ask('/metrics', scraper)).status).toBe(200);
  const body = JSON.stringify({ because: 'it is wrong about everybody' });
  const disabled = await ask('/admin/models/prevent-base/disable', server.house.adminToken, { method: 'POST', body });
  expect(disabled.status).toBe(200);
});
