/**
 * A stream of numbers that looks random and is fixed by (seed, index): sfc32, the Small Fast Counting generator by
 * Chris Doty-Humphrey (PractRand, http://pracrand.sourceforge.net, public domain), seeded as its author does
 * with three words (here: both halves of the seed, and the index) and the counter at 1, first 15 outputs dropped.
 * Uses additions, shifts and multiplications alone, so that every machine draws the same bits. Not for secrets.
 */
export interface RandomStream {
  /** At least 0, less than 1. */
  uniform(): number;
  /** At least `low`, less than `high`. */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** True with this probability (0..1). */
  chance(probability: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /**
   * Bell-shaped around `mean`, never further than 3.46 standard deviations from it: the scaled sum of four uniform
   * draws, because logarithm and cosine may differ in the last bit between machines.
   */
  normal(mean: number, standardDeviation: number): number;
}

const twoTo32 = 2 ** 32;

/** `seed` is a whole number from 0 to 2^53 − 1; `index` from 0 to 2^32 − 1. */
export function openRandomStream(seed: number, index: number): RandomStream {
  let a = seed >>> 0;
  let b = Math.floor(seed / twoTo32) >>> 0;
  let c = index >>> 0;
  let counter = 1;

  function next(): number {
    const output = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + output) | 0;
    return output >>> 0;
  }
  for (let round = 0; round < 15; round++) next();

  const uniform = () => next() / twoTo32;
  const between = (low: number, high: number) => low + uniform() * (high - low);
  const integer = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  return {
    uniform,
    between,
    integer,
    chance: (probability) => uniform() < probability,
    pick: <T>(choices: readonly [T, ...T[]]) => choices[integer(0, choices.length - 1)] as T,
    normal: (mean, standardDeviation) =>
      mean + (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3) * standardDeviation,
  };
}
