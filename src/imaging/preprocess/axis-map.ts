/**
 * Where places of one axis of the preview lie in the tensor, both as coordinates in which place i covers i to i + 1:
 * in the tensor = in the preview × scale + offset.
 */
export interface AxisMap {
  readonly scale: number;
  readonly offset: number;
}

export const sameAxis: AxisMap = { scale: 1, offset: 0 };

/** First `map`, then ones more. */
export function thenAxis(map: AxisMap, { scale, offset }: AxisMap): AxisMap {
  return { scale: map.scale * scale, offset: map.offset * scale + offset };
}
