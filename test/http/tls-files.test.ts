import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTlsServer, type TlsServer } from '../../src/http/tls-files.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import { type Certificate, makeCertificate } from '../support/certificates.ts';

let first: Certificate;
let second: Certificate;
let files: { certFile: string; keyFile: string };
let tls: TlsServer;
let events: LogEvent[];
let now: Date;
const sockets: TLSSocket[] = [];

beforeAll(() => {
  [first, second] = [makeCertificate('first'), makeCertificate('second')];
});
beforeEach(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-tls-'));
  files = { certFile: path.join(folder, 'cert.pem'), keyFile: path.join(folder, 'key.pem') };
  [events, now] = [[], new Date()];
  write(first);
  const parts = { clock: { now: () => now }, event: (event: LogEvent) => void events.push(event) };
  tls = await createTlsServer(files, (_, response) => void response.end('hello'), parts);
  tls.server.listen(0, '127.0.0.1');
  await once(tls.server, 'listening');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  tls.server.closeAllConnections();
  await new Promise((resolve) => tls.server.close(resolve));
});

function write({ cert, key }: Certificate): void {
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
}

async function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port } = tls.server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ca: [first.cert, second.cert], ...options });
  sockets.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}
const nameOf = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;

async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString('utf8');
}

test('a renewed certificate counts for new connections, and an open one goes on', async () => {
  const old = await open();
  expect([nameOf(old), await ask(old)]).toEqual(['first', expect.stringContaining('hello')]);
  await tls.renew();
  expect(events).toEqual([]);
  write(second);
  await tls.renew();
  expect(events).toEqual([{ name: 'tls.renewed', notAfter: expect.stringMatching(/Z$/) }]);
  expect(nameOf(await open())).toBe('second');
  expect([nameOf(old), await ask(old)]).toEqual(['first', expect.stringContaining('hello')]);
});

test.each<[string, () => void]>([
  ['the key of another certificate', () => write({ cert: second.cert, key: first.key })],
  ['half a file', () => write({ cert: second.cert.slice(0, 200), key: second.key })],
  ['nothing', () => write({ cert: '', key: '' })],
  [
    'a certificate that is over',
    () => {
      now = new Date(now.getTime() + 90 * 86_400_000);
      write(second);
    },
  ],
])('a renewal with %s is said loudly, and the old certificate goes on', async (_, spoil) => {
  spoil();
  await tls.renew();
  expect(events).toMatchObject([{ name: 'tls.renewal-failed', error: { code: 'CONFIG_INVALID' } }]);
  expect(JSON.stringify(events)).not.toContain('PRIVATE KEY');
  expect(nameOf(await open())).toBe('first');
  now = new Date();
  write(second);
  await tls.renew();
  expect(nameOf(await open())).toBe('second');
});

test('a start with files that cannot be used is refused', async () => {
  const parts = { clock: { now: () => now }, event: () => undefined };
  const missing = createTlsServer({ ...files, keyFile: '/nowhere/key.pem' }, () => undefined, parts);
  await expect(missing).rejects.toThrow('TLS_KEY_FILE /nowhere/key.pem cannot be read (ENOENT)');
  write({ cert: first.cert, key: second.key });
  await expect(createTlsServer(files, () => undefined, parts)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('TLS 1.2 and 1.3 are spoken, and nothing older', async () => {
  expect((await open({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
  expect((await open()).getProtocol()).toBe('TLSv1.3');
  const ciphers = 'DEFAULT@SECLEVEL=0';
  await expect(open({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers })).rejects.toThrow();
});
