import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

/** A way to a server on this machine that can be cut: its port refuses connections then. */
export interface Relay {
  readonly port: number;
  up(): Promise<void>;
  down(): Promise<void>;
}

/** Opens one, up. @param to port of the server */
export async function openRelay(to: number): Promise<Relay> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const relay: Relay = {
    port,
    up: async () => {
      server = createServer((client) => {
        const upstream = connect(to, '127.0.0.1');
        for (const [one, other] of [
          [client, upstream],
          [upstream, client],
        ] as const) {
          sockets.add(one);
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => sockets.delete(one));
        }
      });
      const opened = server;
      await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve));
    },
    down: async () => {
      const closing = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
    },
  };
  await relay.up();
  return relay;
}
