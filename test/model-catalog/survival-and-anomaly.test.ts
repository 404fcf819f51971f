import { describe, expect, test } from 'vitest';
import { checkPostProcessing } from '../../src/model-catalog/check-post-processing.ts';
import { levelAt, outcomeScore, readScore } from '../../src/model-catalog/outcome-score.ts';
import { scoreDetail } from '../../src/model-catalog/score-detail.ts';
import { anomaly, survival } from '../support/outcomes-of-each-kind.ts';

describe('a survival curve', () => {
  test('gives the risk 1 - S(t) at its horizon as the score, and all points beside it', () => {
    const row = [0.9375, 0.75, 0.5];
    expect(outcomeScore(survival, row)).toBe(0.25);
    expect(scoreDetail(survival, row)).toEqual({
      curve: [
        { at: 'P1Y', risk: 0.0625 },
        { at: 'P2Y', risk: 0.25 },
        { at: 'P5Y', risk: 0.5 },
      ],
    });
  });

  test('of cumulative incidences is taken as it is, and may stand still', () => {
    const incidence = { ...survival, columns: 'cumulative-incidence' as const };
    expect(outcomeScore(incidence, [0.1, 0.1, 0.3])).toBe(0.1);
  });

  test.each([
    [[0.9, 0.95, 0.5], 'no curve of an event: the risk falls at P2Y'],
    [[0.9, 0.8, 0.8000001], 'no curve of an event: the risk falls at P5Y'],
    [[0.9, 1.1, 0.5], 'not a probability from 0 to 1 at P2Y'],
    [[0.9, 0.8, -0.1], 'not a probability from 0 to 1 at P5Y'],
    [[0.9, 0.8], 'not a probability from 0 to 1 at P5Y'],
    [[0.9, Number.NaN, 0.1], 'not a probability from 0 to 1 at P2Y'],
  ])('is refused whole, not sorted or cut, where it is %j', (row, why) => {
    expect(readScore(survival, row)).toBe(why);
    expect(scoreDetail(survival, row)).toBeUndefined();
  });

  test.each<[object, string]>([
    [{ horizon: 'P3Y' }, '/horizon is P3Y, which is none of its times: P1Y, P2Y, P5Y'],
    [
      {
        times: [
          { at: 'P2Y', column: 0 },
          { at: 'P1Y', column: 1 },
        ],
      },
      '/times/1/at is P1Y, which is not surely later than P2Y',
    ],
    [
      {
        times: [
          { at: 'P1M', column: 0 },
          { at: 'P30D', column: 1 },
          { at: 'P2Y', column: 2 },
        ],
      },
      '/times/1/at is P30D, which is not surely later than P1M',
    ],
  ])('is refused at load with %j', (change, says) => {
    const found: string[] = [];
    checkPostProcessing({ ...survival, ...change }, (path, message) => found.push(`${path} ${message}`));
    expect(found).toEqual([says]);
  });
});

describe('an anomaly', () => {
  test('may be larger than 1, and is called by its side of the threshold, which counts as unusual', () => {
    expect(outcomeScore(anomaly, [120.5])).toBe(120.5);
    expect([0, 3.4999, 3.5, 1e9].map((score) => levelAt(anomaly, score)?.code)).toEqual([
      'below-threshold',
      'below-threshold',
      'at-or-above-threshold',
      'at-or-above-threshold',
    ]);
  });

  test.each([[-0.1], [Number.NaN], [Number.POSITIVE_INFINITY]])('is never %d', (value) => {
    expect(readScore(anomaly, [value])).toBe('not a number from 0');
  });
});
