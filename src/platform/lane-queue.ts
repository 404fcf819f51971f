/** Who goes first where there is little: somebody waits for `front` at a bedside, for `back` only a run. */
export type Lane = 'front' | 'back';

/** Who waits, in an order that lets nobody wait for ever. */
export interface LaneQueue<Waiting extends object> {
  /** Who is next; undefined where nobody waits. */
  readonly first: Waiting | undefined;
  add(waiting: Waiting, lane: Lane): void;
  /** Takes out who is next: their turn has come. */
  shift(): Waiting | undefined;
  /** Takes out somebody who gives up; false for who does not wait. */
  remove(waiting: Waiting): boolean;
}

/** So often the front goes first while somebody waits at the back: nobody waits for ever. */
const patience = 16;

/** The longest waiting of the front goes first, then the longest waiting of the back, which is next once 16 of the front went before it. */
export function createLaneQueue<Waiting extends object>(): LaneQueue<Waiting> {
  const waiting: Readonly<Record<Lane, Waiting[]>> = { front: [], back: [] };
  const { front, back } = waiting;
  let passed = 0;
  const isBacksTurn = (): boolean => front.length === 0 || (back.length > 0 && passed >= patience);

  return {
    get first() {
      return isBacksTurn() ? back[0] : front[0];
    },
    add(one, lane) {
      waiting[lane].push(one);
    },
    shift() {
      const goesFirst = isBacksTurn() ? back : front;
      passed = goesFirst === front && back.length > 0 ? passed + 1 : 0;
      return goesFirst.shift();
    },
    remove(one) {
      for (const lane of [front, back]) {
        const at = lane.indexOf(one);
        if (at < 0) continue;
        lane.splice(at, 1);
        return true;
      }
      return false;
    },
  };
}
