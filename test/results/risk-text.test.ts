import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandAt } from '../../src/model-catalog/outcome-score.ts';
import { riskText } from '../../src/results/risk-text.ts';
import { scoreLevel } from '../../src/results/score-level.ts';
import { guidelineBands, testOutcomes } from '../support/result-request.ts';

const bands = guidelineBands.levels;

test('RA-2a a risk reads as a percentage and as a frequency that says the same number', () => {
  expect(riskText(0.147)).toBe('14.7 % (147 in 1,000)');
  expect(riskText(0.008)).toBe('0.8 % (8 in 1,000)');
  expect(riskText(0.1472, bands)).toBe('14.7 % (147 in 1,000)');
});

test('a risk below a band edge is never written as the edge', () => {
  expect(riskText(0.0749, bands)).toBe('7.49 % (749 in 10,000)');
  expect(riskText(0.074999, bands)).toBe('7.4999 % (74,999 in 1,000,000)');
  expect(riskText(0.075, bands)).toBe('7.5 % (75 in 1,000)');
  expect(riskText(0.0751, bands)).toBe('7.5 % (75 in 1,000)');
  expect(riskText(0.19999999999999998, bands)).toMatch(/^19\.9+8 % /);
  expect(riskText(0.0749)).toBe('7.5 % (75 in 1,000)');
});

test('a positive risk is never written as 0 %, nor an uncertain one as 100 %', () => {
  expect(riskText(0)).toBe('0.0 % (0 in 1,000)');
  expect(riskText(1)).toBe('100.0 % (1,000 in 1,000)');
  expect(riskText(0.0000004)).toBe('0.00004 % (4 in 10,000,000)');
  expect(riskText(0.99999)).toBe('99.999 % (99,999 in 100,000)');
  expect(riskText(1e-12)).toBe('less than 0.000001 % (fewer than 1 in 100,000,000)');
});

test('for any probability the text names the band of the unrounded number, and both numbers of the text agree', () => {
  const near = bands
    .map(({ from }) => from)
    .flatMap((edge) => [edge, edge - Number.EPSILON / 8, edge + Number.EPSILON]);
  const probability = fc.oneof(
    fc.double({ min: 1e-8, max: 1, noNaN: true }),
    fc.constantFrom(...near.filter((value) => value > 1e-8)),
  );
  fc.assert(
    fc.property(probability, (p) => {
      const match = /^(\d+\.\d+) % \(([\d,]+) in ([\d,]+)\)$/.exec(riskText(p, bands));
      if (match === null) throw new Error(`unreadable: ${riskText(p, bands)}`);
      const [percent, count, of] = match.slice(1).map((numeral) => Number(numeral.replaceAll(',', '')));
      const shown = Number(`${match[1]}e-2`);
      expect(bandAt(bands, shown)).toBe(bandAt(bands, p));
      expect(shown > 0).toBe(p > 0);
      expect(shown < 1).toBe(p < 1);
      expect(Math.abs(shown - p)).toBeLessThanOrEqual(0.0005 + 1e-12);
      expect((count ?? Number.NaN) / (of ?? Number.NaN)).toBeCloseTo((percent ?? Number.NaN) / 100, 12);
    }),
  );
});

test('RA-5 a band holds its lower edge and not its upper one', () => {
  const [outcome] = testOutcomes;
  if (outcome === undefined) throw new Error('no outcome');
  const codes = [0, 0.0499999, 0.05, 0.0749999, 0.075, 0.2, 1].map((p) => scoreLevel(outcome, p)?.code);
  expect(codes).toEqual(['low', 'low', 'borderline', 'borderline', 'intermediate', 'high', 'high']);
});

test('no band is given where none is published, and a gap between bands is an error, not a risk without a band', () => {
  const [outcome, unbanded] = testOutcomes;
  if (outcome === undefined || unbanded === undefined) throw new Error('no outcome');
  expect(scoreLevel(unbanded, 0.1)).toBeUndefined();
  const gap = { ...outcome, bands: { ...guidelineBands, levels: bands.filter(({ code }) => code !== 'borderline') } };
  expect(() => scoreLevel(gap, 0.06)).toThrow(expect.objectContaining({ code: 'RESULT_INVALID' }));
});
