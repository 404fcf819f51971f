import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { Router } from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/http/server-app.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';
import { silentLogger } from '../support/silent-logger.ts';

let server: FhirTestServer;
beforeAll(async () => {
  const operations = Router();
  operations.post('/Patient/:id/$predict', (request, response) => {
    response.json({ subject: request.params.id });
  });
  operations.get('/Patient/:id/$crash', () => {
    throw new Error('family name Secretperson in a stack');
  });
  operations.get('/Patient/:id/$hang', () => {
    throw new PredictionError('RECORD_UNREACHABLE', 'It hangs.', {
      issues: [{ code: 'timeout', message: 'It hangs.' }],
    });
  });
  server = await startFhirTestServer({ routes: [{ path: '/fhir/R4', handler: operations }] });
});
afterAll(() => server.close());

describe('every answer', () => {
  test('OP-33 carries FHIR JSON with its charset and a request id, also when it is an error', async () => {
    for (const path of [
      '/fhir/R4/metadata',
      '/fhir/R4/Patient/none',
      '/nowhere',
      '/fhir/R4/Patient?x=1',
      '/fhir/R4/Patient/1/$crash',
    ]) {
      const answer = await send(`${server.origin}${path}`);
      expect(answer.headers.get('content-type'), path).toBe('application/fhir+json; charset=utf-8');
      expect(answer.headers.get('x-request-id'), path).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers.get('x-powered-by')).toBeNull();
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control'), path).toBe('no-store');
    }
  });

  test('takes over a request id that can be logged, and no other', async () => {
    const id = async (given: string) =>
      (await send(`${server.origin}/health/live`, 'GET', undefined, { 'X-Request-Id': given })).headers.get(
        'x-request-id',
      );
    expect(await id('call-17.a')).toBe('call-17.a');
    expect(await id('a b "c"')).not.toContain('"');
    expect(await id('x'.repeat(65))).toHaveLength(36);
  });

  test('OP-21 a bug is 500 exception with the request id, and tells nothing else', async () => {
    const answer = await send(`${server.base}/Patient/1/$crash`);
    expect([answer.status, answer.body.issue[0].code]).toEqual([500, 'exception']);
    expect(answer.text).toContain(answer.headers.get('x-request-id'));
    expect(answer.text).not.toMatch(/Secret|at .*\.ts/);
  });

  test('OP-20 a record source that hangs is 504 timeout', async () => {
    const answer = await send(`${server.base}/Patient/1/$hang`);
    expect([answer.status, answer.body.issue[0].code]).toEqual([504, 'timeout']);
  });
});

