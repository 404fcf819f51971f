import { describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { mostFrameBytes, readingBytes } from '../../../src/imaging/study/reading-bytes.ts';
import type { TakenFrame } from '../../../src/imaging/study/take-frames.ts';
import type { ImageStep } from '../../../src/model-catalog/image-preprocess-schema.ts';
import { radiograph } from '../../support/radiographs.ts';

const gray: ImageStep = { step: 'channels', as: 'gray', place: 'none' };
const to = (size: number[]): ImageStep => ({ step: 'resample', size, method: 'linear', antialias: true });

function slices(count: number, changes: Parameters<typeof radiograph>[0]): TakenFrame[] {
  const image = readImageAttributes(radiograph(changes).dataset);
  return Array.from({ length: count }, () => ({ image, frame: 1 }));
}

const scored = { isOccluded: false };

describe('how much memory images need', () => {
  it('is what docs/imaging.md says of a radiograph and of a CT', () => {
    const large = slices(1, { Rows: 4000, Columns: 3000 });
    const radiographs = readingBytes(large, { take: 'one-image', preprocess: [to([224, 224]), gray] }, scored);
    expect((radiographs.pixels + radiographs.tensor) / 1e9).toBeCloseTo(0.35, 2);
    const ct = readingBytes(
      slices(500, { Rows: 512, Columns: 512 }),
      {
        take: 'stack',
        preprocess: [to([256, 256, 256]), gray],
      },
      scored,
    );
    expect((ct.pixels + ct.tensor) / 1e9).toBeCloseTo(1, 1);
    expect(ct.tensor).toBe(4 * 256 ** 3 + 3 * 1024 * 1024);
  });

  it.each([
    [8, 7, 'MONOCHROME2', 1],
    [16, 15, 'MONOCHROME2', 1],
    [32, 31, 'MONOCHROME2', 1],
    [8, 7, 'RGB', 3],
  ])('of %i bits is no less than what comes, what is decoded, and the tensor', (bits, HighBit, colours, samples) => {
    const [rows, columns, count] = [200, 300, 7];
    const taken = slices(count, {
      Rows: rows,
      Columns: columns,
      BitsAllocated: bits,
      BitsStored: bits,
      HighBit,
      PhotometricInterpretation: colours,
      SamplesPerPixel: samples,
      ...(samples === 3 && { PlanarConfiguration: 0 }),
    });
    const channels: ImageStep = samples === 1 ? gray : { step: 'channels', as: 'rgb', place: 'last' };
    const { pixels, tensor } = readingBytes(taken, { take: 'stack', preprocess: [to([4, 5, 6]), channels] }, scored);
    const decoded = rows * columns * count * samples * (bits / 8);
    expect(pixels).toBeGreaterThanOrEqual(2 * decoded);
    expect(tensor).toBeGreaterThanOrEqual(4 * 4 * 5 * 6 * samples);
  });

  it('has room for the copy that a model is sent, and for what it is shown without a patch, of which small ones are run together', () => {
    const copies = (size: number[], isOccluded: boolean): number =>
      readingBytes(slices(1, {}), { take: 'one-image', preprocess: [to(size), gray] }, { isOccluded }).copies;
    expect([copies([1000, 1000], false), copies([1000, 1000], true)]).toEqual([4_000_000, 8_000_000]);
    expect([copies([10, 10], false), copies([10, 10], true)]).toEqual([400, 2_000_000]);
  });

  it('grows with an image that its steps make larger', () => {
    const needs = (size: number[]): number =>
      readingBytes(slices(1, {}), { take: 'one-image', preprocess: [to(size), gray] }, scored).pixels;
    expect(needs([2000, 2000]) - needs([2, 3])).toBeGreaterThan(8 * 2000 * 2000);
  });

  it('leaves room for a frame that its coding made larger', () => {
    const [{ image } = { image: undefined }] = slices(1, { Rows: 512, Columns: 512 });
    if (image?.pixels === undefined) throw new Error('an image has pixels');
    expect(mostFrameBytes(image.pixels)).toBe(512 * 512 * 2 * 1.25 + 65_536);
  });
});
