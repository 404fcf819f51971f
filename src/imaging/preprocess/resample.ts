import type { AxisWeights } from './axis-weights.ts';
import { leastWeight, type Plane } from './plane.ts';

/**
 * Resamples the rows and columns of a plane. What is padding takes no part: each value is the weighted mean of what is image, and a
 * new pixel is padding where less than a half of its weight is image. `settlePadding` says so once all axes are done.
 */
export function resamplePlane(plane: Plane, rows: AxisWeights, columns: AxisWeights): Plane {
  const { channels, weight } = plane;
  const size = { rows: rows.size, columns: columns.size };
  const both = (values: Float64Array, width: number): Float64Array => {
    const across = alongAxis(values, { outer: plane.rows, old: plane.columns, inner: width }, columns);
    return alongAxis(across, { outer: 1, old: plane.rows, inner: columns.size * width }, rows);
  };
  if (weight === undefined) return { channels, ...size, values: both(plane.values, channels) };
  const weighted = plane.values.map((value, at) => value * (weight[Math.floor(at / channels)] ?? 0));
  return divided({ channels, ...size, values: both(weighted, channels), weight: both(weight, 1) });
}

/** Resamples across slices, all of the same rows, columns and channels. */
export function resampleSlices(planes: readonly Plane[], slices: AxisWeights): Plane[] {
  const hasPadding = planes.some(({ weight }) => weight !== undefined);
  return slices.weights.map((weights, at) => {
    const from = slices.first[at] ?? 0;
    const parts = planes.slice(from, from + weights.length);
    const [one] = parts;
    if (one === undefined) throw new Error('a slice is made of none');
    const { rows, columns, channels } = one;
    const values = new Float64Array(one.values.length);
    const weight = hasPadding ? new Float64Array(rows * columns) : undefined;
    for (const [index, part] of parts.entries()) {
      const w = weights[index] ?? 0;
      for (let i = 0; i < values.length; i++) {
        const share = part.weight?.[Math.floor(i / channels)] ?? 1;
        values[i] = (values[i] ?? 0) + w * share * (part.values[i] ?? 0);
      }
      for (let i = 0; weight !== undefined && i < weight.length; i++)
        weight[i] = (weight[i] ?? 0) + w * (part.weight?.[i] ?? 1);
    }
    const made = { rows, columns, channels, values };
    return weight === undefined ? made : divided({ ...made, weight });
  });
}

/** Each pixel wholly image or wholly padding, as `leastWeight` says. */
export function settlePadding(plane: Plane): Plane {
  if (plane.weight === undefined) return plane;
  return { ...plane, weight: plane.weight.map((share) => (share >= leastWeight ? 1 : 0)) };
}

/** Sums of weighted values, by their weights; 0 where there is no image. */
function divided(plane: Plane & { readonly weight: Float64Array }): Plane {
  const { values, weight, channels } = plane;
  for (let i = 0; i < values.length; i++) {
    const share = weight[Math.floor(i / channels)] ?? 0;
    values[i] = share === 0 ? 0 : (values[i] ?? 0) / share;
  }
  return plane;
}

interface Axis {
  readonly outer: number;
  readonly old: number;
  readonly inner: number;
}

/** Resamples the middle axis of [outer, old, inner]. */
function alongAxis(
  values: Float64Array,
  { outer, old, inner }: Axis,
  { size, first, weights }: AxisWeights,
): Float64Array {
  const made = new Float64Array(outer * size * inner);
  for (let block = 0; block < outer; block++) {
    for (let at = 0; at < size; at++) {
      const parts = weights[at] as Float64Array;
      const to = (block * size + at) * inner;
      const begin = (block * old + (first[at] as number)) * inner;
      if (inner === 1) {
        let sum = 0;
        for (let k = 0; k < parts.length; k++) sum += (parts[k] as number) * (values[begin + k] as number);
        made[to] = sum;
        continue;
      }
      for (let k = 0; k < parts.length; k++) {
        const w = parts[k] as number;
        const from = begin + k * inner;
        for (let i = 0; i < inner; i++) made[to + i] = (made[to + i] as number) + w * (values[from + i] as number);
      }
    }
  }
  return made;
}
