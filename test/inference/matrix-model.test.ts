import { describe, expect, test } from 'vitest';
import { matrixRows } from '../../src/inference/matrix-model.ts';
import { rowsFault } from '../../src/inference/row-tensors.ts';
import type { Tensors } from '../../src/model-catalog/tensor.ts';

const model = (type: 'float32' | 'float64', acceptsNaN = false) =>
  ({
    key: 'test@1.0.0',
    inputs: [{ name: 'x', type, columns: 2, acceptsNaN }],
    outputs: [{ name: 'risk', type, columns: 1 }],
  }) as const;

const risks = (values: readonly number[], dims = [values.length, 1]): Tensors =>
  new Map([['risk', { type: 'float64', dims, data: Float64Array.from(values) }]]);

describe('a row that the model is not run on', () => {
  const tie = 2 ** 128 - 2 ** 103;

  test.each([0, -0, 1e-320, 3.4e38, tie, -tie, tie - 2 ** 75, 2 ** 75 - tie, 1e39, Infinity, -Infinity, NaN])(
    'is one whose %d is not finite in the element type',
    (value) => {
      expect(rowsFault(model('float32'), [[1, value]]) === undefined).toBe(Number.isFinite(Math.fround(value)));
      expect(rowsFault(model('float64'), [[1, value]]) === undefined).toBe(Number.isFinite(value));
    },
  );

  test('is told by its place', () => {
    expect(
      rowsFault(model('float32'), [
        [1, 2],
        [1e39, 2],
      ])?.message,
    ).toContain('row 1, column 0 is no finite float32');
    expect(rowsFault(model('float64'), [[1, 2], [3]])?.message).toContain('row 1 has 1 columns; the model takes 2');
  });

  test('is one that lacks a number, also where NaN is taken', () => {
    expect(rowsFault(model('float32', true), [[1, undefined as unknown as number]])).toBeDefined();
  });

  test('may hold NaN where the model takes it, but nothing infinite', () => {
    expect(rowsFault(model('float32', true), [[1, Number.NaN]])).toBeUndefined();
    expect(rowsFault(model('float32', true), [[1, Number.POSITIVE_INFINITY]])).toBeDefined();
  });
});

describe('rows that run together', () => {
  const form = matrixRows(model('float64'));

  test('stand one after the other, filled up with the last one', async () => {
    const joined = await form.join(
      [
        [[1, 2]],
        [
          [3, 4],
          [5, 6],
        ],
      ],
      5,
    );
    expect(joined.get('x')).toEqual({
      type: 'float64',
      dims: [5, 2],
      data: Float64Array.of(1, 2, 3, 4, 5, 6, 5, 6, 5, 6),
    });
  });

  test('are refused where one has another length than it had', () => {
    expect(() => form.join([[[1, 2]], [[3]]], 2)).toThrow(expect.objectContaining({ code: 'INFERENCE_FAILED' }));
    expect(() => form.join([[[1, 2, 3]], [[4, 5]]], 2)).toThrow(expect.objectContaining({ code: 'INFERENCE_FAILED' }));
  });

  test('are answered each with its own', () => {
    expect(form.split(risks([0.1, 0.2, 0.3]), 2, 1)).toEqual([[0.2], [0.3]]);
    expect(form.merge([[[0.1]], [[0.2], [0.3]]], 3)).toEqual([[0.1], [0.2], [0.3]]);
  });

  test.each<[string, Tensors, number | undefined]>([
    ['more rows than were asked for alone', risks([0.1, 0.2]), undefined],
    ['fewer rows than the place of its own', risks([0.1, 0.2]), 2],
    ['another number of columns', risks([0.1, 0.2], [1, 2]), undefined],
    ['no number', risks([Number.NaN]), undefined],
    ['no output of that name', new Map(), undefined],
  ])('are refused where the model gives %s', (_, outputs, from) => {
    expect(() => form.split(outputs, 1, from)).toThrow(expect.objectContaining({ code: 'INFERENCE_FAILED' }));
  });
});
