import { describe, expect, test } from 'vitest';
import { explainAdditive } from '../../src/explanation/additive.ts';
import { encode } from '../../src/inference/score.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';

const points: Outcome = {
  kind: 'points',
  id: 'total',
  label: 'Total',
  column: 0,
  coding: [{ system: 'urn:test', code: 'total' }],
  range: [0, 10],
};

const request = (sum: (age: number, female: number) => number) => ({
  columns: [{ feature: 'age' }, { feature: 'female' }],
  encode,
  inputs: [80, 1],
  reference: { age: 50, female: false },
  outcomes: [points],
  run: async (rows: readonly ModelRow[]) => rows.map((row) => [sum(Number(row[0]), Number(row[1]))]),
});

describe('contributions to a score that is a sum', () => {
  test('are what each input gives beyond the reference person, and add up to the points exactly', async () => {
    const explanation = await explainAdditive(request((age, female) => (age >= 75 ? 2 : 0) + female + 1));
    expect(explanation).toEqual({
      contributions: [
        { feature: 'age', outcome: 'total', difference: 2 },
        { feature: 'female', outcome: 'total', difference: 1 },
      ],
      bases: [{ outcome: 'total', scale: 'score', base: 1, residual: 0 }],
    });
  });

  test('are refused where one input changes what another one gives: they would not add up', async () => {
    const product = request((age, female) => (age >= 75 ? 1 : 0) * (1 + female));
    await expect(explainAdditive(product)).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringMatching(/add up to 3, but the score is 2.*occlusion or permutation-shapley/),
    });
  });
});
