import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createPacedSockets } from '../../src/http/paced-sockets.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('sockets are read again in the order in which they were refused, so many in one turn of the event loop', async () => {
  const readLater = createPacedSockets();
  const sockets = Array.from({ length: 250 }, () => new Socket());
  for (const socket of sockets) readLater(socket);
  const read: number[] = [];
  for (let turns = 0; turns < 3; turns++) {
    await turn();
    const waiting = sockets.findIndex((socket) => socket.isPaused());
    read.push(waiting < 0 ? sockets.length : waiting);
    expect(sockets.slice(0, waiting < 0 ? sockets.length : waiting).some((socket) => socket.isPaused())).toBe(false);
    expect(waiting < 0 || sockets.slice(waiting).every((socket) => socket.isPaused())).toBe(true);
  }
  expect(read).toEqual([96, 192, 250]);
});

test('of very many a share is read in each turn, so that none waits for ever', async () => {
  const readLater = createPacedSockets();
  const sockets = Array.from({ length: 8_000 }, () => new Socket());
  for (const socket of sockets) readLater(socket);
  await turn();
  expect(sockets.filter((socket) => !socket.isPaused())).toHaveLength(200);
});

test('those that are gone, and those that wait already, take nobody’s turn', async () => {
  const readLater = createPacedSockets();
  const [gone, twice, last] = [Array.from({ length: 200 }, () => new Socket()), new Socket(), new Socket()];
  for (const socket of gone) {
    readLater(socket);
    socket.destroy();
  }
  for (let times = 0; times < 200; times++) readLater(twice);
  let paused = 0;
  last.once('pause', () => {
    paused += 1;
  });
  readLater(last);
  await turn();
  expect([paused, last.isPaused()]).toEqual([1, false]);
});
