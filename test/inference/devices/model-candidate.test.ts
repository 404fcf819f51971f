import { describe, expect, test } from 'vitest';
import { modelCandidate } from '../../../src/inference/devices/model-candidate.ts';

const model = {
  key: 'sepsis@1.0.0',
  artefact: Uint8Array.of(),
  inputs: [{ name: 'x', type: 'float32', columns: 2 }],
  outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
} as const;
const shapes = (samples?: number[][]) =>
  modelCandidate({ ...model, ...(samples === undefined ? {} : { samples }) }).feeds.map(
    (feeds) => feeds.get('x')?.dims,
  );

describe('what a model is tried with on a device', () => {
  test('is its first sample alone, for alone it may run by other instructions, and its samples together', () => {
    const samples = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    expect(shapes(samples)).toEqual([
      [1, 2],
      [3, 2],
    ]);
    expect(modelCandidate({ ...model, samples })).toMatchObject({ rows: 3, wanted: ['risk'], acceptsNaN: false });
  });

  test('is a row of ones where it has no samples, and at most 256 rows', () => {
    expect(modelCandidate(model).feeds.map((feeds) => feeds.get('x')?.data)).toEqual([Float32Array.of(1, 1)]);
    expect(shapes(Array.from({ length: 1000 }, () => [0, 0]))).toEqual([
      [1, 2],
      [256, 2],
    ]);
  });

  test('keeps that the model takes NaN, which not every device does', () => {
    const inputs = [{ ...model.inputs[0], acceptsNaN: true }];
    expect(modelCandidate({ ...model, inputs, samples: [[Number.NaN, 1]] })).toMatchObject({
      acceptsNaN: true,
      rows: 1,
    });
    expect(() => modelCandidate({ ...model, samples: [[Number.NaN, 1]] })).toThrow('no finite float32');
  });
});
