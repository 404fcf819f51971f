import type { Socket } from 'node:net';

/** So many sockets are read again in one turn of the event loop. */
const perTurn = 96;

/**
 * Lets sockets whose request was refused be read again one after the other. A turn of the event loop reads all sockets that
 * have something, and whoever is being answered needs several turns: clients that ask again at once after a refusal would
 * make each turn as long as all of their refusals together.
 * @returns takes the socket of a request that was refused
 */
export function createPacedSockets(): (socket: Socket) => void {
  let refused: Socket[] = [];
  const paused: Socket[] = [];
  let isGoing = false;

  // Not earlier: what is left of the request is read and dropped in the turn of its answer.
  const turn = (): void => {
    for (const socket of refused) {
      socket.pause();
      paused.push(socket);
    }
    refused = [];
    for (const socket of paused.splice(0, perTurn)) socket.resume();
    isGoing = paused.length > 0;
    if (isGoing) setImmediate(turn);
  };

  return (socket) => {
    refused.push(socket);
    if (isGoing) return;
    isGoing = true;
    setImmediate(turn);
  };
}
