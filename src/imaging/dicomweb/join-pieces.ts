import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes that are copied at once: about a millisecond, most of it for memory that is touched for the first time. */
const atOnce = 2_097_152;

/**
 * The pieces as one, in memory of their own, so that they can be handed to a thread. A large object is joined in several turns of the
 * event loop: 200 MB in one would keep everybody else waiting for a second. The pieces are let go as they are copied.
 * @param pieces is empty afterwards
 * @param length their bytes in all
 */
export async function joinPieces(pieces: Uint8Array[], length: number): Promise<Uint8Array> {
  const joined = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let sinceTurn = 0;
  let at = 0;
  pieces.reverse();
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    for (let from = 0; from < piece.length; from += atOnce) {
      const some = piece.subarray(from, from + atOnce);
      if (sinceTurn + some.length > atOnce) {
        await nextTurn();
        sinceTurn = 0;
      }
      joined.set(some, at);
      at += some.length;
      sinceTurn += some.length;
    }
  }
  return joined;
}
