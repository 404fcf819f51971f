import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Flood {
  readonly url: string;
  readonly contentType: string;
  readonly bodies: readonly string[];
  /** Calls a second, whether those before are answered or not. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  /** From the first byte sent to the last one received. */
  readonly ms: number;
}

export interface Flooded {
  readonly answers: readonly Answered[];
  /** Calls that were sent; what is missing in `answers` was not answered until a while after the last. */
  readonly sent: number;
  /** Calls for which no connection was free. */
  readonly unsent: number;
  readonly brokenConnections: number;
}

/** How long answers may still come after the last call, in milliseconds. */
const answeredAfterMs = 10_000;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * More calls than a server can answer, from a process that shares its machine: over sockets, because a client that parses and
 * builds what it sends takes as much of the machine as the server does, and what is measured then is the client. Each
 * connection carries one call after the other, and rests for as long as Retry-After says; answers must have a
 * Content-Length.
 */
export function flood(options: Flood): { readonly sent: Promise<void>; readonly found: Promise<Flooded> } {
  let allSent = (): void => undefined;
  const sent = new Promise<void>((resolve) => {
    allSent = resolve;
  });
  const found = sendAll(options, () => allSent());
  // Whoever waits for the last call must not wait for ever.
  found.catch(() => allSent());
  return { sent, found };
}

async function sendAll(
  { url, contentType, bodies, rate, seconds, connections }: Flood,
  allSent: () => void,
): Promise<Flooded> {
  const { hostname, port, pathname } = new URL(url);
  const calls = bodies.map((body) =>
    Buffer.from(
      `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const answers: Answered[] = [];
  const free: Connection[] = [];
  /** By how long they rest: who began first may go on first. */
  const resting = new Map<number, { readonly connection: Connection; readonly untilMs: number }[]>();
  let brokenConnections = 0;
  const open = async (): Promise<Connection> => {
    const connection = createConnection(connect(Number(port), hostname), (answer, retryAfterMs) => {
      answers.push(answer);
      if (retryAfterMs === 0) free.push(connection);
      else {
        const alike = resting.get(retryAfterMs) ?? [];
        resting.set(retryAfterMs, alike);
        alike.push({ connection, untilMs: performance.now() + retryAfterMs });
      }
    });
    await once(connection.socket, 'connect');
    connection.socket.once('close', () => {
      brokenConnections += 1;
    });
    return connection;
  };
  const opened: Connection[] = [];
  while (opened.length < connections) opened.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  free.push(...opened);

  let [sent, unsent] = [0, 0];
  const started = performance.now();
  for (let now = started; now - started < seconds * 1_000; now = performance.now()) {
    for (const alike of resting.values()) {
      while ((alike[0]?.untilMs ?? Number.POSITIVE_INFINITY) <= now) {
        const rested = alike.shift();
        if (rested !== undefined) free.push(rested.connection);
      }
    }
    for (const due = ((now - started) * rate) / 1_000; sent + unsent < due; ) {
      const call = calls[sent % calls.length];
      const connection = free.shift();
      if (connection === undefined || call === undefined) unsent += 1;
      else {
        connection.send(call);
        sent += 1;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  allSent();
  const ended = performance.now();
  while (answers.length < sent && performance.now() - ended < answeredAfterMs)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const broken = brokenConnections;
  for (const { socket } of opened) socket.destroy();
  return { answers, sent, unsent, brokenConnections: broken };
}

interface Connection {
  readonly socket: Socket;
  send(call: Buffer): void;
}

function createConnection(socket: Socket, answered: (answer: Answered, retryAfterMs: number) => void): Connection {
  let received = Buffer.alloc(0);
  let sentMs = 0;
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf(headEnd);
    if (end < 0) return;
    const head = received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer has no Content-Length: ${head}`);
    const from = end + headEnd.length;
    if (received.length < from + Number(length)) return;
    const text = received.toString('utf8', from);
    received = Buffer.alloc(0);
    const ms = performance.now() - sentMs;
    const retryAfter = /\r\nretry-after: (\d+)/i.exec(head)?.[1];
    answered({ status: Number(head.slice(9, 12)), text, ms }, Number(retryAfter ?? 0) * 1_000);
  });
  return {
    socket,
    send(call) {
      sentMs = performance.now();
      socket.write(call);
    },
  };
}
