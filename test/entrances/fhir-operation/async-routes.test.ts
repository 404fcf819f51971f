import { randomUUID } from 'node:crypto';
import { type RequestHandler, Router } from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asyncRoutes, sendAccepted } from '../../../src/entrances/fhir-operation/async-routes.ts';
import { parseScopes } from '../../../src/http/access/scopes.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';
import { requestContext } from '../../../src/http/request-context.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { type OperationJobs, openOperationJobs } from '../../../src/runs/operation-jobs/open-operation-jobs.ts';
import { type FhirTestServer, send, startFhirTestServer } from '../../support/fhir-test-server.ts';
import { testCipher } from '../../support/test-cipher.ts';

const start = Date.parse('2026-03-01T10:00:00Z');
let now = start;
let server: FhirTestServer;
let jobs: OperationJobs;
const opened: OperationJobs[] = [];

/** Takes anything for a job of the caller that `X-Client` names. */
const takes: RequestHandler = async (request, response) => {
  const id = await jobs.create({ owner: requestContext(response).principal.key, subject: '17', request: '{}' });
  requestContext(response).route = request.path;
  sendAccepted(response, { base: server.base, id, isAsked: true });
};

/** A token with one scope, and a `patient` claim of a launch. */
function accessOf(scope: string | undefined): Principal['fhir'] {
  if (scope === undefined) return 'everything';
  return { scopes: parseScopes(scope).fhir, patient: '99' };
}

beforeAll(async () => {
  const router = Router();
  router.use((request, response, next) => {
    const key = request.get('X-Client') ?? anyone.key;
    requestContext(response).principal = { ...anyone, key, fhir: accessOf(request.get('X-Scope')) };
    next();
  });
  router.post('/$take', takes);
  router.use((request, response, next) => asyncRoutes(jobs, () => new Date(now))(request, response, next));
  server = await startFhirTestServer({ routes: [{ path: '/fhir/R4', handler: router }] });
});
afterAll(async () => {
  for (const one of opened) await one.close();
  await server.close();
});
beforeEach(() => {
  now = start;
  jobs = openOperationJobs({
    database: server.database,
    tenant: 'test',
    fhirBase: randomUUID(),
    clock: { now: () => new Date(now) },
    event: () => undefined,
    work: {
      answer: async () => JSON.stringify({ resourceType: 'Bundle', type: 'batch-response' }),
      failure: () => {
        throw new PredictionError('INTERNAL', 'Nothing fails here.');
      },
    },
    cipher: testCipher,
    lanes: 1,
    mostWaiting: 2,
    pollGapMs: 900,
    alone: true,
    pollMs: 20,
    leaseMs: 10_000,
    overdueMs: 60_000,
    keptMs: 30_000,
  });
  opened.push(jobs);
});

const take = (headers: Record<string, string> = {}) => send(`${server.base}/$take`, 'POST', {}, headers);

/** The URL at which a new request is asked after. */
async function taken(): Promise<string> {
  return (await take()).headers.get('content-location') ?? '';
}

