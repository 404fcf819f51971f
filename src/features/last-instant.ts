import type { InstantRange } from '../fhir/instant-range.ts';

const secondMs = 1_000;

/** The last instant that a time may stand for. What is written to the second is that second's beginning. */
export function lastInstant({ start, end }: InstantRange): number {
  return end - start <= secondMs ? start : end - 1;
}
