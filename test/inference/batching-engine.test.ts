import { describe, expect, test } from 'vitest';
import { createBatchingEngine } from '../../src/inference/batching-engine.ts';
import type { InferenceEngine, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { describeInferenceEngine } from '../contract/inference-engine.ts';

describeInferenceEngine('batches over ONNX Runtime', () => createBatchingEngine(createOnnxEngine()));

const anyModel = {
  key: 'test@1.0.0',
  artefact: new Uint8Array(),
  input: { name: 'x', type: 'float64', columns: 1 },
  output: { name: 'risk', type: 'float64', columns: 1 },
} as const;

/** A model that doubles, refuses negative numbers, and notes the rows of each of its runs. */
async function doubling(answer = (rows: number[][]) => rows): Promise<{ model: LoadedModel; runs: number[][] }> {
  const runs: number[][] = [];
  const engine: InferenceEngine = {
    load: async () => ({
      async run(rows) {
        runs.push(rows.map(([value = Number.NaN]) => value));
        await new Promise((resolve) => setImmediate(resolve));
        if (rows.some(([value = 0]) => value < 0)) throw new PredictionError('INFERENCE_FAILED', 'a negative number');
        return answer(rows.map(([value = 0]) => [2 * value]));
      },
      release: async () => undefined,
    }),
    close: async () => undefined,
  };
  return { model: await createBatchingEngine(engine).load(anyModel), runs };
}

describe('batches', () => {
  test('one call runs at once, those that come meanwhile run together, and each gets its own rows', async () => {
    const { model, runs } = await doubling();
    const answers = await Promise.all([model.run([[1]]), model.run([[2], [3]]), model.run([]), model.run([[4]])]);
    expect(runs).toEqual([[1], [2, 3, 4]]);
    expect(answers).toEqual([[[2]], [[4], [6]], [], [[8]]]);
  });

  test('a call that cannot be run fails alone', async () => {
    const { model } = await doubling();
    const answers = await Promise.allSettled([model.run([[1]]), model.run([[2]]), model.run([[-3]]), model.run([[4]])]);
    expect(answers).toEqual([
      { status: 'fulfilled', value: [[2]] },
      { status: 'fulfilled', value: [[4]] },
      { status: 'rejected', reason: expect.objectContaining({ code: 'INFERENCE_FAILED' }) },
      { status: 'fulfilled', value: [[8]] },
    ]);
  });

  test('a joint answer with a row too few is given to nobody: each call is run by itself', async () => {
    const { model } = await doubling((rows) => (rows.length > 1 ? rows.slice(1) : rows));
    const answers = await Promise.all([model.run([[1]]), model.run([[2]]), model.run([[3]])]);
    expect(answers).toEqual([[[2]], [[4]], [[6]]]);
  });

  test('no joint run has more than 256 rows, unless one call has them', async () => {
    const { model, runs } = await doubling();
    const rows = (count: number) => Array.from({ length: count }, (_, index) => [index]);
    await Promise.all([1, 200, 56, 1, 300, 2].map((count) => model.run(rows(count))));
    expect(runs.map(({ length }) => length)).toEqual([1, 256, 1, 300, 2]);
  });

  test('a call after an idle time runs at once again', async () => {
    const { model, runs } = await doubling();
    await model.run([[1]]);
    await model.run([[2]]);
    expect(runs).toEqual([[1], [2]]);
  });
});
