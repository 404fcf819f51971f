/**
 * One slice while it is prepared: float64, row by row, the channels of a pixel side by side.
 * Values are never NaN; where `weight` is below a half, they stand for nothing.
 */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  /** rows × columns × channels. */
  readonly values: Float64Array;
  /** How much of each pixel is an image and not padding (Pixel Padding Value, PS3.3 C.7.5.1.1.2), 0..1; absent: all of all. */
  readonly weight?: Float64Array;
}

/** A pixel of which less than a half is an image counts as padding. */
export const leastWeight = 0.5;

/** The same plane with other values of the same pixels. */
export function withValues(plane: Plane, value: (x: number) => number): Plane {
  return { ...plane, values: mapped(plane.values, value) };
}

/** Each number as what is made of it; in a plain loop, for an image has millions and `from` takes ten times as long. */
export function mapped(numbers: ArrayLike<number>, value: (x: number) => number): Float64Array {
  const made = new Float64Array(numbers.length);
  for (let at = 0; at < made.length; at++) made[at] = value(numbers[at] as number);
  return made;
}
