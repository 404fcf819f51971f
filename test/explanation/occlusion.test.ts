import { expect, test } from 'vitest';
import { explain } from '../../src/explanation/explain.ts';
import { explainByOcclusion, type OcclusionRequest } from '../../src/explanation/occlusion.ts';
import { encode } from '../../src/inference/score.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { PredictionError } from '../../src/platform/errors.ts';

type Rows = readonly ModelRow[];

const amount = (id: string, column: number): Outcome => ({
  kind: 'measurement',
  id,
  label: id,
  column,
  coding: [{ system: 'urn:test', code: id }],
  unit: '1',
  range: [-10, 10],
  decimals: 2,
});
const numbers = (row: ModelRow): number[] => row.map(Number);

/** A model of two outcomes: 0.01·age + 0.1·(smoker) and 0.001·pressure. */
const linear = async (rows: Rows) =>
  rows.map(numbers).map(([age = 0, smoker = 0, pressure = 0]) => [0.01 * age + 0.1 * smoker, 0.001 * pressure]);

function request(changes: Partial<OcclusionRequest> = {}): OcclusionRequest {
  return {
    columns: [{ feature: 'age' }, { feature: 'smoking', encode: { never: 0, current: 1 } }, { feature: 'pressure' }],
    encode,
    inputs: [60, 1, 140],
    reference: { age: 50, smoking: 'never' },
    run: linear,
    outcomes: [amount('one', 0), amount('two', 1)],
    ...changes,
  };
}

const differenceOf = async (made: OcclusionRequest, feature: string, outcome: string) =>
  (await explainByOcclusion(made)).contributions.find((found) => found.feature === feature && found.outcome === outcome)
    ?.difference;

test('a contribution is the probability of the subject minus that with the one feature of the reference person', async () => {
  expect(await differenceOf(request(), 'age', 'one')).toBeCloseTo(0.1, 12);
  expect(await differenceOf(request(), 'smoking', 'one')).toBeCloseTo(0.1, 12);
  expect(await differenceOf(request(), 'age', 'two')).toBe(0);
});

test('features that the reference person does not have are not occluded', async () => {
  expect(new Set((await explainByOcclusion(request())).contributions.map(({ feature }) => feature))).toEqual(
    new Set(['age', 'smoking']),
  );
  const foreign = await explainByOcclusion(request({ reference: { shoeSize: 42, toString: 1 } }));
  expect(foreign.contributions).toEqual([]);
});

test('the model runs once, with the subject, the reference person, and one row per feature that differs in it alone', async () => {
  const runs: Rows[] = [];
  await explainByOcclusion(
    request({
      run: async (rows) => {
        runs.push(rows);
        return await linear(rows);
      },
    }),
  );
  expect(runs).toEqual([
    [
      [60, 1, 140],
      [50, 0, 140],
      [50, 1, 140],
      [60, 0, 140],
    ],
  ]);
});

test('a feature in several columns is occluded in all of them at once', async () => {
  const columns = [{ feature: 'age' }, { feature: 'pressure' }, { feature: 'age' }];
  const made = request({
    columns,
    inputs: [60, 1, 60],
    run: async (rows) => rows.map(numbers).map(([first = 0, , third = 0]) => [(first + third) / 1000, 0]),
  });
  expect(await differenceOf(made, 'age', 'one')).toBeCloseTo(0.02, 12);
});

test('only the outcomes asked for are explained', async () => {
  const { contributions } = await explainByOcclusion(request({ outcomes: [amount('two', 1)] }));
  expect(new Set(contributions.map(({ outcome }) => outcome))).toEqual(new Set(['two']));
});

/** With the reference person of the request. */
const explained = (made: OcclusionRequest) =>
  explain(() => explainByOcclusion(made), 'occlusion', { ...made, features: new Map() });

test.each([
  ['throws', async () => Promise.reject(new PredictionError('INFERENCE_FAILED', 'no')), 'INFERENCE_FAILED'],
  ['gives NaN', async (rows: Rows) => rows.map(() => [Number.NaN, Number.NaN]), 'INFERENCE_FAILED'],
  ['gives too few rows', async () => [[0.1, 0.1]], 'INFERENCE_FAILED'],
  ['throws something else', async () => Promise.reject(new TypeError('x')), 'INTERNAL'],
])('where the model %s, the explanation degrades, says so, and keeps the cause for the log', async (_, run, code) => {
  const answer = await explained(request({ run, reference: { age: 50 } }));
  expect(answer).toEqual({ none: `the explanation by occlusion failed (${code})`, cause: expect.any(Error) });
});

test('a reference person whose value the model does not encode degrades the explanation too', async () => {
  const answer = await explained(request({ reference: { smoking: 'sometimes' } }));
  expect(answer).toMatchObject({ none: 'the explanation by occlusion failed (INFERENCE_FAILED)' });
});

test('an explanation that works gives contributions, and one with nothing to occlude says so', async () => {
  expect(await explained(request({ reference: { age: 50 } }))).toMatchObject({ contributions: { length: 2 } });
  expect(await explained(request({ reference: {} }))).toEqual({
    none: 'the reference person of the model has none of its inputs',
  });
});

test('a feature that is missing on purpose is compared with a reference person of whom it is known', async () => {
  const runs: Rows[] = [];
  await explainByOcclusion({
    columns: [{ feature: 'age' }, { feature: 'hba1c' }, { feature: 'hba1c', indicator: 'missing' }],
    encode,
    inputs: [60, Number.NaN, 1],
    reference: { age: 50, hba1c: 5.3 },
    run: async (rows) => {
      runs.push(rows);
      return rows.map(() => [0.5]);
    },
    outcomes: [amount('one', 0)],
  });
  expect(runs).toEqual([
    [
      [60, Number.NaN, 1],
      [50, 5.3, 0],
      [50, Number.NaN, 1],
      [60, 5.3, 0],
    ],
  ]);
});

test('of a model that reads images alone it says so, and not that a reference person lacks inputs', async () => {
  const image = Float32Array.of(1, 2);
  const explainer = () =>
    explainByOcclusion(
      request({
        columns: [{ feature: 'chest' }],
        inputs: [image],
        reference: {},
        run: async (rows) => rows.map(() => [0, 0]),
      }),
    );
  const asked = { inputs: [image], features: new Map(), run: linear, outcomes: [] };
  expect(await explain(explainer, 'occlusion', asked)).toEqual({
    none: 'the model reads images alone, and an image as a whole has no share',
  });
});
