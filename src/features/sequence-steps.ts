import type { SequenceDefinition } from '../model-catalog/feature-map-schema.ts';
import type { SequenceSteps } from './feature-vector.ts';

/**
 * The three channels of a sequence, and how many bins took an earlier value.
 * @param measured the number of each bin that holds a measurement
 */
export function sequenceSteps(
  { steps, fill, empty }: Pick<SequenceDefinition, 'steps' | 'fill' | 'empty'>,
  measured: ReadonlyMap<number, number>,
): SequenceSteps & { readonly filled: number } {
  const limit = fill?.limit ?? 0;
  const value: number[] = [];
  const mask: number[] = [];
  const since: number[] = [];
  let last: { readonly bin: number; readonly value: number } | undefined;
  let filled = 0;
  for (let bin = 0; bin < steps; bin++) {
    const number = measured.get(bin);
    if (number !== undefined) last = { bin, value: number };
    const ago = last === undefined ? Number.POSITIVE_INFINITY : bin - last.bin;
    if (ago > 0 && ago <= limit) filled++;
    value.push(last !== undefined && ago <= limit ? last.value : empty.value);
    mask.push(ago === 0 ? 1 : 0);
    since.push(last === undefined ? empty.since : ago);
  }
  return { value, mask, since, filled };
}
