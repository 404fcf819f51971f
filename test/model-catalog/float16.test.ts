import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float16OfNumber, numberOfFloat16 } from '../../src/model-catalog/float16.ts';

const isNaN16 = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;

test('each of the 65,536 patterns is the number that gives it back', () => {
  const wrong = Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) =>
    isNaN16(bits) ? !Number.isNaN(numberOfFloat16(bits)) : float16OfNumber(numberOfFloat16(bits)) !== bits,
  );
  expect(wrong).toEqual([]);
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [0.1, 0x2e66],
  [65_504, 0x7bff],
  [65_519.99, 0x7bff],
  [65_520, 0x7c00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.0001, 0x0001],
  [2 ** -14 - 2 ** -26, 0x0400],
  [-0, 0x8000],
  [Number.NaN, 0x7e00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  // Halfway between two: the even one.
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
])('%d has the bits %d', (value, bits) => {
  expect(float16OfNumber(value)).toBe(bits);
});

test('no other pattern is nearer to a number than the one that is given', () => {
  fc.assert(
    fc.property(fc.double({ min: -65_000, max: 65_000, noNaN: true }), (value) => {
      const bits = float16OfNumber(value);
      const distance = Math.abs(numberOfFloat16(bits) - value);
      for (const other of [bits - 1, bits + 1].filter((near) => near >= 0 && near <= 0xffff && !isNaN16(near))) {
        expect(distance).toBeLessThanOrEqual(Math.abs(numberOfFloat16(other) - value));
      }
    }),
  );
});
