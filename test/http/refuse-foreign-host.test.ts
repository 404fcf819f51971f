import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
