import type { Clock } from '../../src/platform/clock.ts';

/** A clock and timers that move only when a test says so. */
export interface VirtualTime {
  readonly clock: Clock;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Moves on; who waited for an instant up to then goes on, in order. */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

export function createVirtualTime(start = '2026-03-02T08:00:00Z'): VirtualTime {
  let nowMs = Date.parse(start);
  let timers: Timer[] = [];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    clock: { now: () => new Date(nowMs) },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const timer: Timer = {
          at: nowMs + ms,
          fire: () => {
            timers = timers.filter((other) => other !== timer);
            resolve();
          },
        };
        timers.push(timer);
        signal.addEventListener('abort', timer.fire, { once: true });
      }),
    async advance(ms) {
      const until = nowMs + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.at);
        next.fire();
        await turn();
      }
      nowMs = until;
      await turn();
    },
  };
}
