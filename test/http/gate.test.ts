import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, Response } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { createGate } from '../../src/http/gate.ts';

test('a caller who was gone before its request came to the gate is not waited for', async () => {
  const gate = createGate(['/runs']);
  gate.open([{ path: '/runs', handler: (_request, response) => void response.end() }], async () => []);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const arrived = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const stop = new AbortController();
  const asking = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/runs`, { signal: stop.signal });
  const [request, response] = await arrived;
  const gone = once(response, 'close');
  stop.abort();
  await Promise.all([gone, expect(asking).rejects.toThrow()]);
  Object.assign(request, { path: '/runs' });
  gate.handler(request as Request, response as Response, () => undefined);
  expect(gate.inFlight()).toBe(0);
  expect(await gate.drain(10_000)).toBe(0);
});
