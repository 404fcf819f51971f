import { afterAll, beforeAll, expect, test } from 'vitest';
import { patientView } from '../support/cds-call.ts';
import { type CdsClient, createCdsClient } from '../support/cds-client.ts';
import { send } from '../support/fhir-test-server.ts';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';

let client: CdsClient;
let server: GuardedFhirsight;
beforeAll(async () => {
  client = await createCdsClient();
  const cdsClients = [{ name: 'ehr', issuer: client.issuer, keysFile: 'keys.json', fhirServers: [] }];
  server = await startGuardedFhirsight({ cdsClients }, {}, { 'keys.json': JSON.stringify(client.keySet()) });
});
afterAll(() => server.close());

test('CDS-60: discovery, services and feedback answer a declared client, and nobody else', async () => {
  const services = `${server.url}/cds-services`;
  const service = `${services}/prevent-base`;
  expect((await client.get(services)).body.services).toHaveLength(1);
  const body = patientView({ patient: '17', fhirServer: server.fhir });
  expect((await client.post(service, body)).status).toBe(403);
  expect((await client.post(service, { hook: 'patient-view' })).status).toBe(400);
  expect((await client.post(`${service}/feedback`, { feedback: [] })).status).toBe(400);
  const stranger = await createCdsClient();
  for (const [url, method] of [
    [services, 'GET'],
    [service, 'POST'],
    [`${service}/feedback`, 'POST'],
    [`${services}/unknown`, 'POST'],
  ] as const) {
    expect((await send(url, method)).status, url).toBe(401);
    const authorization = `Bearer ${await stranger.token(url)}`;
    expect((await send(url, method, undefined, { Authorization: authorization })).status, url).toBe(401);
  }
});

test('CDS-66: a token that was let in once is let in no more, whichever of its URLs it is shown at', async () => {
  const services = `${server.url}/cds-services`;
  const headers = { Authorization: `Bearer ${await client.token(services)}` };
  expect((await send(services, 'GET', undefined, headers)).status).toBe(200);
  expect((await send(services, 'GET', undefined, headers)).status).toBe(401);
  expect((await send(`${server.fhir}/Patient`, 'GET', undefined, headers)).status).toBe(401);
});
