import { describe, expect, test } from 'vitest';
import { compareTensors, deviceTolerance } from '../../../src/inference/devices/compare-tensors.ts';
import type { Tensor, Tensors } from '../../../src/model-catalog/tensor.ts';

const floats = (...values: number[]): Tensors =>
  new Map([['risk', { type: 'float64', dims: [values.length], data: Float64Array.from(values) }]]);
const of = (tensor: Tensor): Tensors => new Map([['y', tensor]]);

describe('numbers of a device', () => {
  test('may lie 1e-4 and a thousandth of the number from those of the CPU', () => {
    expect(deviceTolerance).toEqual({ absolute: 1e-4, relative: 1e-3 });
    expect(compareTensors(floats(0.5, 0), floats(0.5005, 0.0001)).faults).toEqual([]);
    expect(compareTensors(floats(1000), floats(1001)).faults).toEqual([]);
  });

  test.each([
    ['a probability', 0.5, 0.5007],
    ['a small one', 0, 0.00011],
    ['a large number', 1000, 1001.1],
    ['the sign', 0.5, -0.5],
  ])('are wrong beyond: %s', (_, cpu, device) => {
    expect(compareTensors(floats(0.2, cpu), floats(0.2, device)).faults).toEqual([
      expect.stringMatching(/^output risk differs by [\d.e-]+$/),
    ]);
  });

  test('have their largest difference told, within the tolerance too', () => {
    expect(compareTensors(floats(0.5, 0.25, 1), floats(0.5, 0.250_05, 1)).maxDifference).toBeCloseTo(5e-5, 12);
    expect(compareTensors(floats(0.5), floats(0.5))).toEqual({ maxDifference: 0, faults: [] });
  });

  test('that are the same infinity or NaN on both are the same', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
    expect(compareTensors(floats(...values), floats(...values))).toEqual({ maxDifference: 0, faults: [] });
  });

  test.each([
    ['NaN for a number', 1, Number.NaN],
    ['a number for NaN', Number.NaN, 1],
    ['infinity for a number', 1, Number.POSITIVE_INFINITY],
    ['the other infinity', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('are wrong where one is %s', (_, cpu, device) => {
    expect(compareTensors(floats(cpu), floats(device)).faults).toEqual([
      'output risk is not finite on one of the two alone',
    ]);
  });

  test('of half precision are compared as numbers, not as bits', () => {
    const half = (...bits: number[]): Tensors =>
      of({ type: 'float16', dims: [bits.length], data: Uint16Array.from(bits) });
    // 1 and the next number above it; 0 and −0; 1 and 2.
    expect(compareTensors(half(0x3c00, 0x0000), half(0x3c01, 0x8000))).toEqual({ maxDifference: 2 ** -10, faults: [] });
    expect(compareTensors(half(0x3c00), half(0x4000)).faults).toEqual(['output y differs by 1.00']);
  });
});

describe('classes, truths and texts of a device', () => {
  test.each<[string, Tensor, Tensor]>([
    [
      'another class',
      { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 0n) },
      { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 1n) },
    ],
    [
      'another truth',
      { type: 'bool', dims: [1], data: Uint8Array.of(1) },
      { type: 'bool', dims: [1], data: Uint8Array.of(0) },
    ],
    ['another text', { type: 'string', dims: [1], data: ['low'] }, { type: 'string', dims: [1], data: ['high'] }],
  ])('have no tolerance: %s', (_, cpu, device) => {
    expect(compareTensors(of(cpu), of(cpu)).faults).toEqual([]);
    expect(compareTensors(of(cpu), of(device)).faults).toEqual([`output y (${cpu.type}) is not the same`]);
  });
});

describe('an output of a device that cannot be compared', () => {
  test.each<[string, Tensors]>([
    ['is missing', new Map()],
    ['has another shape', of({ type: 'float32', dims: [2, 1], data: Float32Array.of(1, 2) })],
    ['has fewer rows', of({ type: 'float32', dims: [1], data: Float32Array.of(1) })],
    ['has another type', of({ type: 'float64', dims: [2], data: Float64Array.of(1, 2) })],
  ])('%s, and is a fault', (_, actual) => {
    const expected = of({ type: 'float32', dims: [2], data: Float32Array.of(1, 2) });
    expect(compareTensors(expected, actual).faults).toEqual(['output y has another type or shape']);
  });
});
