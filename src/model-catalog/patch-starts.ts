/** Where patches begin along an axis: evenly from its first to its last pixel, no further apart than the stride. */
export function patchStarts(size: number, patch: number, stride: number): number[] {
  const last = Math.ceil((size - patch) / stride);
  return Array.from({ length: last + 1 }, (_, at) => (last === 0 ? 0 : Math.round((at * (size - patch)) / last)));
}
