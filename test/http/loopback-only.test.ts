import { createServer } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import express, { type Request, type Response } from 'express';
import { expect, it } from 'vitest';
import { loopbackOnly } from '../../src/http/loopback-only.ts';
import { createFhirsight } from '../../src/index.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { Logger } from '../../src/platform/logger.ts';

/** A socket that was reached at an address: the machine of the tests may have none but loopback. */
function reachedAt(localAddress: string | undefined): Socket {
  return Object.defineProperty(new Socket(), 'localAddress', { value: localAddress });
}

it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.0.1', undefined])(
  'without authentication this machine may ask, at %s',
  (address) => {
    let passed = 0;
    const request = { socket: reachedAt(address), resume: () => undefined } as unknown as Request;
    loopbackOnly(request, {} as Response, () => {
      passed += 1;
    });
    expect(passed).toBe(1);
  },
);

it('without authentication everybody else reads nothing, also where another app listens everywhere', async () => {
  const events: LogEvent[] = [];
  const logger: Logger = { event: (event) => void events.push(event), with: () => logger };
  const fhirsight = createFhirsight({ settings: {}, logger });
  const alone = createServer(fhirsight.router);
  const host = express();
  host.use(fhirsight.router);
  host.get('/page', (_request, response) => {
    response.send('of the app');
  });
  const mounted = createServer(host);
  for (const server of [alone, mounted]) {
    server.on('connection', (socket) => Object.defineProperty(socket, 'localAddress', { value: '192.0.2.7' }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const path of ['/fhir/R4/Patient/1', '/cds-services', '/admin/models', '/runs', '/metrics']) {
      const answer = await fetch(`${origin}${path}`);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.text()).toContain('AUTH is none');
    }
    if (server === mounted) expect((await fetch(`${origin}/page`)).status).toBe(200);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  expect(events).toContainEqual(expect.objectContaining({ name: 'request.failed', status: 403 }));
  await fhirsight.close();
});
