/** How long something has taken each time, and so how long it may take the next time. */
export interface RunningTime {
  /** Milliseconds that the next one hardly exceeds; undefined before the first. */
  expectedMs(): number | undefined;
  took(ms: number): void;
  /** One was left out for want of time: the estimate shrinks, so that it is tried again after a while. */
  leftOut(): void;
}

/** Weight of the newest measurement in the mean and in the deviation. */
const meanWeight = 1 / 8;
const deviationWeight = 1 / 4;
/** How many deviations above the mean are expected. */
const margin = 4;

/** The estimate by which TCP sets its timeouts (RFC 6298): a running mean and four running deviations. */
export function createRunningTime(): RunningTime {
  let meanMs: number | undefined;
  let deviationMs = 0;
  return {
    expectedMs: () => (meanMs === undefined ? undefined : meanMs + margin * deviationMs),
    took(ms) {
      if (meanMs === undefined) {
        meanMs = ms;
        deviationMs = ms / 2;
        return;
      }
      deviationMs += deviationWeight * (Math.abs(ms - meanMs) - deviationMs);
      meanMs += meanWeight * (ms - meanMs);
    },
    leftOut() {
      if (meanMs !== undefined) meanMs -= meanWeight * meanMs;
      deviationMs -= deviationWeight * deviationMs;
    },
  };
}
