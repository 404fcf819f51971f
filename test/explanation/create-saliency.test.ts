import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSaliency } from '../../src/explanation/create-saliency.ts';
import type { SaliencyMap } from '../../src/explanation/saliency-map.ts';
import type { InferenceEngine, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { score } from '../../src/inference/score.ts';
import { goldenRow } from '../../src/model-catalog/golden-cases.ts';
import type { ModelRow, RunRows } from '../../src/model-catalog/model-row.ts';
import { engineForms } from '../../src/model-catalog/model-tensors.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import type { Saliency } from '../../src/model-catalog/saliency-schema.ts';
import { byOcclusion, cornerImage, cornerManifest, cornerNetwork } from '../support/corner-network.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { shippedModel } from '../support/shipped-model.ts';

let engine: InferenceEngine;
let model: Pick<LoadedModel, 'run'>;
beforeAll(async () => {
  engine = createOnnxEngine();
  const artefact = onnxBytes(cornerNetwork);
  model = await engine.load({ key: 'corner@1.0.0', artefact, ...engineForms(cornerManifest(byOcclusion)) });
});
afterAll(() => engine.close());

const bright = new Float32Array(64).fill(0.5);
const row: ModelRow = [bright, 50];

/** The maps of a subject, with what the network itself says of it. */
async function mapsOf(saliency: Saliency, run: RunRows = (rows) => model.run(rows)): Promise<readonly SaliencyMap[]> {
  const manifest = cornerManifest(saliency);
  const method = createSaliency({ manifest, featureMap: { features: { frontal: cornerImage } } });
  if (method === undefined) throw new Error('the manifest declares no saliency');
  const { outcomes } = manifest;
  return await method.mapsOf({ inputs: row, run, outcomes, ...(await score(run, row, outcomes)) });
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Mean row and column, of so many places that hold the greatest numbers. */
function centreOf(numbers: readonly number[], width: number, count: number): readonly [number, number] {
  const places = numbers
    .map((number, at) => ({ number, row: Math.floor(at / width), column: at % width }))
    .toSorted((one, other) => other.number - one.number)
    .slice(0, count);
  const mean = (axis: 'row' | 'column') => places.reduce((sum, place) => sum + place[axis], 0) / count;
  return [mean('row'), mean('column')];
}

test('the shipped network of drawn pictures is moved most where a box was drawn, its brightest part', async () => {
  const version = await shippedModel('chest-phantom');
  const { manifest, artefact, key } = version;
  const network = await engine.load({ key, artefact, ...engineForms(manifest) });
  const golden = version.goldenCases.find(({ name }) => name === 'box');
  if (golden === undefined) throw new Error('there is no case of a box');
  const inputs = goldenRow(golden, manifest, version.featureMap);
  const { outcomes } = manifest;
  const asked = { inputs, run: network.run, outcomes, ...(await score(network.run, inputs, outcomes)) };
  const [map] = (await createSaliency(version)?.mapsOf(asked)) ?? [];
  await network.release();
  const gray = [...(inputs[0] as Float32Array)].filter((_, at) => at % 3 === 0);
  const box = centreOf(gray, 100, 50);
  const [row, column] = centreOf([...(map?.values ?? [])], 9, 1);
  expect([map?.rows.length, map?.columns.length]).toEqual([9, 9]);
  expect(Math.abs((map?.rows[row] ?? 0) - box[0])).toBeLessThanOrEqual(10);
  expect(Math.abs((map?.columns[column] ?? 0) - box[1])).toBeLessThanOrEqual(10);
});

describe('where an image moved a score', () => {
  test('by occlusion it is the fall of the probability for each patch, and exactly 0 where the network does not look', async () => {
    const [map] = await mapsOf(byOcclusion);
    expect(map).toMatchObject({ outcome: 'finding', rows: [1, 3, 5, 7], columns: [1, 3, 5, 7] });
    // Four of the sixteen pixels of the corner are 0 in place of 0.5.
    const fall = sigmoid(4 * 0.5 + 1 - 2) - sigmoid(4 * 0.375 + 1 - 2);
    const values = [...(map?.values ?? [])];
    for (const [index, value] of values.entries()) {
      const isCorner = Math.floor(index / 4) < 2 && index % 4 < 2;
      if (isCorner) expect(value).toBeCloseTo(fall, 6);
      else expect(value).toBe(0);
    }
    expect(values).toHaveLength(16);
  });

  test('by occlusion with the mean of an even image nothing changes anywhere', async () => {
    const [map] = await mapsOf({ ...byOcclusion, baseline: 'mean' });
    expect([...(map?.values ?? [])].every((value) => value === 0)).toBe(true);
  });

  test('by occlusion it is the same bits each time, and the image of the subject is left as it is', async () => {
    const one = await mapsOf(byOcclusion);
    expect(await mapsOf(byOcclusion)).toEqual(one);
    expect([...bright].every((value) => value === 0.5)).toBe(true);
  });

  test('by occlusion overlapping patches reach both edges', async () => {
    const [map] = await mapsOf({ ...byOcclusion, patch: [3, 5], stride: [2, 2] });
    expect(map?.rows).toEqual([1.5, 3.5, 4.5, 6.5]);
    expect(map?.columns).toEqual([2.5, 4.5, 5.5]);
  });

  test('by occlusion the patches go through all channels of an image whose channels stand last', async () => {
    const shape = [2, 2, 3];
    const preprocess: typeof cornerImage.preprocess = [{ step: 'channels', as: 'gray-to-3', place: 'last' }];
    const manifest = cornerManifest({ ...byOcclusion, patch: [1, 1], stride: [1, 1], baseline: 'mean' });
    const method = createSaliency({
      manifest: {
        ...manifest,
        tensors: { ...manifest.tensors, inputs: [{ name: 'x', type: 'float32', shape, image: 'frontal' }] },
      },
      featureMap: { features: { frontal: { ...cornerImage, preprocess } } },
    });
    const asked: number[][] = [];
    const run: RunRows = async (rows) => {
      asked.push(...rows.map(([image]) => [...(image as Float32Array)]));
      return rows.map(() => [0.5]);
    };
    const inputs = [Float32Array.of(0, 10, 100, 2, 10, 100, 4, 10, 100, 6, 50, 100)];
    await method?.mapsOf({
      inputs,
      run,
      outcomes: manifest.outcomes,
      scores: new Map([['finding', 0.5]]),
      details: new Map(),
      output: [0.5],
    });
    expect(asked[1]).toEqual([3, 20, 100, 2, 10, 100, 4, 10, 100, 6, 50, 100]);
    expect(asked[4]).toEqual([0, 10, 100, 2, 10, 100, 4, 10, 100, 3, 20, 100]);
    expect(asked).toHaveLength(5);
  });

  test('by activation it is the map that the graph gives, in the very run of the score', async () => {
    const rows: number[] = [];
    const run: RunRows = (asked) => {
      rows.push(asked.length);
      return model.run(asked);
    };
    const [map] = await mapsOf(
      { feature: 'frontal', by: 'activation', output: 'quarters', grid: [2, 2], most: 1 },
      run,
    );
    expect(map).toMatchObject({ rows: [2, 6], columns: [2, 6] });
    expect([...(map?.values ?? [])]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(rows).toEqual([1]);
  });

  test('by activation it is the map of the class that was said, where there is one for each', async () => {
    const manifest = cornerManifest({ feature: 'frontal', by: 'activation', output: 'maps', grid: [1, 2], most: 1 });
    const outcome: Outcome = {
      id: 'drawn',
      kind: 'class',
      label: 'Drawn',
      coding: [{ system: 'https://example.org/codes', code: 'drawn' }],
      classes: [
        { number: 7, column: 0, code: 'nothing', display: 'nothing' },
        { number: 8, column: 1, code: 'box', display: 'a box' },
      ],
    };
    const outputs = [
      { name: 'probabilities', type: 'float32', columns: 2 },
      { name: 'maps', type: 'float32', columns: 4 },
    ] as const;
    const method = createSaliency({
      manifest: { ...manifest, outcomes: [outcome], tensors: { ...manifest.tensors, outputs: [...outputs] } },
      featureMap: { features: { frontal: cornerImage } },
    });
    const run: RunRows = async (rows) => rows.map(() => [0.25, 0.75, 1, 2, 3, 4]);
    const outcomes = [outcome];
    const [map] = (await method?.mapsOf({ inputs: row, run, outcomes, ...(await score(run, row, outcomes)) })) ?? [];
    expect(map).toMatchObject({ outcome: 'drawn', rows: [4], columns: [2, 6] });
    expect([...(map?.values ?? [])]).toEqual([3, 4]);
  });

  test('of a class it is the probability of the class that was said, though another one is said without the patch', async () => {
    const manifest = cornerManifest(byOcclusion);
    const drawn: Outcome = {
      id: 'drawn',
      kind: 'class',
      label: 'Drawn',
      coding: [{ system: 'https://example.org/codes', code: 'drawn' }],
      classes: [
        { number: 7, column: 0, code: 'nothing', display: 'nothing' },
        { number: 8, column: 1, code: 'box', display: 'a box' },
      ],
    };
    const method = createSaliency({ manifest, featureMap: { features: { frontal: cornerImage } } });
    const run: RunRows = async (rows) =>
      rows.map(([image]) => ((image as Float32Array)[0] === 0 ? [0.75, 0.25] : [0.125, 0.875]));
    const outcomes = [drawn];
    const [map] = (await method?.mapsOf({ inputs: row, run, outcomes, ...(await score(run, row, outcomes)) })) ?? [];
    expect(map?.outcome).toBe('drawn');
    expect([...(map?.values ?? [])]).toEqual([0.625, ...Array.from({ length: 15 }, () => 0)]);
  });
});
