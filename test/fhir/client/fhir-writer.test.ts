import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createFhirWriter, type FhirWriter } from '../../../src/fhir/client/fhir-writer.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { startStubSinkServer } from '../../support/stub-sink-server.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function writerTo(base: string, timeoutMs: number): FhirWriter {
  const writer = createFhirWriter({ base, outbound: outboundTo(base), timeoutMs });
  open.push(writer.close);
  return writer;
}

test('a header that HTTP forbids never leaves, and does not hang the calls after it', async () => {
  const server = await startStubSinkServer();
  open.push(server.close);
  const writer = writerTo(server.base, 5_000);
  for (let call = 0; call < 10; call++) {
    const headers = { authorization: 'Bearer one\ntwo' };
    const answer = await writer.call({ method: 'GET', path: 'Patient?identifier=1', headers });
    expect(answer).toMatchObject({ kind: 'silent', reached: false, reason: expect.stringContaining('authorization') });
    expect(JSON.stringify(answer)).not.toContain('two');
  }
  expect(await writer.call({ method: 'GET', path: 'Patient/1' })).toMatchObject({ kind: 'answered', status: 404 });
  expect(server.requests).toHaveLength(1);
});

test('a call ends with its signal, and closing ends although a server never answers', async () => {
  const server = await startStubSinkServer();
  open.push(server.close);
  server.faults.push({ does: 'hang' });
  const writer = createFhirWriter({ base: server.base, outbound: outboundTo(server.base), timeoutMs: 600_000 });
  const stop = new AbortController();
  const calls = Array.from({ length: 10 }, () => writer.call({ method: 'GET', path: 'Patient/1' }, stop.signal));
  stop.abort();
  for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ kind: 'silent' });
  await writer.close();
});

test('a host that lets packets drop was not reached: nothing was changed there', async () => {
  const port = await startStandingStill();
  const writer = writerTo(`http://127.0.0.1:${port}/fhir`, 6_000);
  const answer = await writer.call({ method: 'POST', path: '', body: '{}' });
  expect(answer).toMatchObject({ kind: 'silent', reached: false, reason: expect.stringContaining('CONNECT_TIMEOUT') });
});

/** A server that stands still, and whose queue of connections is full. */
async function startStandingStill(): Promise<number> {
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    process.stdout.write(String(this.address().port));
  });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  open.push(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  child.kill('SIGSTOP');
  for (let full = false; !full; ) {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    open.push(() => socket.destroy());
    full = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  return port;
}