describe('routes', () => {
  test('operations come before reads, also with %24 for the dollar', async () => {
    for (const name of ['$predict', '%24predict']) {
      const answer = await send(`${server.base}/Patient/17/${name}`, 'POST', {});
      expect([answer.status, answer.body.subject]).toEqual([200, '17']);
    }
    expect((await send(`${server.base}/Patient/17/$other`, 'POST', {})).status).toBe(404);
  });

  test('health answers live and ready, and 405 to anything but reading', async () => {
    expect((await send(`${server.origin}/health/live`)).body).toEqual({ status: 'live' });
    expect((await send(`${server.origin}/health/ready`)).status).toBe(200);
    const posted = await send(`${server.origin}/health/live`, 'POST', {});
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('a path that is not there is 404 with an OperationOutcome', async () => {
    const answer = await send(`${server.origin}/nowhere`);
    expect([answer.status, answer.body.issue[0].code]).toEqual([404, 'not-supported']);
  });

  test('the log names the route by its pattern, and neither id nor query', async () => {
    server.events.length = 0;
    await send(`${server.base}/Patient/secret-id/_history?_count=3`);
    await send(`${server.base}/Observation?patient=secret-id`);
    await send(`${server.base}/Patient/secret-id/$predict`, 'POST', {});
    for (const path of ['_secret-name', '_history%00', 'Patient/_secret-name'])
      expect((await send(`${server.base}/${path}`)).status, path).toBe(404);
    await expect.poll(() => server.events.filter((event) => event.name === 'request.finished').length).toBe(6);
    const finished = server.events.filter((event) => event.name === 'request.finished');
    expect(finished.map((event) => event.route)).toEqual([
      '/fhir/R4/:type/:id/_history',
      '/fhir/R4/:type',
      '/fhir/R4/Patient/:id/$predict',
      '/fhir/R4/:type',
      '/fhir/R4/:type',
      '/fhir/R4/:type/:id',
    ]);
    expect(finished.every((event) => event.durationMs > 0)).toBe(true);
    expect(JSON.stringify(finished)).not.toContain('secret');
  });
});

test('what is served under a request line with an origin is accounted for by its path', async () => {
  const finished: string[] = [];
  const app = createApp({
    routes: [{ path: '/fhir/R4', handler: (_request, response) => void response.json({}) }],
    newRequestId: () => 'r',
    logger: silentLogger,
    notReady: async () => [],
    onFinished: ({ url, status }) => finished.push(`${status} ${url}`),
  });
  const listener = createServer(app);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  for (const path of [`http://127.0.0.1:${port}/fhir/R4/AuditEvent?_count=1`, '/fhir/R4/AuditEvent'])
    await new Promise<void>((resolve, reject) => {
      get({ port, path }, (answer) => answer.resume().once('end', resolve)).once('error', reject);
    });
  await expect.poll(() => finished).toEqual(['200 /fhir/R4/AuditEvent?_count=1', '200 /fhir/R4/AuditEvent']);
  await new Promise((resolve) => listener.close(resolve));
});

test('mounted in another app, it leaves to that app what is not its own', async () => {
  const host = express();
  host.use(
    createApp({
      routes: [],
      newRequestId: () => 'r',
      logger: silentLogger,
      notReady: async () => ['models'],
      fallThrough: true,
    }),
  );
  host.get('/page', (_request, response) => {
    response.type('html').send('<p>host</p>');
  });
  const listener = createServer(host);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const page = await fetch(`${origin}/page`, { headers: { Accept: 'text/html' } });
  expect([page.status, await page.text()]).toEqual([200, '<p>host</p>']);
  const ready = await send(`${origin}/health/ready`);
  expect([ready.status, ready.body]).toEqual([503, { status: 'not-ready', waitingFor: ['models'] }]);
  await new Promise((resolve) => listener.close(resolve));
});

describe('content negotiation', () => {
  test.each([
    ['application/fhir+json', 200, 'application/fhir+json'],
    ['application/json', 200, 'application/json'],
    ['text/json', 200, 'text/json'],
    ['*/*', 200, 'application/fhir+json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 200, 'application/fhir+json'],
    ['application/fhir+xml, application/fhir+json;q=0.5', 200, 'application/fhir+json'],
    ['application/fhir+json; fhirVersion=4.0', 200, 'application/fhir+json'],
    ['application/fhir+json; fhirVersion=5.0', 406, 'application/fhir+json'],
    ['application/fhir+xml', 406, 'application/fhir+json'],
    ['application/fhir+json;q=0', 406, 'application/fhir+json'],
    ['application/fhir+json; fhirVersion="4.0.1"', 200, 'application/fhir+json'],
    ['application/fhir+json;FHIRVERSION=4.0;q=0.9', 200, 'application/fhir+json'],
    ['application/fhir+json;q=0.2, application/json;q=0.7', 200, 'application/json'],
    ['application/fhir+json;fhirVersion=5.0, text/json;q=0.1', 200, 'text/json'],
    ['text/html;q=0.9, application/*;q=0.1', 200, 'application/fhir+json'],
  ])('OP-30 OP-31 Accept: %s is %i', async (accept, status, type) => {
    const answer = await send(`${server.base}/metadata`, 'GET', undefined, { Accept: accept });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, `${type}; charset=utf-8`]);
  });

  test.each([
    ['json', 200],
    ['application/fhir+json', 200],
    ['application/fhir%2Bjson', 200],
    ['application/json', 200],
    ['text/json', 200],
    ['application/fhir%2Bjson;fhirVersion=4.0', 200],
    ['application/fhir%2Bjson;fhirVersion=5.0', 406],
    ['ttl', 406],
    ['xml', 406],
    ['application/fhir%2Bxml', 406],
  ])('OP-30 _format=%s is %i whatever Accept says', async (format, status) => {
    const answer = await send(`${server.base}/metadata?_format=${format}`, 'GET', undefined, {
      Accept: status === 200 ? 'text/html' : 'application/json',
    });
    expect(answer.status).toBe(status);
    if (status === 406) expect(answer.body.issue[0].code).toBe('not-supported');
  });

  test('OP-32 _pretty indents the answer, and takes true or false only', async () => {
    const pretty = await send(`${server.base}/metadata?_pretty=true`);
    expect(pretty.text.split('\n').length).toBeGreaterThan(100);
    expect((await send(`${server.base}/metadata?_pretty=false`)).text).not.toContain('\n');
    expect((await send(`${server.base}/metadata?_pretty=yes`)).status).toBe(400);
  });

  test('OP-31 a body for another version of FHIR is 415, and one for 4.0 is read', async () => {
    const write = (type: string) =>
      send(`${server.base}/Patient`, 'POST', { resourceType: 'Patient' }, { 'Content-Type': type });
    for (const type of ['application/fhir+json; fhirVersion=4.0', 'application/fhir+json;fhirversion="4.0.1"'])
      expect((await write(type)).status, type).toBe(201);
    for (const type of [
      'application/fhir+json; fhirVersion=5.0',
      'application/fhir+json;fhirVersion=3.0',
      'text/plain',
    ]) {
      const answer = await write(type);
      expect([answer.status, answer.body.issue[0].code], type).toEqual([415, 'not-supported']);
    }
  });

  test('OP-32 Prefer chooses what a write returns', async () => {
    const write = (prefer: string) =>
      send(`${server.base}/Patient`, 'POST', { resourceType: 'Patient' }, { Prefer: prefer });
    const minimal = await write('return=minimal');
    expect([minimal.status, minimal.text]).toEqual([201, '']);
    expect(minimal.headers.get('location')).toContain('/Patient/');
    expect((await write('return=OperationOutcome')).body.resourceType).toBe('OperationOutcome');
    expect((await write('handling=strict; return=representation')).body.resourceType).toBe('Patient');
  });
});

test('a _format that every object has is 406, and no media type of the answer', async () => {
  for (const format of ['__proto__', 'constructor', 'toString']) {
    const answer = await send(`${server.base}/metadata?_format=${format}`);
    expect([answer.status, answer.headers.get('content-type')], format).toEqual([
      406,
      'application/fhir+json; charset=utf-8',
    ]);
  }
});

test('a batch whose entries are no entries is answered entry by entry, and is no failure of the server', async () => {
  for (const request of [null, 1, 'PUT', [], {}]) {
    const entry = [
      { resource: [], request },
      { resource: { resourceType: 'Patient' }, request: null },
    ];
    const answer = await send(server.base, 'POST', { resourceType: 'Bundle', type: 'batch', entry });
    expect([200, 400], JSON.stringify(request)).toContain(answer.status);
  }
});
