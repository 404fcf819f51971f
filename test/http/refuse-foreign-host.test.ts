import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { refuseForeignHost } from '../../src/http/refuse-foreign-host.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';

let server: Awaited<ReturnType<typeof startFhirsight>>;
beforeAll(async () => {
  server = await startFhirsight({ settings: { PUBLIC_BASE_URL: 'https://risk.example.org/fhirsight' } });
});
afterAll(() => server.close());

/** Asks for /models under a name of the caller's choice, as a browser does for a page of that name. */
function statusUnder(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}/models`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });
}

it.each(['127.0.0.1:8080', 'localhost', 'LOCALHOST:1', '[::1]:8080', '127.1.2.3', 'risk.example.org'])(
  'answers when it is asked as %s',
  async (host) => {
    expect(await statusUnder(host)).toBe(200);
  },
);

it.each([
  'attacker.example',
  'localhost.attacker.example:8080',
  '127.0.0.1.attacker.example',
  '10.0.0.7',
  'risk.example.org.evil',
  'a b',
])('OP-20 refuses with 403 when a page of %s asks through a browser', async (host) => {
  expect(await statusUnder(host)).toBe(403);
});

/** A request as a container gets it whose port is published, or that a probe asks at its address. */
function asked(host: string, url: string, localAddress: string): IncomingMessage {
  return { headers: { host }, url, socket: { localAddress }, resume: () => undefined } as unknown as IncomingMessage;
}

it.each([
  ['10.1.2.3:8080', '::ffff:10.1.2.3'],
  ['[fd00::7]:8080', 'fd00::7'],
])('OP-20 a server whose callers prove who they are answers at its address %s, and at no other', (host, local) => {
  const listensOn = '0.0.0.0';
  const proving = refuseForeignHost({ listensOn, callersProve: true, publicBaseUrl: 'https://risk.example.org' });
  expect(() => proving(asked('10.1.2.4:8080', '/models', local))).toThrow('answers only under');
  expect(() => proving(asked('attacker.example', '/models', local))).toThrow('answers only under');
  proving(asked(host, '/models', local));
  const open = refuseForeignHost({ listensOn, callersProve: false });
  expect(() => open(asked(host, '/models', local))).toThrow('answers only under');
});

it('a probe learns under whichever name whether the server is ready, and nothing else', () => {
  const refuse = refuseForeignHost({ listensOn: '127.0.0.1', callersProve: false });
  for (const url of ['/health/ready', '/health/live?x=1']) refuse(asked('10.1.2.3:8080', url, '10.1.2.3'));
  for (const url of ['/healthy', '/metrics', '/models?x=/health/ready'])
    expect(() => refuse(asked('10.1.2.3:8080', url, '10.1.2.3')), url).toThrow('answers only under');
});
