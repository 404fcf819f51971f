import { unlessAborted } from '../../platform/unless-aborted.ts';

/** How long one request waits for another server, all waits added up. The time between them, in which we work, does not count. */
export interface Patience {
  /** Aborted when the time has run out, or whoever asked has given up. */
  readonly signal: AbortSignal;
  /** True where the time has run out. */
  ranOut(): boolean;
  /** What comes of the work; rejects with the reason of the signal once it is aborted. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** @param limitMs milliseconds */
export function createPatience(limitMs: number, asker: AbortSignal | undefined): Patience {
  const time = new AbortController();
  const signal = asker === undefined ? time.signal : AbortSignal.any([asker, time.signal]);
  let leftMs = limitMs;
  return {
    signal,
    ranOut: () => time.signal.aborted,
    during: async (work) => {
      if (leftMs <= 0) time.abort();
      signal.throwIfAborted();
      const began = performance.now();
      const timer = setTimeout(() => time.abort(), leftMs);
      try {
        return await unlessAborted(signal, work());
      } finally {
        clearTimeout(timer);
        leftMs -= performance.now() - began;
      }
    },
  };
}
