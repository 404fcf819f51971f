import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { shapeOfImage } from '../../src/model-catalog/check-image.ts';
import type { ImageDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import type { ImageStep } from '../../src/model-catalog/image-preprocess-schema.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { frontalRadiograph } from '../support/image-map.ts';

const frontal = frontalRadiograph([224, 224]);
const gray: ImageStep = { step: 'channels', as: 'gray', place: 'none' };
const resampled: ImageStep = { step: 'resample', size: [8, 6], method: 'linear', antialias: true };

function findings(changed: Partial<ImageDefinition>): string[] {
  const image = { ...frontal, ...changed };
  const map = { language: 1, features: { image }, population: { exclude: [], require: [], ranges: [] } } as const;
  const found: Finding[] = [];
  const parsed = parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify(map)), found);
  if (parsed !== undefined) found.push(...checkFeatureMap({ ...map, features: { image } } as never, []));
  return found.map(({ path, message }) => `${path.replace('/features/image', '')} ${message}`);
}

function shapeOf(steps: readonly ImageStep[], take: ImageDefinition['take'] = 'one-image'): readonly number[] {
  return shapeOfImage({ ...frontal, take, preprocess: [...steps] });
}

describe('what an image is declared to be', () => {
  it('DW-26: is taken where it says which images fit, which never count and what becomes of them', () => {
    expect(findings({})).toEqual([]);
  });

  it('DW-26: has to say why nothing is excluded where nothing is', () => {
    expect(findings({ exclude: [] })).toEqual([
      '/exclude is empty; say in excludeNothing why derived images, localizers and the like may count',
    ]);
    expect(findings({ exclude: [], excludeNothing: 'Drawn images, which are all DERIVED.' })).toEqual([]);
    expect(findings({ excludeNothing: 'No reason.' })).toEqual([
      '/excludeNothing is for an empty exclude, which this is not',
    ]);
  });

  it('names the key of the step that was meant', () => {
    expect(findings({ preprocess: [{ step: 'resample', size: [8, 6], antialias: true } as never, gray] })).toEqual([
      "/preprocess/0 must have required property 'method'",
    ]);
    expect(findings({ preprocess: [{ step: 'rotate' } as never] })).toEqual([
      '/preprocess/0 key "step" is "rotate", which is no known step',
    ]);
  });

  it('DW-22: has a window by its centre and width, or that of the image, and not half of either', () => {
    const window = (keys: object) => findings({ preprocess: [{ step: 'window', ...keys }, resampled, gray] });
    expect(window({ center: 40, width: 400 })).toEqual([]);
    expect(window({ from: 'image' })).toEqual([]);
    const needed = ['/preprocess/0 needs center and width, or "from": "image"'];
    expect(window({})).toEqual(needed);
    expect(window({ center: 40 })).toEqual(needed);
    expect(window({ center: 40, from: 'image' })).toEqual(needed);
    expect(window({ center: 40, width: 400, from: 'image' })).toEqual(needed);
    expect(window({ center: 40, width: 0.5 })).toEqual(['/preprocess/0/width must be at least 1 for LINEAR']);
    expect(window({ center: 0.5, width: 0.5, function: 'LINEAR_EXACT' })).toEqual([]);
  });
});

describe('steps that would be about other values than they say', () => {
  const own: ImageStep = { step: 'window', from: 'image' };
  const line: ImageStep = { step: 'rescale', from: [0, 1], to: [0, 2], clip: false };

  it('DW-22: the window of an image is about the values of its modality, and stands before what changes them', () => {
    expect(findings({ preprocess: [own, line, resampled, gray] })).toEqual([]);
    const late =
      '/preprocess/1/from is about values of the modality: it stands before rescale, normalise and other windows';
    expect(findings({ preprocess: [line, own, resampled, gray] })).toEqual([late]);
    expect(findings({ preprocess: [own, own, resampled, gray] })).toEqual([late]);
    const rgb: ImageStep = { step: 'channels', as: 'rgb', place: 'last' };
    expect(findings({ preprocess: [rgb, own, resampled] })).toEqual([
      '/preprocess/1/from is for gray images; those with colours have no window',
    ]);
  });

  it('colours become gray where gray is wanted', () => {
    const channels = (as: 'gray' | 'rgb'): ImageStep => ({ step: 'channels', as, place: 'last', colour: 'luma' });
    expect(findings({ preprocess: [resampled, channels('gray')] })).toEqual([]);
    expect(findings({ preprocess: [resampled, channels('rgb')] })).toEqual([
      '/preprocess/1/colour is for gray; rgb keeps the colours',
    ]);
  });
});

describe('the shape in which the steps of an image end', () => {
  it('is that of the last size, with the channels where they are put', () => {
    expect(shapeOf([resampled, gray])).toEqual([8, 6]);
    expect(shapeOf([resampled, { step: 'channels', as: 'gray', place: 'last' }])).toEqual([8, 6, 1]);
    expect(shapeOf([{ step: 'channels', as: 'gray-to-3', place: 'first' }, resampled])).toEqual([3, 8, 6]);
    expect(shapeOf([resampled, { step: 'channels', as: 'rgb', place: 'last' }])).toEqual([8, 6, 3]);
  });

  it('is known after a spacing once crop and pad settle it, and not before', () => {
    const spacing: ImageStep = { step: 'resample', spacingMm: [5, 1, 1], method: 'linear', antialias: true };
    const crop: ImageStep = { step: 'crop', size: [32, 256, 256], at: 'centre' };
    const pad: ImageStep = { step: 'pad', size: [32, 256, 256], value: -1024, at: 'centre' };
    expect(shapeOf([spacing, crop, pad, gray], 'volume')).toEqual([32, 256, 256]);
    expect(shapeOf([spacing, pad, crop, gray], 'volume')).toEqual([32, 256, 256]);
    expect(findings({ take: 'volume', preprocess: [spacing, crop, gray] })).toEqual([
      '/preprocess end in a size that depends on the image: 1 to 32 × 1 to 256 × 1 to 256; resample, crop or pad it',
    ]);
  });

  it('has as many sizes as what is taken', () => {
    expect(findings({ take: 'volume', preprocess: [resampled, gray] })).toContain(
      '/preprocess/0/size has 2 numbers; 3 are needed: [slices, rows, columns] for several',
    );
  });

  it('needs the channels once, and as many means as there are channels', () => {
    expect(findings({ preprocess: [resampled] })[0]).toMatch(/^\/preprocess need one step "channels"/);
    expect(findings({ preprocess: [resampled, gray, gray] })).toEqual([
      '/preprocess/2 is there twice; the channels are said once',
    ]);
    const three: ImageStep = { step: 'normalise', mean: [0, 0, 0], std: [1, 1, 1] };
    expect(findings({ preprocess: [resampled, three, gray] })).toEqual([
      '/preprocess/1/mean has 3 numbers for the channels; before the step channels there is one',
    ]);
    expect(findings({ preprocess: [resampled, gray, three] })).toEqual([
      '/preprocess/2/mean has 3 numbers for the channels; there are 1',
    ]);
  });
});
