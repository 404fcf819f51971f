import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import type { ImageStep } from '../../../src/model-catalog/image-preprocess-schema.ts';
import { frameOf, gray, tensorOf } from '../support/frames.ts';

const first = { form: { photometricInterpretation: 'MONOCHROME1' } };
const whole: ImageStep = { step: 'window', center: 50, width: 100, function: 'LINEAR_EXACT' };
const own: ImageStep = { step: 'window', from: 'image' };
const rgb: ImageStep = { step: 'channels', as: 'rgb', place: 'last' };
const colours = { form: { photometricInterpretation: 'RGB', samplesPerPixel: 3 as const, bitsStored: 8 } };

function faultOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ImageFault) return `${error.because}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('the presentation of an image', () => {
  it('DW-23: an image whose lowest value is white is turned over after its window, not before', () => {
    const values = [[0, 20, 60, 300]];
    expect([...tensorOf([frameOf(values, first)], [whole, gray]).tensor]).toEqual([1, 0.8, 0.4, 0].map(Math.fround));
  });

  it('DW-23: a change of units before the window leaves the window where it is', () => {
    const halved: ImageStep = { step: 'rescale', from: [0, 2], to: [0, 1], clip: false };
    const twice: ImageStep = { step: 'window', center: 25, width: 50, function: 'LINEAR_EXACT' };
    const plain = tensorOf([frameOf([[0, 20, 60, 300]], first)], [whole, gray]);
    expect(tensorOf([frameOf([[0, 20, 60, 300]], first)], [halved, twice, gray]).tensor).toEqual(plain.tensor);
  });

  it('DW-23: an image that has to be turned over, where nothing says about what, is refused', () => {
    expect(faultOf(() => tensorOf([frameOf([[1, 2]], first)], [gray]))).toMatch(/^image-unsupported: .*MONOCHROME1/);
  });

  it('DW-23: MONOCHROME1 that says IDENTITY contradicts itself and is refused', () => {
    const frame = frameOf([[1, 2]], { ...first, presentationLutShape: 'IDENTITY' });
    expect(faultOf(() => tensorOf([frame], [whole, gray]))).toMatch(/IDENTITY: which end is white cannot be told/);
  });

  it('DW-23: what is put around an image before it is turned over would be turned over too, and is refused', () => {
    const pad: ImageStep = { step: 'pad', size: [3, 4], value: 0, at: 'centre' };
    expect(faultOf(() => tensorOf([frameOf([[1, 2]], first)], [pad, whole, gray]))).toMatch(/pad after the window/);
    expect(tensorOf([frameOf([[100, 0]], first)], [whole, pad, gray]).tensor[5]).toBe(0);
  });
});

describe('the window of an image', () => {
  it('DW-22: one that states none is refused where the map takes it from there', () => {
    expect(faultOf(() => tensorOf([frameOf([[1, 2]])], [own, gray]))).toMatch(/states none/);
  });

  it('DW-22: a width that no function takes is refused, and not made one', () => {
    for (const [width, voi] of [
      [0, 'LINEAR'],
      [0.5, 'LINEAR'],
      [0, 'LINEAR_EXACT'],
      [-4, 'SIGMOID'],
    ] as const) {
      const frame = frameOf([[1, 2]], { windows: [{ center: 1, width, function: voi }] });
      expect(faultOf(() => tensorOf([frame], [own, gray]))).toMatch(/^image-unsupported: Window Width is/);
    }
  });

  it('DW-22: is open at its lower end and closed at its upper one, at both exactly', () => {
    const frame = frameOf([[-1, 0, 1, 2, 3]], { windows: [{ center: 1.5, width: 3, function: 'LINEAR' }] });
    expect([...tensorOf([frame], [own, gray]).tensor]).toEqual([0, 0, 0.5, 1, 1]);
  });

  it('DW-24: of frames that state different ones belongs to each, and to none once they are mixed', () => {
    const frames = [10, 20].map((width) =>
      frameOf([[5]], { windows: [{ center: 5, width, function: 'LINEAR_EXACT' }] }),
    );
    const mixed: ImageStep = { step: 'resample', size: [1, 1, 1], method: 'area', antialias: false };
    expect(tensorOf(frames, [own, mixed, gray]).tensor).toEqual(Float32Array.of(0.5));
    expect(faultOf(() => tensorOf(frames, [mixed, own, gray]))).toMatch(/state different windows/);
  });
});

describe('padding', () => {
  const padded = { form: { paddingValue: { from: -2000, to: -1000 } } };

  it('DW-24: becomes black whichever end is white', () => {
    const values = [[-2000, -1000, 0, 100]];
    expect([...tensorOf([frameOf(values, padded)], [whole, gray]).tensor]).toEqual([0, 0, 0, 1]);
    const turned = { form: { ...padded.form, ...first.form } };
    expect([...tensorOf([frameOf(values, turned)], [whole, gray]).tensor]).toEqual([0, 0, 1, 0]);
  });

  it('DW-24: takes no part in what is made of its neighbours', () => {
    const half: ImageStep = { step: 'resample', size: [1, 2], method: 'area', antialias: false };
    expect([...tensorOf([frameOf([[-2000, 60, -1500, -1200]], padded)], [half, whole, gray]).tensor]).toEqual([
      Math.fround(0.6),
      0,
    ]);
  });

  it('DW-24: is refused where no step says what it is worth', () => {
    expect(faultOf(() => tensorOf([frameOf([[-2000, 60]], padded)], [gray]))).toMatch(/padding \(0028,0120\)/);
    expect(faultOf(() => tensorOf([frameOf([[2000, 60]], padded)], [gray]))).toBe('none');
  });
});

describe('colours', () => {
  it('of an image are refused where gray is declared and nothing says how they become that', () => {
    expect(faultOf(() => tensorOf([frameOf([[255, 0, 0]], colours)], [gray]))).toMatch(/"colour": "luma"/);
  });

  it('are not made up for a gray image', () => {
    expect(faultOf(() => tensorOf([frameOf([[5]])], [rgb]))).toMatch(/is gray; the feature map declares colours/);
  });

  it('DW-22: have no window of the image', () => {
    const frame = frameOf([[255, 0, 0]], { ...colours, windows: [{ center: 1, width: 2, function: 'LINEAR' }] });
    expect(faultOf(() => tensorOf([frame], [own, rgb]))).toMatch(/has colours, and no window/);
  });
});

describe('slices', () => {
  const at = (z: number) => ({
    spacingMm: [1, 1] as const,
    position: [0, 0, z] as const,
    orientation: [1, 0, 0, 0, 1, 0] as const,
  });
  const spaced: ImageStep = { step: 'resample', spacingMm: [2, 1, 1], method: 'linear', antialias: false };
  const volume = (...zs: number[]) => zs.map((z) => frameOf([[z, z]], at(z)));

  it('DW-24: lie as far apart as their positions say, whatever their thickness is', () => {
    const frames = volume(0, 1, 2, 3).map((frame) => ({
      ...frame,
      attributes: { ...frame.attributes, sliceThicknessMm: 5 },
    }));
    const { tensor, shape } = tensorOf(frames, [spaced, gray], 'volume');
    expect(shape).toEqual([2, 1, 2]);
    expect([...tensor]).toEqual([0.5, 0.5, 2.5, 2.5]);
  });

  it('DW-24: that do not lie at one distance, or do not say where, are refused', () => {
    expect(faultOf(() => tensorOf(volume(0, 1, 3), [spaced, gray], 'volume'))).toMatch(/one distance/);
    expect(faultOf(() => tensorOf(volume(0, 0), [spaced, gray], 'volume'))).toMatch(/one distance/);
    const nowhere = [0, 1].map(() => frameOf([[1]], { spacingMm: [1, 1] }));
    expect(faultOf(() => tensorOf(nowhere, [spaced, gray], 'volume'))).toMatch(/position or orientation/);
  });

  it('of different sizes are refused, as are several where one image is taken', () => {
    expect(faultOf(() => tensorOf([frameOf([[1]]), frameOf([[1, 2]])], [gray]))).toMatch(/differ in rows/);
    expect(faultOf(() => tensorOf([frameOf([[1]]), frameOf([[1]])], [gray], 'one-image'))).toMatch(/has 2 frames/);
  });

  it('without a spacing of pixels, or with that of a detector alone, are not resampled to one', () => {
    const flat: ImageStep = { step: 'resample', spacingMm: [1, 1], method: 'linear', antialias: false };
    expect(faultOf(() => tensorOf([frameOf([[1]], { imagerSpacingMm: [1, 1] })], [flat, gray]))).toMatch(
      /Pixel Spacing/,
    );
  });

  it('that a spacing would make larger than can be held are refused before they are made', () => {
    const fine: ImageStep = { step: 'resample', spacingMm: [0.0001, 1], method: 'linear', antialias: false };
    expect(faultOf(() => tensorOf([frameOf([[1]], at(0))], [fine, gray]))).toMatch(/^image-too-large/);
  });
});

describe('resampling', () => {
  it('by nearest takes the later of two pixels where the middle lies between them, however many there are', () => {
    const half: ImageStep = { step: 'resample', size: [1, 500], method: 'nearest', antialias: false };
    const values = Array.from({ length: 1000 }, (_, at) => at);
    const expected = Float32Array.from({ length: 500 }, (_, at) => 2 * at + 1);
    expect(tensorOf([frameOf([values])], [half, gray]).tensor).toEqual(expected);
  });

  it('of an even image gives that image, by every method, to every size', () => {
    const size = fc.integer({ min: 1, max: 40 });
    const method = fc.constantFrom('nearest', 'linear', 'cubic', 'area');
    fc.assert(
      fc.property(size, size, size, method, fc.boolean(), (columns, to, rows, by, antialias) => {
        const frame = frameOf(Array.from({ length: rows }, () => Array.from({ length: columns }, () => 7)));
        const { tensor } = tensorOf([frame], [{ step: 'resample', size: [to, to], method: by, antialias }, gray]);
        expect(tensor.every((value) => Math.abs(value - 7) < 1e-6)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a preview', () => {
  it('shows where a pixel of it lies in the tensor, through every step that moves it', () => {
    const steps: ImageStep[] = [
      { step: 'window', center: 50, width: 100, function: 'LINEAR_EXACT' },
      { step: 'pad', size: [24, 24], value: 0, at: 'centre' },
      { step: 'resample', size: [48, 36], method: 'area', antialias: false },
      { step: 'crop', size: [40, 30], at: 'centre' },
      gray,
    ];
    const place = fc.integer({ min: 4, max: 15 });
    fc.assert(
      fc.property(place, place, (row, column) => {
        const values = Array.from({ length: 20 }, (_, r) =>
          Array.from({ length: 20 }, (_, c) => (r === row && c === column ? 100 : 0)),
        );
        const { tensor, shape, preview } = tensorOf([frameOf(values)], steps);
        expect(preview.data[row * 20 + column]).toBe(255);
        const [, columns = 0] = shape;
        const brightest = tensor.indexOf(Math.max(...tensor));
        const { rows: onRows, columns: onColumns } = preview.toTensor;
        // The brightest place of the tensor lies within what the pixel became.
        const within = (at: number, pixel: number, { scale, offset }: typeof onRows) =>
          at + 1 > pixel * scale + offset - 1e-9 && at < (pixel + 1) * scale + offset + 1e-9;
        expect(within(Math.floor(brightest / columns), row, onRows)).toBe(true);
        expect(within(brightest % columns, column, onColumns)).toBe(true);
      }),
    );
  });

  it('is as small as a screen needs, black where the image is padded, and turned over as a reader sees it', () => {
    const values = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 2500 }, (_, column) => (column < 1250 ? -5 : row * 10)),
    );
    const form = { paddingValue: { from: -5, to: -5 }, photometricInterpretation: 'MONOCHROME1' };
    const { preview } = tensorOf([frameOf(values, { form })], [whole, gray]);
    expect([preview.rows, preview.columns]).toEqual([2, 1024]);
    expect([preview.data[0], preview.data[1023], preview.data[2047]]).toEqual([0, 242, 191]);
    expect(preview.toTensor.columns.scale).toBeCloseTo(2500 / 1024);
  });

  it('of several slices is that in the middle', () => {
    const { preview } = tensorOf(
      [0, 50, 100].map((value) => frameOf([[value]])),
      [whole, gray],
    );
    expect(preview).toMatchObject({ frame: 1, rows: 1, columns: 1, toTensor: { slices: { scale: 1, offset: 0 } } });
    expect([...preview.data]).toEqual([128]);
  });

  it('of an image that no step shows is from its least to its greatest value', () => {
    expect([...tensorOf([frameOf([[-40, 10, 60]])], [gray]).preview.data]).toEqual([0, 128, 255]);
  });
});

describe('a picture of an image whose values are changed before its window', () => {
  const window: ImageStep = { step: 'window', center: 0.5, width: 1, function: 'LINEAR_EXACT' };
  const changed: [string, ImageStep][] = [
    ['rescaled', { step: 'rescale', from: [0, 1000], to: [0, 1], clip: true }],
    ['normalised', { step: 'normalise', mean: [0], std: [1000] }],
  ];
  const windows = [{ center: 500, width: 1000, function: 'LINEAR_EXACT' as const }];

  it.each(changed)('is neither all white nor all black where they are %s', (_, before) => {
    const values = [[0, 250, 500, 2000]];
    const shown = (frame: ReturnType<typeof frameOf>) => [...tensorOf([frame], [before, window, gray]).preview.data];
    expect(shown(frameOf(values))).toEqual([0, 32, 64, 255]);
    expect(shown(frameOf(values, { windows }))).toEqual([0, 64, 128, 255]);
    expect(shown(frameOf(values, { ...first, windows }))).toEqual([255, 191, 128, 0]);
  });
});

describe('a tensor', () => {
  it('has its channels where they are put', () => {
    const three = (place: 'first' | 'last'): ImageStep => ({ step: 'channels', as: 'gray-to-3', place });
    expect(tensorOf([frameOf([[1, 2]])], [three('first')])).toMatchObject({
      shape: [3, 1, 2],
      tensor: Float32Array.of(1, 2, 1, 2, 1, 2),
    });
    expect(tensorOf([frameOf([[1, 2]])], [three('last')])).toMatchObject({
      shape: [1, 2, 3],
      tensor: Float32Array.of(1, 1, 1, 2, 2, 2),
    });
  });

  it('never holds what is no number of 32 bits', () => {
    const vast: ImageStep = { step: 'rescale', from: [0, 1], to: [0, 1e300], clip: false };
    expect(faultOf(() => tensorOf([frameOf([[1]])], [vast, gray]))).toMatch(/no finite number of 32 bits/);
  });

  it('DW-25: has the values of each slice by its own slope', () => {
    const slices = [0.5, 3].map((slope) => frameOf([[10]], { modalityLut: { kind: 'rescale', slope, intercept: 1 } }));
    expect([...tensorOf(slices, [gray]).tensor]).toEqual([6, 31]);
  });
});
