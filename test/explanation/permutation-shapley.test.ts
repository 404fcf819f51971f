import { describe, expect, test } from 'vitest';
import { explainByPermutations, type PermutationRequest } from '../../src/explanation/permutation-shapley.ts';
import { randomOrders } from '../../src/explanation/random-orders.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';

const amount: Outcome = {
  kind: 'measurement',
  id: 'amount',
  label: 'Amount',
  column: 0,
  coding: [{ system: 'urn:test', code: 'amount' }],
  unit: '1',
  range: [-1000, 1000],
  decimals: 2,
};

type Formula = (row: readonly number[]) => number;

function request(formula: Formula, changes: Partial<PermutationRequest> = {}): PermutationRequest {
  return {
    featureOf: ['a', 'b', 'c'],
    inputs: [2, 3, 5],
    background: [
      [0, 0, 0],
      [1, 1, 1],
    ],
    permutations: 4,
    seed: 1,
    run: async (rows: readonly ModelRow[]) => rows.map((row) => [formula(row.map(Number))]),
    outcomes: [amount],
    ...changes,
  };
}

const sum: Formula = ([a = 0, b = 0, c = 0]) => a + 10 * b + 100 * c;
const product: Formula = ([a = 0, b = 0, c = 0]) => a * b * c;

describe('Shapley values from permutations', () => {
  test('of a sum are exact whatever the orders, without any error', async () => {
    const { contributions } = await explainByPermutations(request(sum, { permutations: 2 }));
    expect(contributions.map(({ feature, difference }) => [feature, difference])).toEqual([
      ['a', 1.5],
      ['b', 25],
      ['c', 450],
    ]);
    for (const { standardError } of contributions) expect(standardError).toBeCloseTo(0, 9);
  });

  test('of a product that no order decides alone have an error, and add up to the score all the same', async () => {
    const { contributions, bases } = await explainByPermutations(request(product));
    const [base] = bases;
    const total = contributions.reduce((all, { difference }) => all + difference, base?.base ?? Number.NaN);
    expect(base).toMatchObject({ scale: 'score', base: 0.5 });
    expect(total).toBeCloseTo(30, 9);
    expect(Math.abs(base?.residual ?? 1)).toBeLessThan(1e-9);
    expect(Math.max(...contributions.map(({ standardError = 0 }) => standardError))).toBeGreaterThan(0);
  });

  test('columns of one feature change together, so that it is one contribution', async () => {
    const { contributions } = await explainByPermutations(request(product, { featureOf: ['a', 'b', 'b'] }));
    expect(contributions.map(({ feature }) => feature)).toEqual(['a', 'b']);
  });

  test('are the same for the same seed, and others for another', async () => {
    const of = async (seed: number) => (await explainByPermutations(request(product, { seed }))).contributions;
    expect(await of(7)).toEqual(await of(7));
    expect(randomOrders(8, 5, 1)).not.toEqual(randomOrders(8, 5, 2));
  });

  test('orders hold every feature once', () => {
    for (const order of randomOrders(6, 50, 3)) expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('ask the model for a bounded number of rows at a time', async () => {
    const sizes: number[] = [];
    const background = Array.from({ length: 200 }, () => [0, 0, 0]);
    const run = async (rows: readonly ModelRow[]) => {
      sizes.push(rows.length);
      return rows.map(() => [1]);
    };
    await explainByPermutations(request(sum, { background, permutations: 10, run }));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024);
    // None known, all known, and two steps of each of twenty orders.
    expect(sizes.reduce((all, size) => all + size, 0)).toBe(200 * (2 + 2 * 20));
  });

  test('are refused where the model gives no score for a mixed row', async () => {
    const failing = request(sum, { run: async (rows) => rows.map(() => [Number.NaN]) });
    await expect(explainByPermutations(failing)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  });
});
