import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { inputRow, score } from '../../src/inference/score.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { byOcclusion, cornerImage, cornerManifest } from '../support/corner-network.ts';
import { readImage } from '../support/image-map.ts';
import { chessboard, goldenOfImages, imageModelFolder, imageRisk, npyBytes } from '../support/image-model.ts';
import type { ModelFolder } from '../support/model-folder.ts';

let engine: InferenceEngine;
beforeAll(() => {
  engine = createOnnxEngine();
});
afterAll(() => engine.close());

/** Why the folder is refused, each finding with its place. */
async function refusalOf(change: (folder: ModelFolder) => Promise<void>, sealed = true): Promise<string> {
  await using folder = await imageModelFolder();
  await change(folder);
  if (sealed) await folder.seal();
  const { refused } = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
  return refused.map(({ error }) => error.message).join('\n');
}

test('a manifest with reports is refused where its map reads no image: there would be no study that they are of', () => {
  const told = (features: object) =>
    checkColumns(cornerManifest(byOcclusion), { features } as unknown as FeatureMap).filter(
      ({ path }) => path === '/report',
    );
  const age = { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' };
  expect(told({ frontal: cornerImage, age })).toEqual([]);
  expect(told({ frontal: age, age })).toMatchObject([{ message: expect.stringContaining('no feature of kind image') }]);
});

describe('a model of an image and a number', () => {
  let folder: ModelFolder;
  let version: LoadedVersion;
  beforeAll(async () => {
    folder = await imageModelFolder();
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(catalog.refused.map(({ error }) => error.message)).toEqual([]);
    version = catalog.find('pce-2013');
  });
  afterAll(async () => {
    await version?.release();
    await folder?.[Symbol.asyncDispose]();
  });

  const featuresOf = (pixels: Float32Array, age: number): Map<string, FeatureValue> => {
    const read = readImage();
    const image = { ...read.image, tensor: pixels, shape: [1, 8, 8] } as NonNullable<typeof read.image>;
    return new Map<string, FeatureValue>([
      ['frontal', { ...read, image }],
      ['age', { state: 'derived', value: age, from: [], sources: [] }],
    ]);
  };

  it('DW-26: is registered with golden cases whose images lie in .npy files, and with blank images', () => {
    const checks = new Map(version.registration.checks.map((check) => [check.id, check]));
    expect(checks.get('golden-cases')).toMatchObject({ outcome: 'passed', count: 2 });
    expect(checks.get('golden-cases-served')).toMatchObject({ outcome: 'passed', count: 2 });
    expect(checks.get('images')).toMatchObject({ outcome: 'passed', count: 2, notes: [] });
  });

  it('scores the very numbers that were read, beside the number, without a copy of the image in its row', async () => {
    const pixels = Float32Array.from(chessboard, (pixel, at) => pixel * (at / 64));
    const row = inputRow(inputColumns(version.manifest), featuresOf(pixels, 63));
    expect(row[0]).toBe(pixels);
    expect(row[1]).toBe(63);
    const { scores } = await score((rows) => version.run(rows), row, version.manifest.outcomes);
    expect(scores.get('finding')).toBeCloseTo(imageRisk(pixels, [8, 8], 63), 6);
  });

  it('has a score of the same bits alone and among others', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => [chessboard.map((pixel) => pixel / (index + 1)), 30 + index]);
    const together = await version.run(rows);
    for (const index of [0, 17, 39])
      expect((await version.run([rows[index] ?? []]))[0]?.[0]).toBe(together[index]?.[0]);
    expect(new Set(together.map(([risk]) => risk)).size).toBe(40);
  });

  it.each([
    ['a pixel that is NaN', chessboard.with(63, Number.NaN), /image of input pixels has NaN as its number 63/],
    ['a pixel that is infinite', chessboard.with(5, Number.POSITIVE_INFINITY), /has Infinity as its number 5/],
    ['pixels beyond each other', chessboard.with(0, -Infinity).with(9, Infinity), /has -Infinity as its number 0/],
    ['one pixel too few', chessboard.slice(1), /has 63 numbers; the model takes 64/],
    ['a number for all pixels', 0.5, /is a number, where the 64 numbers of an image are needed/],
  ])('is not run on %s', async (_, image, reason) => {
    const run = version.run([
      [chessboard, 50],
      [image, 50],
    ]);
    await expect(run).rejects.toMatchObject({ code: 'INFERENCE_FAILED', message: expect.stringMatching(reason) });
    await expect(version.run([[image, 50]])).rejects.toMatchObject({ message: expect.stringMatching(reason) });
  });

  it('explains its numbers by the reference person, whose image is that of the subject', async () => {
    const features = featuresOf(chessboard, 63);
    const explain = createExplainer(version, undefined as never);
    const inputs = inputRow(inputColumns(version.manifest), features);
    const { outcomes } = version.manifest;
    const { contributions } = await explain({ inputs, features, run: (rows) => version.run(rows), outcomes });
    const expected = imageRisk(chessboard, [8, 8], 63) - imageRisk(chessboard, [8, 8], 50);
    expect(contributions).toEqual([{ feature: 'age', outcome: 'finding', difference: expect.closeTo(expected, 6) }]);
  });
});

