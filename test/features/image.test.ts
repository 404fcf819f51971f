import { describe, expect, it } from 'vitest';
import type { ExtractionContext } from '../../src/features/feature-extractor.ts';
import { compileImage } from '../../src/features/image.ts';
import type { ImageReading } from '../../src/imaging/image-reading.ts';
import { frontalRadiograph, readImage } from '../support/image-map.ts';

const { image, at, sources, detail } = readImage();
if (image === undefined || at === undefined || sources[0] === undefined || detail === undefined)
  throw new Error('nothing was read');
const { study, ...read } = image;
const reading: ImageReading = {
  state: 'read',
  ...read,
  study: { ...study, imagingStudy: sources[0] },
  at,
  rule: detail,
};
const extracted = (changes: Partial<ImageReading>) => {
  const images = new Map([['frontal', { ...reading, ...changes } as ImageReading]]);
  return compileImage('frontal', frontalRadiograph([2, 2]))({ images } as unknown as ExtractionContext);
};

describe('an image that was read', () => {
  it('is a feature as old as its study, whose value is how many frames were read', () => {
    expect(extracted({})).toEqual(readImage());
  });

  it.each([[[4, 1]], [[1, 2, 2]], [[2, 3]]])(
    'is no input where it was made %j, and not as its map declares: the model would see another image',
    (shape) => {
      expect(() => extracted({ shape })).toThrow(/was made \[.*\]; its map declares \[2, 2\]/);
    },
  );
});
