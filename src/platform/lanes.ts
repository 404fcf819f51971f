/** Who goes first where places are few: somebody waits for `front` at a bedside, for `back` only a run. */
export type Lane = 'front' | 'back';

export interface Lanes {
  /** Resolves with a function that gives the place back, called once, when it is the caller's turn. */
  enter(lane: Lane): Promise<() => void>;
}

/** So often the front goes first while somebody waits at the back: nobody waits for ever. */
const patience = 16;

/** Gives out `places`; the longest waiting of the front goes first, then the longest waiting of the back. */
export function createLanes(places: number): Lanes {
  const waiting: Readonly<Record<Lane, (() => void)[]>> = { front: [], back: [] };
  let free = places;
  let passed = 0;

  const next = (): (() => void) | undefined => {
    const { front, back } = waiting;
    const first = front.length === 0 || (back.length > 0 && passed >= patience) ? back : front;
    passed = first === front && back.length > 0 ? passed + 1 : 0;
    return first.shift();
  };
  const leave = (): void => {
    const begin = next();
    if (begin === undefined) free += 1;
    else begin();
  };
  return {
    async enter(lane) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting[lane].push(resolve));
      return leave;
    },
  };
}
