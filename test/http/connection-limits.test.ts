import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectionLimits, limitConnections, limitedServerOptions } from '../../src/http/connection-limits.ts';

const limits = { ...connectionLimits, headersMs: 200, requestMs: 400, checkMs: 50, connections: 3 };

let server: Server;
let port: number;
beforeEach(async () => {
  server = createServer(limitedServerOptions(limits), (request, response) => {
    request.on('error', () => undefined);
    request.resume().on('end', () => response.end('whole'));
  });
  limitConnections(server, limits);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A reset is a way to hang up. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));

/** What a client that was still sending has read of the answer. */
const hungUp = /^(HTTP\/1\.1 408 |$)/;

/** All that comes back until the server hangs up; every 20 ms a drop is sent. */
async function sentSlowly(start: string, drop: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(start);
  const dripping = setInterval(() => socket.write(drop), 20);
  await closed(socket);
  clearInterval(dripping);
  return text;
}

it('a client that sends its headers byte by byte is hung up on', async () => {
  expect(await sentSlowly('GET / HTTP/1.1\r\nx-slow: ', 'a')).toMatch(hungUp);
});

it('a client that sends its body byte by byte is hung up on', async () => {
  expect(await sentSlowly('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n', 'a')).toMatch(hungUp);
});

it('a client that connects and says nothing is hung up on', async () => {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.resume();
  await closed(socket);
});

it('one connection too many is closed, and the others are answered', async () => {
  const sockets: Socket[] = [];
  for (let opened = 0; opened < limits.connections; opened += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    sockets.push(socket);
  }
  const tooMany = connect(port, '127.0.0.1').on('error', () => undefined);
  tooMany.resume();
  await closed(tooMany);
  const [first] = sockets;
  first?.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const [answer] = (await once(first as Socket, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
});

it('headers larger than the limit are 431', async () => {
  const answer = await sentSlowly(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(limits.headerBytes)}\r\n\r\n`, '');
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
});
