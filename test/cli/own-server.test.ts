import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { askServer, ownServer } from '../../src/cli/running-server.ts';
import { makeCertificate } from '../support/certificates.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-own-server-'));
const [own, other] = [path.join(folder, 'own.pem'), path.join(folder, 'other.pem')];
let server: Server;
let url: string;
let isReady = true;
let arrived: (string | undefined)[] = [];

beforeAll(async () => {
  // As a hospital's is: for the name that clients use, not for the address of this machine, and of an authority that is not known here.
  const certificate = makeCertificate('risk.example.org', 30, 'DNS:risk.example.org');
  writeFileSync(own, certificate.cert);
  writeFileSync(other, makeCertificate('risk.example.org', 30, 'DNS:risk.example.org').cert);
  server = createServer(certificate, (request, response) => {
    arrived.push(request.headers.authorization ?? request.url);
    response.writeHead(isReady ? 200 : 503).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  isReady = true;
  arrived = [];
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const authorization = 'Bearer token-of-the-data-directory';

it('a command reaches its own server with a certificate for another name and of an unknown authority, as a kill switch must', async () => {
  const running = await ownServer({ tlsCertFile: own }, url);
  expect(await askServer(running, '/admin', {}, { authorization })).toEqual({ status: 200, text: '{}' });
  expect(arrived).toEqual([authorization]);
});

it('a command sends its token to nobody who shows another certificate than that of TLS_CERT_FILE', async () => {
  const running = await ownServer({ tlsCertFile: other }, url);
  await expect(askServer(running, '/admin', {}, { authorization })).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('another certificate than that of TLS_CERT_FILE'),
  });
  expect(arrived).toEqual([]);
});

it('a command without TLS_CERT_FILE sends its token to nobody whose certificate does not hold', async () => {
  const running = await ownServer({ tlsCertFile: undefined }, url);
  await expect(askServer(running, '/admin', {}, { authorization })).rejects.toThrow('does not answer');
  expect(arrived).toEqual([]);
});

it('a certificate that cannot be read is said by the name of its setting', async () => {
  await expect(ownServer({ tlsCertFile: '/nowhere.pem' }, url)).rejects.toThrow('TLS_CERT_FILE /nowhere.pem');
});

it('fhirsight health follows HOST, PORT and TLS_CERT_FILE, and exits 1 for a server that is not ready', async () => {
  const { port } = new URL(url);
  const env = { PORT: port, TLS_CERT_FILE: own, TLS_KEY_FILE: own };
  expect(await runFhirsight(['health'], env)).toMatchObject({ code: 0, stdout: '{}\n', stderr: '' });
  expect(arrived).toEqual(['/health/ready']);
  isReady = false;
  const access = { AUTH: 'required', ACCESS_FILE: own, PUBLIC_BASE_URL: 'https://risk.example.org', HOST: '0.0.0.0' };
  expect(await runFhirsight(['health'], { ...env, ...access })).toMatchObject({ code: 1, stdout: '{}\n' });
  const plain = await runFhirsight(['health'], { PORT: port });
  expect(plain).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('does not answer') });
});
