import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainNumber } from '../../src/fhir/plain-number.ts';
import { shiftDecimal, toPercent } from '../../src/results/percent.ts';

test('RA-2 a fraction becomes a percentage digit by digit, without the noise of a multiplication', () => {
  expect(toPercent(0.147)).toBe(14.7);
  expect(toPercent(0.07)).toBe(7);
  expect(toPercent(0.29)).toBe(29);
  expect(toPercent(0.075)).toBe(7.5);
  expect(toPercent(0)).toBe(0);
  expect(toPercent(1)).toBe(100);
  expect(toPercent(1e-7)).toBe(0.00001);
  expect(toPercent(-0.053)).toBe(-5.3);
});

test('shiftDecimal moves the point either way and writes no exponent', () => {
  expect(shiftDecimal('1e-7', 2)).toBe('0.00001');
  expect(shiftDecimal('1.5e-10', 2)).toBe('0.000000015');
  expect(shiftDecimal('1.5e+21', -2)).toBe('15000000000000000000');
  expect(shiftDecimal('7.5', -2)).toBe('0.075');
  expect(shiftDecimal('100.0', -2)).toBe('1');
  expect(shiftDecimal('0.0', -2)).toBe('0');
  expect(shiftDecimal('14.70', 2)).toBe('1470');
});

test('shifting there and back gives the same number for any probability', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (fraction) => {
      const percent = shiftDecimal(String(fraction), 2);
      expect(percent).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      expect(Number(shiftDecimal(percent, -2))).toBe(fraction);
      expect(toPercent(fraction)).toBeGreaterThanOrEqual(0);
      expect(toPercent(fraction)).toBeLessThanOrEqual(100);
    }),
  );
});

test('a number that JSON writes with an exponent, or cannot write at all, is not plain', () => {
  expect([1e-7, 1e21, Number.NaN, Number.POSITIVE_INFINITY].map(isPlainNumber)).toEqual([false, false, false, false]);
  expect([0, 0.000001, 14.7, -3].map(isPlainNumber)).toEqual([true, true, true, true]);
});
