import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protocolError } from '../../src/entrances/inference-protocol/protocol-error.ts';
import { describeError } from '../../src/http/error-response.ts';
import { createApp, type MountedRoute } from '../../src/http/server-app.ts';
import { type ErrorCode, errorCodes, PredictionError } from '../../src/platform/errors.ts';
import { send } from '../support/fhir-test-server.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** The table of section 2.2 of the checklist: which issue codes a status may have. */
const table: Readonly<Record<number, readonly string[]>> = {
  400: ['structure', 'invalid', 'required', 'value'],
  401: ['login', 'unknown', 'expired'],
  403: ['forbidden', 'suppressed'],
  404: ['not-found', 'not-supported'],
  405: ['not-supported'],
  406: ['not-supported'],
  409: ['conflict', 'duplicate'],
  410: ['deleted'],
  412: ['conflict', 'multiple-matches', 'incomplete'],
  413: ['too-long', 'too-costly'],
  415: ['not-supported'],
  422: ['business-rule', 'invariant', 'processing'],
  428: ['required'],
  429: ['throttled'],
  500: ['exception'],
  503: ['transient', 'no-store', 'timeout', 'throttled'],
  504: ['timeout'],
};
const families = ['/fhir/R4', '/cds-services', '/models', '/runs', '/deliveries', '/admin/models'] as const;

let server: Server;
let origin = '';
beforeAll(async () => {
  const throws = (path: string): MountedRoute => ({
    path,
    handler: (request) => {
      throw new PredictionError(request.path.slice(1) as ErrorCode, 'What, where, and the way out.');
    },
    ...(path === '/v2' ? { ownFormat: true as const } : {}),
  });
  const app = createApp({
    routes: [...families, '/v2'].map(throws),
    errors: [{ path: '/v2', handler: protocolError }],
    newRequestId: () => 'r-1',
    logger: silentLogger,
    notReady: async () => [],
  });
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe.each(families)('an error below %s', (family) => {
  test.each(errorCodes)(
    'OP-20 OP-33 %s is an OperationOutcome with the status and issue code of one row',
    async (code) => {
      for (const method of ['GET', 'POST']) {
        const { status, headers, body } = await send(
          `${origin}${family}/${code}`,
          method,
          method === 'POST' ? {} : undefined,
        );
        expect(status).toBe(describeError(new PredictionError(code, 'x'), 'r-1').status);
        expect(table[status], `${status}`).toContain(body.issue[0].code);
        expect([body.resourceType, body.issue[0].severity]).toEqual(['OperationOutcome', 'error']);
        expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
        expect(headers.get('retry-after') !== null, 'Retry-After').toBe(status === 503 || status === 429);
      }
    },
  );
});

test.each(errorCodes)('OP-20 %s has the same status below /v2, in the form of that protocol', async (code) => {
  const { status, headers, body } = await send(`${origin}/v2/${code}`);
  expect(status).toBe(describeError(new PredictionError(code, 'x'), 'r-1').status);
  expect(Object.keys(body)).toEqual(['error']);
  expect(headers.get('retry-after') !== null).toBe(status === 503 || status === 429);
});
