import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { callerAddress } from '../../src/http/caller-address.ts';
import { errorResponse } from '../../src/http/error-response.ts';
import { anyone, type Principal } from '../../src/http/principal.ts';
import { createRateLimits } from '../../src/http/rate-limits.ts';
import { requestContext, setRequestContext } from '../../src/http/request-context.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { silentLogger } from '../support/silent-logger.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Of each answer, in order: whether it is left out of the access log. */
const leftOut: boolean[] = [];

/** Callers say in headers where they are and who they prove to be; `wrong` proves nothing, `unchecked` cannot be checked. */
async function limitedServer(limits: { requestsPerMinute: number; failedProofsPerMinute: number }): Promise<string> {
  const { beforeProof, afterProof } = createRateLimits({
    ...limits,
    unlimited: ['/admin/models'],
    addressOf: (request) => request.get('x-address'),
  });
  const proof: RequestHandler = (request, response, next) => {
    const client = request.get('x-client');
    if (client === 'absent' || client === 'wrong') {
      requestContext(response).onFailedProof?.(client === 'wrong' ? 'token' : 'no-token');
      throw new PredictionError('UNAUTHENTICATED', 'That does not hold.');
    }
    if (client === 'unchecked') throw new PredictionError('UNAUTHENTICATED', 'The keys cannot be had.');
    const proved: Principal = { ...anyone, provedBy: 'access-token', key: String(client) };
    if (client !== undefined) requestContext(response).principal = proved;
    next();
  };
  const app = express();
  app.use((_request, response, next) => {
    setRequestContext(response, {
      requestId: 'r',
      logger: silentLogger,
      principal: anyone,
      contentType: 'application/fhir+json',
      pretty: false,
      requestBytes: 0,
    });
    response.once('finish', () => leftOut.push(requestContext(response).isRepeatedRefusal === true));
    next();
  });
  app.use(beforeProof, proof, afterProof);
  app.use('/cds-services', afterProof);
  app.use((_request, response) => response.json({}));
  app.use(errorResponse);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function statuses(url: string, times: number, headers: Record<string, string>): Promise<number[]> {
  const answers: number[] = [];
  for (let sent = 0; sent < times; sent += 1) answers.push((await fetch(url, { headers })).status);
  return answers;
}

describe('requests of one client', () => {
  it('are refused past the limit with 429, Retry-After and an OperationOutcome, while those of others are answered', async () => {
    const url = await limitedServer({ requestsPerMinute: 3, failedProofsPerMinute: 0 });
    expect(await statuses(`${url}/runs`, 4, { 'x-client': 'a' })).toEqual([200, 200, 200, 429]);
    const refused = await fetch(`${url}/runs`, { headers: { 'x-client': 'a' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await refused.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'throttled' }] });
    expect(await statuses(`${url}/runs`, 1, { 'x-client': 'b' })).toEqual([200]);
  });

  it('never lock out the switch that turns a model off', async () => {
    const url = await limitedServer({ requestsPerMinute: 1, failedProofsPerMinute: 0 });
    expect(await statuses(`${url}/runs`, 2, { 'x-client': 'a' })).toEqual([200, 429]);
    expect(await statuses(`${url}/admin/models/m/disable`, 3, { 'x-client': 'a' })).toEqual([200, 200, 200]);
    expect(await statuses(`${url}/admin/modelsx`, 1, { 'x-client': 'a' })).toEqual([429]);
  });

  it('are counted by address where nobody is proved', async () => {
    const url = await limitedServer({ requestsPerMinute: 1, failedProofsPerMinute: 0 });
    expect(await statuses(url, 2, { 'x-address': '10.0.0.1' })).toEqual([200, 429]);
    expect(await statuses(url, 1, { 'x-address': '10.0.0.2' })).toEqual([200]);
  });

  it('are counted once each below /cds-services, and refused there in JSON', async () => {
    const url = await limitedServer({ requestsPerMinute: 2, failedProofsPerMinute: 0 });
    expect(await statuses(`${url}/cds-services/a`, 3, { 'x-client': 'a' })).toEqual([200, 200, 429]);
    const refused = await fetch(`${url}/cds-services/a`, { headers: { 'x-client': 'a' } });
    expect(refused.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await refused.json()).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  it('are as many as one likes where the limit is 0', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 0 });
    expect(new Set(await statuses(url, 20, { 'x-client': 'a' }))).toEqual(new Set([200]));
  });
});

