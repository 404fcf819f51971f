import { describe, expect, it } from 'vitest';
import { occludeImage } from '../../src/explanation/occlude-image.ts';
import type { ImageLayout } from '../../src/model-catalog/image-layout.ts';

/** Two channels one after the other, each of two slices of `side` × `side`. */
function layoutOf(side: number): ImageLayout {
  const channelOf = (block: number): number => Math.floor(block / 2);
  return { rows: side, columns: side, outer: 4, inner: 1, channels: 2, channelOf };
}

/** 2 in the first channel and 5 in the second, but 3 and 6 in their upper left quarters. */
function imageOf(side: number): Float32Array {
  const { outer, channelOf } = layoutOf(side);
  return Float32Array.from({ length: outer * side * side }, (_, at) => {
    const isQuarter = Math.floor(at / side) % side < side / 2 && at % side < side / 2;
    return 2 + 3 * channelOf(Math.floor(at / (side * side)), 0) + (isQuarter ? 1 : 0);
  });
}

const meanOf = (image: Float32Array): number => image.reduce((sum, x) => sum + x, 0) / image.length;

describe.each([
  ['a small image', 8],
  ['a volume, which is written into one array for all patches', 320],
])('occlusion of %s', (_, side) => {
  it('says how much the score falls without each quarter, and leaves the image as it was', async () => {
    const image = imageOf(side);
    const before = image.slice();
    const arrays = new Set<unknown>();
    const [map] = await occludeImage({
      inputs: [image],
      cell: 0,
      layout: layoutOf(side),
      saliency: { patch: [side / 2, side / 2], stride: [side / 2, side / 2], baseline: 'mean' },
      run: async (rows) =>
        rows.map(([cell]) => {
          if (!(cell instanceof Float32Array)) throw new Error('the cell is an image');
          arrays.add(cell);
          return [meanOf(cell)];
        }),
      scores: [{ outcome: 'mean', of: ([y = Number.NaN]) => y }],
    });
    // The quarter is above the mean of its channel by 0.75, the others are below by 0.25; each is a quarter of the image.
    const falls = [0.75, -0.25, -0.25, -0.25].map((above) => above / 4);
    expect(map?.values).toHaveLength(4);
    for (const [at, fall] of falls.entries()) expect(map?.values[at]).toBeCloseTo(fall, 5);
    expect(image).toEqual(before);
    expect(arrays.size).toBe(side === 8 ? 5 : 2);
  });
});
