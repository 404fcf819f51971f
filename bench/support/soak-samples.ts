/** One line of `soak-monitor.ts`. */
export interface SoakSample {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly rssMb: number;
}

/** The samples in what a monitored process wrote. */
export function soakSamples(output: string): SoakSample[] {
  return [...output.matchAll(/^soak (\{.*\})$/gm)].map(([, line = '']) => JSON.parse(line) as SoakSample);
}