describe('an asynchronous request', () => {
  it('OP-50 is taken with 202, the absolute URL of its status and an OperationOutcome', async () => {
    const { status, headers, body } = await take();
    expect([status, body.resourceType, body.issue[0].severity]).toEqual([202, 'OperationOutcome', 'information']);
    expect(headers.get('content-location')).toMatch(new RegExp(`^${server.base}/_async/[\\w-]{43}$`));
    expect([headers.get('preference-applied'), headers.get('retry-after')]).toEqual(['respond-async', '1']);
  });

  it('OP-51 is 202 with X-Progress and Retry-After while it waits, and 429 with Retry-After where it is asked after too often', async () => {
    const url = await taken();
    now += 4_000;
    const first = await send(url);
    expect([first.status, first.headers.get('x-progress'), first.headers.get('retry-after')]).toEqual([
      202,
      'queued 4 s ago',
      '1',
    ]);
    const soon = await send(url);
    expect([soon.status, soon.headers.get('retry-after'), soon.body.issue[0].code]).toEqual([429, '1', 'throttled']);
    now += 1_000;
    const head = await send(url, 'HEAD');
    expect([head.status, head.text]).toEqual([202, '']);
  });

  it('OP-52 OP-53 is 200 with its Bundle and Expires once it is answered, as often as it is asked for', async () => {
    const url = await taken();
    jobs.start();
    await expect
      .poll(
        async () => {
          now += 1_000;
          return (await send(url)).status;
        },
        { timeout: 20_000 },
      )
      .toBe(200);
    for (let times = 0; times < 3; times++) {
      const { status, headers, body } = await send(url);
      expect([status, body]).toEqual([200, { resourceType: 'Bundle', type: 'batch-response' }]);
      expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
      expect(Date.parse(headers.get('expires') ?? '')).toBeGreaterThan(now);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('OP-52 is 200 with a Bundle that says 504 where nobody worked on it in time', async () => {
    const url = await taken();
    now += 60_000;
    const { status, body } = await send(url);
    expect(status).toBe(200);
    expect(body.entry[0].response).toMatchObject({
      status: '504 Gateway Timeout',
      outcome: { issue: [{ severity: 'error', code: 'timeout' }] },
    });
  });

  it('OP-54 is cancelled with 202, and 404 with an OperationOutcome from then on', async () => {
    const url = await taken();
    const cancelled = await send(url, 'DELETE');
    expect([cancelled.status, cancelled.body.resourceType]).toEqual([202, 'OperationOutcome']);
    for (const method of ['GET', 'DELETE']) {
      const gone = await send(url, method);
      expect([gone.status, gone.body.resourceType, gone.body.issue[0].code], method).toEqual([
        404,
        'OperationOutcome',
        'not-found',
      ]);
    }
  });

  it('OP-55 is 404 for another client as an id that never was, which can neither read nor cancel it', async () => {
    const url = await taken();
    for (const method of ['GET', 'DELETE']) {
      const foreign = await send(url, method, undefined, { 'X-Client': 'another' });
      const never = await send(`${server.base}/_async/${'x'.repeat(43)}`, method);
      expect([foreign.status, foreign.text]).toEqual([404, never.text]);
    }
    expect((await send(url)).status).toBe(202);
  });

  it('OP-55 is answered to a client that may ask about everybody, whatever patient its token names beside', async () => {
    const url = await taken();
    for (const scope of ['user/*.rs', 'system/*.rs'])
      for (const method of ['GET', 'HEAD']) {
        expect((await send(url, method, undefined, { 'X-Scope': scope })).status, scope).toBe(202);
        now += 1_000;
      }
    expect((await send(url, 'GET', undefined, { 'X-Scope': 'patient/*.rs' })).status).toBe(404);
  });

  it('OP-50 is 429 with Retry-After where the client has as many under way as it may', async () => {
    for (let count = 0; count < 2; count++) expect((await take()).status).toBe(202);
    const third = await take();
    expect([third.status, third.headers.get('retry-after'), third.body.issue[0].code]).toEqual([429, '5', 'throttled']);
    expect((await take({ 'X-Client': 'another' })).status).toBe(202);
  });

  it('takes GET, HEAD and DELETE only, and leaves its id out of the log', async () => {
    const url = await taken();
    server.events.length = 0;
    for (const method of ['POST', 'PUT', 'PATCH']) {
      const { status, headers, body } = await send(url, method, {});
      expect([status, headers.get('allow'), body.issue[0].code]).toEqual([405, 'GET, HEAD, DELETE', 'not-supported']);
    }
    await expect.poll(() => server.events.filter(({ name }) => name === 'request.finished').length).toBe(3);
    expect(JSON.stringify(server.events)).not.toContain(url.split('/').at(-1));
  });
});
