import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { Plane } from './plane.ts';

/** (value - mean) / std, one of each for all channels or for each. */
export function normalise(plane: Plane, { mean, std }: Extract<ImageStep, { step: 'normalise' }>): Plane {
  const of = (given: readonly number[], at: number): number =>
    given[given.length === 1 ? 0 : at % plane.channels] ?? Number.NaN;
  return { ...plane, values: plane.values.map((value, at) => (value - of(mean, at)) / of(std, at)) };
}
