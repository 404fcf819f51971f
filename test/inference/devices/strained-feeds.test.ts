import { describe, expect, test } from 'vitest';
import { inventedNumbers } from '../../../src/inference/devices/compare-tensors.ts';
import { strainedFeeds } from '../../../src/inference/devices/strained-feeds.ts';
import type { Tensor } from '../../../src/model-catalog/tensor.ts';

describe('feeds under strain', () => {
  test('are zero, negated, tenfold and both, in every floating-point type; the rest stays', () => {
    const classes: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 2n) };
    const strained = strainedFeeds(
      new Map<string, Tensor>([
        ['single', { type: 'float32', dims: [2], data: Float32Array.of(1.5, -2) }],
        ['double', { type: 'float64', dims: [1], data: Float64Array.of(0.1) }],
        ['half', { type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) }],
        ['classes', classes],
      ]),
    );
    const values = (name: string) => strained.map((feeds) => [...(feeds.get(name)?.data ?? [])].map(Number));
    expect(values('single')).toEqual([
      [0, 0],
      [-1.5, 2],
      [15, -20],
      [-15, 20],
    ]);
    expect(values('double')).toEqual([[0], [-0.1], [1], [-1]]);
    expect(values('half')).toEqual([[0], [0xbc00], [0x4900], [0xc900]]); // 0, −1, 10, −10
    for (const feeds of strained) expect(feeds.get('classes')).toBe(classes);
  });
});

describe('an output that is a number where there is none', () => {
  const output = (...values: number[]) =>
    new Map<string, Tensor>([['y', { type: 'float32', dims: [values.length], data: Float32Array.from(values) }]]);

  test.each([
    ['NaN became 0', [Number.NaN], [0], ['y']],
    ['infinity became a number', [Number.POSITIVE_INFINITY, 1], [3e38, 1], ['y']],
    ['NaN became infinity, which is refused as NaN is', [Number.NaN], [Number.POSITIVE_INFINITY], []],
    ['a number became NaN, which is refused', [1], [Number.NaN], []],
    ['numbers differ', [1, 2], [3, 4], []],
  ])('%s', (_, cpu, device, invented) => {
    expect(inventedNumbers(output(...cpu), output(...device))).toEqual(invented);
  });
});
