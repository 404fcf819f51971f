import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { subscriptionRoutes } from '../../../src/entrances/subscription/subscription-routes.ts';
import { createApp } from '../../../src/http/server-app.ts';
import { imagingStudy } from '../../support/build-imaging-study.ts';
import { silentLogger } from '../../support/silent-logger.ts';

const secret = 'a-secret-of-the-ehr-0123456789';
let told: (readonly string[] | 'something')[] = [];
let refused: string[] = [];
let base = '';
const server = createServer();

beforeAll(async () => {
  const declared = {
    models: ['chest'],
    criteria: [],
    quietPeriodMs: 0,
    checkEveryMs: 60_000,
    writeBack: true,
    secret,
  };
  const app = createApp({
    routes: [
      {
        path: '/subscriptions',
        handler: subscriptionRoutes({
          subscriptions: [
            { ...declared, name: 'chest', header: 'x-notice-secret' },
            { ...declared, name: 'bearer', header: 'authorization' },
          ],
          notices: {
            note: async (_, ids) => void told.push(ids),
            noteSomething: async () => void told.push('something'),
          },
          maxBodyBytes: 10_000,
          event: (event) => void (event.name === 'study-notice.refused' && refused.push(event.subscription)),
        }),
      },
    ],
    newRequestId: randomUUID,
    logger: silentLogger,
    notReady: async () => [],
  });
  server.on('request', app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/subscriptions/imaging-study`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  told = [];
  refused = [];
});

const shown = { 'X-Notice-Secret': secret };
const fhirJson = { 'Content-Type': 'application/fhir+json' };

async function call(
  method: string,
  place: string,
  { body, headers = shown }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
) {
  const response = await fetch(`${base}/${place}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : fhirJson) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as OperationOutcome };
}

function notification(type: string | undefined, focus?: string, ...entry: readonly object[]) {
  const event = {
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: '2' },
      { name: 'focus', valueReference: { reference: focus } },
    ],
  };
  const status = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'subscription', valueReference: { reference: 'Subscription/1' } },
      ...(type === undefined ? [] : [{ name: 'type', valueCode: type }]),
      ...(focus === undefined ? [] : [event]),
    ],
  };
  return { resourceType: 'Bundle', type: 'history', entry: [{ resource: status }, ...entry] };
}

describe('a notice', () => {
  it.each([
    ['SUB-3: as a POST of the study to the address', 'POST', 'chest', imagingStudy({ id: 's1' }), [['s1']]],
    ['SUB-3: as a PUT of the study to the address', 'PUT', 'chest', imagingStudy({ id: 's1' }), [['s1']]],
    ['SUB-3: as an update below the address', 'PUT', 'chest/ImagingStudy/s1', imagingStudy({ id: 's1' }), [['s1']]],
    ['SUB-3: as an update without a body', 'PUT', 'chest/ImagingStudy/s1', undefined, [['s1']]],
    ['SUB-3: of a study that was deleted', 'DELETE', 'chest/ImagingStudy/s1', undefined, []],
    ['SUB-2: without payload', 'POST', 'chest', undefined, ['something']],
    ['SUB-12: as a handshake', 'POST', 'chest', notification('handshake'), []],
    ['SUB-12: as a heartbeat', 'POST', 'chest', notification('heartbeat'), []],
    ['SUB-14: as a notification without content', 'POST', 'chest', notification('event-notification'), ['something']],
    [
      'SUB-11: as a notification with its focus and its entry',
      'POST',
      'chest',
      notification(
        'event-notification',
        'https://ehr.example.org/fhir/ImagingStudy/s2',
        { fullUrl: 'https://ehr.example.org/fhir/ImagingStudy/s2', resource: imagingStudy({ id: 's2' }) },
        { request: { method: 'PUT', url: 'ImagingStudy/s3' } },
        { fullUrl: 'https://ehr.example.org/fhir/Patient/1' },
      ),
      [['s2', 's3']],
    ],
  ])('%s is taken at once', async (_, method, place, body, expected) => {
    const { status, body: answer } = await call(method, place, { body });
    expect([status, answer.resourceType, told]).toEqual([200, 'OperationOutcome', expected]);
  });

  it('SUB-4: may show its secret behind Bearer, where the header is Authorization', async () => {
    for (const authorization of [`Bearer ${secret}`, secret]) {
      const { status } = await call('POST', 'bearer', { headers: { Authorization: authorization } });
      expect(status).toBe(200);
    }
  });

  it('SUB-15: is trusted with the id of the study alone: what stands below the address counts, and not the body', async () => {
    const body = imagingStudy({ id: 'another', subject: { reference: 'Patient/666' } });
    await call('PUT', 'chest/ImagingStudy/s1', { body });
    expect(told).toEqual([['s1']]);
  });
});

describe('what is refused', () => {
  it.each([
    ['no secret', 'chest', {}],
    ['another secret', 'chest', { 'X-Notice-Secret': `${secret}x` }],
    ['the secret in another header', 'chest', { Authorization: `Bearer ${secret}` }],
    ['no subscription of this name', 'none', shown],
  ])('SUB-4 SUB-15: %s is 401, in words that do not say which, and nothing is noted', async (_, place, headers) => {
    const { status, headers: answered, body } = await call('POST', place, { body: imagingStudy(), headers });
    expect([status, answered.get('www-authenticate'), told]).toEqual([401, expect.stringContaining('Bearer'), []]);
    expect(body.issue[0]?.diagnostics).toMatch(/^There is no subscription of this name with the secret/);
    expect(refused).toEqual([place === 'none' ? 'unknown' : 'chest']);
  });

  it.each([
    ['another resource', { resourceType: 'Patient', id: '1' }, 400, /A notice is an ImagingStudy/],
    ['a study without an id', { resourceType: 'ImagingStudy' }, 400, /has no id/],
    ['a study whose id is none', { resourceType: 'ImagingStudy', id: '../x' }, 400, /has no id/],
    ['a Bundle that is no notification', { resourceType: 'Bundle', type: 'batch' }, 400, /must be a notification/],
    ['a status without a type', notification(undefined), 400, /must be a notification/],
    ['what is not JSON', '{', 400, /not valid JSON/],
    ['a list', [], 400, /A notice is/],
    ['a body that is too large', imagingStudy({ description: 'x'.repeat(10_000) }), 413, /larger than/],
  ])('%s', async (_, body, status, says) => {
    const answer = await call('POST', 'chest', { body });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toMatch(says);
    expect(told).toEqual([]);
  });

  it('another media type is 415, another method 405, another place 404, and an id that is none 400', async () => {
    const xml = await fetch(`${base}/chest`, {
      method: 'POST',
      headers: { ...shown, 'Content-Type': 'application/fhir+xml' },
      body: '<ImagingStudy/>',
    });
    expect(xml.status).toBe(415);
    expect((await call('GET', 'chest')).headers.get('allow')).toBe('POST, PUT');
    expect((await call('POST', 'chest/Patient/1')).status).toBe(404);
    expect((await call('PUT', `chest/ImagingStudy/${'x'.repeat(65)}`)).status).toBe(400);
    expect(told).toEqual([]);
  });
});
