import { expect, test } from 'vitest';
import { joinRows, sliceRows } from '../../src/inference/queue/join-rows.ts';
import type { Tensor, Tensors } from '../../src/model-catalog/tensor.ts';

function numbers(values: number[], dims: number[]): Tensors {
  return new Map([['x', { type: 'float64', dims, data: Float64Array.from(values) }]]);
}

const texts = (data: string[], dims: number[]): Tensors => new Map([['x', { type: 'string', dims, data } as Tensor]]);

test('rows stand one after the other, filled up with the last one', () => {
  const joined = joinRows([numbers([1, 2], [1, 2]), numbers([3, 4, 5, 6], [2, 2])], 5);
  expect(joined.get('x')).toEqual({
    type: 'float64',
    dims: [5, 2],
    data: Float64Array.of(1, 2, 3, 4, 5, 6, 5, 6, 5, 6),
  });
  expect(sliceRows(joined, 1, 3).get('x')).toEqual({
    type: 'float64',
    dims: [2, 2],
    data: Float64Array.of(3, 4, 5, 6),
  });
});

test('texts too', () => {
  expect(joinRows([texts(['a'], [1, 1]), texts(['b'], [1, 1])], 3).get('x')?.data).toEqual(['a', 'b', 'b']);
});

test.each<[string, Tensors, Tensors]>([
  ['a narrower row, whose place the numbers of others would fill', numbers([1, 2], [1, 2]), numbers([7], [1, 1])],
  ['a wider row', numbers([1], [1, 1]), numbers([7, 8], [1, 2])],
  ['another rank', numbers([1, 2], [1, 2]), numbers([7, 8], [2])],
  ['another type', numbers([1], [1, 1]), texts(['a'], [1, 1])],
  ['fewer elements than the shape says', numbers([1, 2], [1, 2]), numbers([7], [1, 2])],
])('refuses %s', (_, first, second) => {
  expect(() => joinRows([first, second], 2)).toThrow(expect.objectContaining({ code: 'INFERENCE_FAILED' }));
});
