import { createLaneQueue, type Lane } from './lane-queue.ts';

export interface Lanes {
  /** Resolves with a function that gives the place back, called once, when it is the caller's turn. */
  enter(lane: Lane): Promise<() => void>;
}

/** Gives out `places` in the order of a `LaneQueue`. */
export function createLanes(places: number): Lanes {
  const waiting = createLaneQueue<() => void>();
  let free = places;
  const leave = (): void => {
    const begin = waiting.shift();
    if (begin === undefined) free += 1;
    else begin();
  };
  return {
    async enter(lane) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.add(resolve, lane));
      return leave;
    },
  };
}
