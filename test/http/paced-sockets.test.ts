import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createPacedSockets } from '../../src/http/paced-sockets.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('sockets are read again in the order in which they were refused, so many in one turn of the event loop', async () => {
  const readLater = createPacedSockets();
  const sockets = Array.from({ length: 250 }, () => new Socket());
  const read = (): number => sockets.filter((socket) => !socket.isPaused()).length;
  for (const socket of sockets) readLater(socket);
  const counts: number[] = [];
  for (let turns = 0; turns < 4; turns++) {
    await turn();
    counts.push(read());
  }
  expect(counts).toEqual([96, 192, 250, 250]);
});

test('one that was refused and is gone is in nobody’s way', async () => {
  const readLater = createPacedSockets();
  const [gone, other] = [new Socket(), new Socket()];
  readLater(gone);
  gone.destroy();
  readLater(other);
  await turn();
  await turn();
  expect(other.isPaused()).toBe(false);
});
