import { type Figure, z95 } from './figure.ts';

/**
 * A proportion with the interval of Wilson (1927), which stays within 0 to 1 and is no point where none or all succeeded.
 * @param nobody what there is none of, where `of` is 0: the reason
 */
export function proportion(successes: number, of: number, nobody: string): Figure {
  if (of === 0) return { unavailable: nobody };
  const value = successes / of;
  const denominator = 1 + z95 ** 2 / of;
  const middle = (value + z95 ** 2 / (2 * of)) / denominator;
  const half = (z95 / denominator) * Math.sqrt((value * (1 - value)) / of + z95 ** 2 / (4 * of ** 2));
  // At the ends the interval ends where the proportion is; a rounding error does not put it beyond.
  const low = successes === 0 ? 0 : Math.max(0, middle - half);
  const high = successes === of ? 1 : Math.min(1, middle + half);
  return { value, interval: { low, high, method: 'wilson' } };
}
