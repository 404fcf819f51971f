import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Clients that hold connections, and never get to the point; closed all at once. */
export interface RudeClients {
  readonly count: number;
  close(): void;
}

export interface Rudeness {
  /** Connections on which nothing is said. */
  readonly idle: number;
  /** Connections on which the headers, or the body, come byte by byte. */
  readonly slow: number;
  /** Connections that are ended by the client while it waits for its answer. */
  readonly halfClosed: number;
  /** Connections on which as many requests are sent at once, before any answer. */
  readonly pipelined: number;
  /** Path that takes a body. */
  readonly target: string;
}

const requestsInARow = 50;
const dripMs = 50;

/** Opens them all, and leaves them at it. */
export async function sendRudeClients(origin: URL, rude: Rudeness): Promise<RudeClients> {
  const { target } = rude;
  const post = `POST ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`;
  const starts: string[] = [
    ...Array.from({ length: rude.idle }, () => ''),
    ...Array.from({ length: rude.halfClosed }, () => `${post}content-length: 5000\r\n\r\n{`),
    ...Array.from({ length: rude.pipelined }, () => `${post}content-length: 2\r\n\r\n{}`.repeat(requestsInARow)),
  ];
  const slowStarts = Array.from({ length: rude.slow }, (_, index) =>
    index % 2 === 0 ? `${post}x-slow: ` : `${post}content-length: 100000\r\n\r\n{"a":"`,
  );
  const sockets = await openedAll(origin, starts.length + slowStarts.length);
  const slow = sockets.slice(0, slowStarts.length);
  for (const [index, socket] of slow.entries()) socket.write(slowStarts[index] ?? '');
  for (const [index, socket] of sockets.slice(slowStarts.length).entries()) {
    const start = starts[index] ?? '';
    if (start !== '') socket.write(start);
    if (start.endsWith('{')) socket.end();
  }
  const dripping = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('a');
  }, dripMs);
  return {
    count: sockets.length,
    close() {
      clearInterval(dripping);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A listening socket holds so many that were not accepted yet. */
const atOnce = 100;

async function openedAll({ hostname, port }: URL, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () =>
      connect(Number(port), hostname),
    );
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    // What becomes of them is the server's affair.
    for (const socket of some) socket.on('error', () => undefined).resume();
    sockets.push(...some);
  }
  return sockets;
}
