/** How many requests may be under way: those that somebody waits for at a bedside, and all others. */
export interface RequestPlaces {
  /** Takes a place, or says that none is free. */
  take(urgent: boolean): boolean;
  /** One that had a place has ended. */
  leave(urgent: boolean): void;
  /** How many are under way. */
  count(): number;
}

/** What places are counted from. */
export interface LoopWatch {
  /** Milliseconds of a clock that is never set. */
  now(): number;
  /** How late the event loop was on average since this was last asked, in milliseconds; Infinity where not one turn ended. */
  delayMs(): number;
}

/** The loop is behind when what is due waits as long, in milliseconds. */
const behindFromMs = 20;
/** In which time all that are let in are to be answered while it is behind, in milliseconds; `urgent`: as long as urgent ones come, which have 500. */
const answeredWithinMs = { urgent: 100, others: 10_000 } as const;
/** So long after the last urgent one others make room for the next, in milliseconds. */
const urgentForMs = 30_000;
/** How often the places are counted again, in milliseconds; in each interval in which it keeps up there are `growth` times as many. */
const intervalMs = 100;
const growth = 1.25;
/** So much of the rate of each interval in which it is behind goes into the rate. */
const weight = 0.3;
const least = 32;

/**
 * While the event loop keeps up, `most` of each kind: requests that wait for something else take nothing from each other.
 * While it is behind, as many as are answered in time at the rate of late (Little's law: under way = rate × time), because each
 * that is let in makes all others later: so many urgent ones, and of others what those leave. Afterwards more again, little by
 * little.
 */
export function createRequestPlaces(most: number, watch: LoopWatch): RequestPlaces {
  const open = { urgent: 0, others: 0 };
  let places = most;
  let countedMs = watch.now();
  let urgentMs = Number.NEGATIVE_INFINITY;
  let ended = 0;
  // Nothing is known of it at first, which is no reason to refuse anybody.
  let ratePerMs = most / answeredWithinMs.urgent;

  const countAgain = (nowMs: number): void => {
    const elapsedMs = nowMs - countedMs;
    if (elapsedMs < intervalMs) return;
    countedMs = nowMs;
    const isBehind = watch.delayMs() > behindFromMs;
    // How much is asked for while it keeps up says nothing of how much it can answer.
    if (isBehind) ratePerMs += weight * (ended / elapsedMs - ratePerMs);
    ended = 0;
    const withinMs = nowMs - urgentMs < urgentForMs ? answeredWithinMs.urgent : answeredWithinMs.others;
    const wanted = isBehind ? Math.round(ratePerMs * withinMs) : Math.ceil(places * growth ** (elapsedMs / intervalMs));
    places = Math.min(most, Math.max(least, wanted));
  };

  return {
    take(urgent) {
      const nowMs = watch.now();
      if (urgent) urgentMs = nowMs;
      countAgain(nowMs);
      const taken = urgent || places === most ? open[urgent ? 'urgent' : 'others'] : open.urgent + open.others;
      if (taken >= places) return false;
      open[urgent ? 'urgent' : 'others'] += 1;
      return true;
    },
    leave(urgent) {
      open[urgent ? 'urgent' : 'others'] -= 1;
      ended += 1;
    },
    count: () => open.urgent + open.others,
  };
}
