import { seededRandom } from '../seeded-random.ts';

/** What a fuzzer decides by; the same seed decides the same. */
export interface Chance {
  /** True so often of one. */
  is(share: number): boolean;
  /** 0 to `below` - 1 */
  whole(below: number): number;
  of<T>(choices: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  return {
    is: (share) => random() < share,
    whole,
    of: <T>(choices: readonly T[]): T => {
      if (choices.length === 0) throw new Error('nothing to choose from');
      return choices[whole(choices.length)] as T;
    },
  };
}