describe('a folder of an image model is refused', () => {
  const manifestWith = (change: (input: Record<string, unknown>, manifest: never) => void) => (folder: ModelFolder) =>
    folder.edit('manifest.json', (json) => change(json.tensors.inputs[0], json as never));

  it('where the steps end in another shape than that of the input', async () => {
    expect(
      await refusalOf(
        manifestWith((input) => {
          input.shape = [8, 8];
        }),
      ),
    ).toContain('/tensors/inputs/0/shape: is [8, 8], but the steps of frontal end in [1, 8, 8]');
  });

  it.each([
    ['has columns too', { columns: [{ feature: 'age' }] }, 'needs columns, or image for one that an image fills'],
    ['has no shape', { shape: undefined }, 'is needed beside image'],
    ['is of doubles', { type: 'float64' }, 'is float64; an image fills an input of float32'],
    ['takes NaN', { acceptsNaN: true }, 'is not for an image: no pixel is missing on purpose'],
    ['names what is no image', { image: 'age' }, 'is age, which is of kind demographics and no image'],
    ['names nothing', { image: 'lateral' }, 'is lateral, which feature-map.json does not define'],
    [
      'has the image as a column',
      { image: undefined, shape: undefined, columns: [{ feature: 'frontal' }] },
      'takes it whole',
    ],
  ])('whose input %s', async (_, change, reason) => {
    expect(await refusalOf(manifestWith((input) => void Object.assign(input, change)))).toContain(reason);
  });

  it('whose explanation wants shares of an image as if it was a number', async () => {
    const change = manifestWith((_, manifest: { explanation: object }) => {
      manifest.explanation = { method: 'additive', reference: { age: 50 }, because: 'test' };
    });
    expect(await refusalOf(change)).toContain('is additive, which has no share for frontal');
  });

  it.each([
    [
      'is not there',
      (folder: ModelFolder) => folder.remove('golden/dark.npy'),
      'names golden/dark.npy, which is not there',
    ],
    [
      'no case names',
      (folder: ModelFolder) => folder.write('golden/other.npy', npyBytes([1, 8, 8], chessboard)),
      'golden/other.npy: is named by no golden case',
    ],
    [
      'has another shape',
      (folder: ModelFolder) => folder.write('golden/dark.npy', npyBytes([8, 8], chessboard)),
      'has the shape [8, 8], but the steps of the feature end in [1, 8, 8]',
    ],
    [
      'holds NaN',
      (folder: ModelFolder) => folder.write('golden/dark.npy', npyBytes([1, 8, 8], chessboard.with(3, Number.NaN))),
      'has NaN as its number 3',
    ],
    [
      'gives another score',
      (folder: ModelFolder) => folder.write('golden/dark.npy', npyBytes([1, 8, 8], chessboard)),
      'golden case "dark" gives',
    ],
  ])('whose golden image %s', async (_, change, reason) => {
    expect(await refusalOf(change)).toContain(reason);
  });

  it('whose golden image was changed after it was sealed', async () => {
    const change = (folder: ModelFolder) => folder.write('golden/dark.npy', npyBytes([1, 8, 8], chessboard));
    expect(await refusalOf(change, false)).toContain('golden/dark.npy: has a wrong checksum');
  });

  it('whose golden case has a number for the image', async () => {
    const change = (folder: ModelFolder) =>
      folder.write(
        'golden/test.json',
        JSON.stringify({
          ...goldenOfImages,
          cases: goldenOfImages.cases.map((each) => ({ ...each, inputs: { ...each.inputs, frontal: 1 } })),
        }),
      );
    expect(await refusalOf(change)).toContain('names no .npy file, but the feature is an image');
  });
});
