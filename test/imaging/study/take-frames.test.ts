import { describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { NoImage } from '../../../src/imaging/image-reading.ts';
import { takeFrames } from '../../../src/imaging/study/take-frames.ts';
import { dataset, imageDataset } from '../support/dataset.ts';

type Changes = Parameters<typeof imageDataset>[0];
type Take = Parameters<typeof takeFrames>[1];

const axial = [1, 0, 0, 0, 1, 0];

function image(uid: string, changes: Changes = {}) {
  return readImageAttributes(imageDataset({ SOPInstanceUID: uid, ...changes }));
}

function slice(uid: string, z: number, changes: Changes = {}) {
  return image(uid, { ImagePositionPatient: [0, 0, z], ImageOrientationPatient: axial, ...changes });
}

function taken(images: readonly ReturnType<typeof image>[], take: Take): string[] {
  return takeFrames(images, take, 1000).frames.map(({ image, frame }) => `${image.sopInstanceUid}#${frame}`);
}

function refusal(images: readonly ReturnType<typeof image>[], take: Take): readonly [string, string] | undefined {
  try {
    takeFrames(images, take, 1000);
    return undefined;
  } catch (error) {
    if (error instanceof NoImage) return [error.because, error.message];
    throw error;
  }
}

describe('one image', () => {
  it('is the only one that fits, and several are a reason', () => {
    expect(taken([image('1')], 'one-image')).toEqual(['1#1']);
    expect(refusal([image('1'), image('2')], 'one-image')?.[0]).toBe('several-images');
  });

  it('has one frame', () => {
    expect(refusal([image('1', { NumberOfFrames: 2 })], 'one-image')).toEqual([
      'several-images',
      'the image that fits has 2 frames',
    ]);
  });
});

describe('an object that says it has two thousand million frames', () => {
  const endless = image('1', { NumberOfFrames: 2 ** 31 - 1 });

  it.each(['one-image', 'newest-image'] as const)('is not listed frame by frame, and ends no process: %s', (take) => {
    expect(refusal([endless], take)?.[0]).toBe('several-images');
  });

  it.each(['stack', 'volume'] as const)('is larger than what is read: %s', (take) => {
    expect(refusal([endless], take)?.[0]).toBe('image-too-large');
  });
});

describe('the newest image', () => {
  const at = (time: string) => ({ AcquisitionDate: '20260102', AcquisitionTime: time });

  it('is the last that was acquired', () => {
    expect(
      taken([image('1', at('083000')), image('2', at('083001.5')), image('3', at('082959'))], 'newest-image'),
    ).toEqual(['2#1']);
    const exact = image('4', { AcquisitionDateTime: '20260102090000.25' });
    expect(taken([image('2', at('083001')), exact], 'newest-image')).toEqual(['4#1']);
  });

  it.each([
    ['does not say when', image('2')],
    ['says it to the minute', image('2', at('0831'))],
    ['was acquired at the same time', image('2', at('083000'))],
    ['tells the time of another zone', image('2', { ...at('083001'), TimezoneOffsetFromUTC: '+0200' })],
  ])('is none where another one %s', (_, other) => {
    expect(refusal([image('1', at('083000')), other], 'newest-image')?.[0]).toBe('several-images');
  });
});

describe('a stack', () => {
  it('is the frames of one object in their order, or one each of several by their number', () => {
    expect(taken([image('1', { NumberOfFrames: 3 })], 'stack')).toEqual(['1#1', '1#2', '1#3']);
    expect(taken([image('1', { InstanceNumber: 10 }), image('2', { InstanceNumber: 9 })], 'stack')).toEqual([
      '2#1',
      '1#1',
    ]);
  });

  it('is of one series, each image with a number of its own', () => {
    expect(refusal([image('1'), image('2', { SeriesInstanceUID: '1.2.3.2' })], 'stack')?.[0]).toBe('several-images');
    expect(refusal([image('1', { InstanceNumber: 1 }), image('2', { InstanceNumber: 1 })], 'stack')?.[0]).toBe(
      'image-unsupported',
    );
  });
});

describe('DW-24: a volume', () => {
  it('is sorted by position along the normal of its plane, whatever its numbers say', () => {
    const slices = [
      slice('1', 5, { InstanceNumber: 1 }),
      slice('2', 0, { InstanceNumber: 2 }),
      slice('3', 2.5, { InstanceNumber: 3 }),
    ];
    expect(taken(slices, 'volume')).toEqual(['2#1', '3#1', '1#1']);
  });

  it('may be the frames of one object, each at the position of its own functional group', () => {
    const positions = [4, 0, 2].map((z) =>
      dataset({ PlanePositionSequence: [dataset({ ImagePositionPatient: [0, 0, z] })] }),
    );
    const enhanced = image('1', {
      NumberOfFrames: 3,
      ImageOrientationPatient: axial,
      PerFrameFunctionalGroupsSequence: positions,
    });
    expect(taken([enhanced], 'volume')).toEqual(['1#2', '1#3', '1#1']);
  });

  it('of 5,000 frames goes once through the functional groups, not once for each frame', () => {
    const frames = 5_000;
    const groups = Array.from({ length: frames }, (_, z) =>
      dataset({ PlanePositionSequence: [dataset({ ImagePositionPatient: [0, 0, z] })] }),
    );
    let passes = 0;
    const stated = imageDataset({ NumberOfFrames: frames, ImageOrientationPatient: axial });
    const enhanced = readImageAttributes({
      ...stated,
      '52009230': {
        vr: 'SQ',
        get Value() {
          passes += 1;
          return groups;
        },
      },
    });
    const order = takeFrames([enhanced], 'volume', frames).frames;
    expect(order).toHaveLength(frames);
    const asked = order.map(({ frame }) => enhanced.frame(frame - 1));
    expect(order.every(({ frame }, at) => enhanced.frame(frame - 1) === asked[at])).toBe(true);
    expect(passes).toBe(1);
  });

  it.each([
    ['a gap', [0, 1, 2, 4, 5], 'study-incomplete', 'a slice is missing'],
    ['two slices at one position', [0, 1, 1, 2, 3], 'several-images', 'at one position'],
    ['uneven distances', [0, 1, 2.2, 3, 4], 'image-unsupported', 'not evenly spaced'],
  ] as const)('with %s is none', (_, positions, because, why) => {
    const [reason, message] =
      refusal(
        positions.map((z, index) => slice(`${index}`, z)),
        'volume',
      ) ?? [];
    expect([reason, message?.includes(why)]).toEqual([because, true]);
  });

  it('bears positions that were rounded', () => {
    expect(taken([slice('1', 0), slice('2', 0.71), slice('3', 1.41), slice('4', 2.12)], 'volume')).toHaveLength(4);
  });

  it.each([
    ['in another orientation', slice('2', 1, { ImageOrientationPatient: [0, 1, 0, 0, 0, -1] }), 'several-images'],
    ['without a position', image('2', { ImageOrientationPatient: axial }), 'image-unsupported'],
    ['of another series', slice('2', 1, { SeriesInstanceUID: '1.2.3.2' }), 'several-images'],
    ['shifted, as of a tilted gantry', slice('2', 1, { ImagePositionPatient: [0, 1.3, 1] }), 'image-unsupported'],
  ])('with a slice %s is none', (_, other, because) => {
    expect(refusal([slice('1', 0), other, slice('3', 2)], 'volume')?.[0]).toBe(because);
  });

  it('has two slices at least', () => {
    expect(refusal([slice('1', 0)], 'volume')?.[0]).toBe('no-matching-image');
  });
});
