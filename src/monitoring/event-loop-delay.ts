import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopDelay {
  /** Delays since the last call, in seconds, by quantile; empty where nothing was measured since. */
  take(): ReadonlyMap<string, number>;
  /** Their mean since the last call of either, in milliseconds; Infinity where no timer fired since. */
  takeMeanMs(): number;
  close(): void;
}

const resolutionMs = 10;
const quantiles = [
  ['0.5', 50],
  ['0.99', 99],
  ['1', 100],
] as const;

/**
 * How much later than it should a timer of this process fires. Node.js counts from the start of the timer; its length
 * is taken off, so that an idle process shows about 0.
 */
export function watchEventLoop(): EventLoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return {
    take() {
      const taken = new Map<string, number>();
      if (histogram.count === 0) return taken;
      for (const [name, percentile] of quantiles) {
        taken.set(name, Math.max(0, histogram.percentile(percentile) / 1e9 - resolutionMs / 1e3));
      }
      histogram.reset();
      return taken;
    },
    takeMeanMs() {
      if (histogram.count === 0) return Number.POSITIVE_INFINITY;
      const meanMs = Math.max(0, histogram.mean / 1e6 - resolutionMs);
      histogram.reset();
      return meanMs;
    },
    close: () => {
      histogram.disable();
    },
  };
}
