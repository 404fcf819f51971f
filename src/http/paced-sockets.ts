import type { Socket } from 'node:net';

/** So many sockets are read again in one turn of the event loop, or of all that wait this share, where that is more. */
const perTurn = { least: 96, share: 1 / 40 } as const;

/**
 * Lets sockets whose request was refused be read again one after the other. A turn of the event loop reads all sockets that
 * have something, and whoever is being answered needs several turns: clients that ask again at once after a refusal would
 * make each turn as long as all of their refusals together.
 * @returns takes the socket of a request that was refused
 */
export function createPacedSockets(): (socket: Socket) => void {
  let refused: Socket[] = [];
  const paused = new Set<Socket>();
  let isGoing = false;

  // Not earlier: what is left of the request is read and dropped in the turn of its answer.
  const turn = (): void => {
    for (const socket of refused) {
      if (socket.destroyed) continue;
      socket.pause();
      paused.add(socket);
    }
    refused = [];
    let left = Math.max(perTurn.least, Math.ceil(paused.size * perTurn.share));
    for (const socket of paused) {
      if (left === 0) break;
      paused.delete(socket);
      if (socket.destroyed) continue;
      socket.resume();
      left -= 1;
    }
    isGoing = paused.size > 0;
    if (isGoing) setImmediate(turn);
  };

  return (socket) => {
    refused.push(socket);
    if (isGoing) return;
    isGoing = true;
    setImmediate(turn);
  };
}