describe('a flood of refusals', () => {
  it('has one row a minute for each caller in the access log, whose rows nobody may remove', async () => {
    const url = await limitedServer({ requestsPerMinute: 2, failedProofsPerMinute: 2 });
    leftOut.length = 0;
    expect(await statuses(url, 5, { 'x-client': 'a' })).toEqual([200, 200, 429, 429, 429]);
    expect(leftOut).toEqual([false, false, false, true, true]);
    leftOut.length = 0;
    await statuses(url, 4, { 'x-client': 'b' });
    expect(leftOut).toEqual([false, false, false, true]);
    leftOut.length = 0;
    const guesses = { 'x-client': 'wrong', 'x-address': '10.0.0.9' };
    expect(await statuses(url, 5, guesses)).toEqual([401, 401, 429, 429, 429]);
    expect(leftOut).toEqual([false, false, false, true, true]);
  });
});

describe('tokens that do not hold', () => {
  it('are refused with 429 after so many of one address, where one that holds is never locked out', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 3 });
    const guesses = { 'x-client': 'wrong', 'x-address': '10.0.0.1' };
    expect(await statuses(url, 5, guesses)).toEqual([401, 401, 401, 429, 429]);
    expect(await statuses(url, 2, { 'x-client': 'right', 'x-address': '::ffff:10.0.0.1' })).toEqual([200, 200]);
    expect(await statuses(url, 1, { 'x-client': 'wrong', 'x-address': '10.0.0.2' })).toEqual([401]);
  });

  it('are not those that nobody could check, nor requests without any: a key set that is down locks nobody out', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 1 });
    for (const client of ['unchecked', 'absent'])
      expect(await statuses(url, 3, { 'x-client': client, 'x-address': '10.0.0.1' })).toEqual([401, 401, 401]);
    expect(await statuses(url, 2, { 'x-client': 'wrong', 'x-address': '10.0.0.1' })).toEqual([401, 429]);
  });

  it('are not counted below /admin', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 1 });
    const guesses = { 'x-client': 'wrong', 'x-address': '10.0.0.1' };
    expect(await statuses(`${url}/admin/models`, 3, guesses)).toEqual([401, 401, 401]);
    expect(await statuses(url, 2, guesses)).toEqual([401, 429]);
  });

  it('are told of in JSON below /cds-services', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 1 });
    const headers = { 'x-client': 'wrong', 'x-address': '10.0.0.1' };
    await statuses(`${url}/cds-services`, 1, headers);
    const refused = await fetch(`${url}/cds-services/a`, { headers });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/json; charset=utf-8']);
  });

  it('never close loopback: a proxy there stands for everybody', async () => {
    const url = await limitedServer({ requestsPerMinute: 0, failedProofsPerMinute: 1 });
    expect(await statuses(url, 3, { 'x-client': 'wrong', 'x-address': '127.0.0.1' })).toEqual([401, 401, 401]);
  });
});

it('an attacker with a whole IPv6 network is one address', () => {
  expect(callerAddress('2001:db8:1:2::1')).toBe(callerAddress('2001:db8:1:2:ffff::9'));
  expect(callerAddress('2001:db8:1:2::1')).not.toBe(callerAddress('2001:db8:1:3::1'));
  expect(callerAddress('::ffff:10.0.0.7')).toBe('10.0.0.7');
  expect(callerAddress(undefined)).toBe('unknown');
});
