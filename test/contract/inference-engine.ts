import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EngineModel, InferenceEngine } from '../../src/inference/inference-engine.ts';
import { shippedModels } from '../support/model-folder.ts';
import { missingnessModel, type OnnxModel, onnxBytes, sigmoidModel } from '../support/onnx-model.ts';

function engineModel(model: OnnxModel | Uint8Array, change: Partial<EngineModel> = {}): EngineModel {
  return {
    key: 'test@1.0.0',
    artefact: model instanceof Uint8Array ? model : onnxBytes(model),
    inputs: [{ name: 'x', type: 'float64', columns: 2 }],
    outputs: [{ name: 'risk', type: 'float64', columns: 2 }],
    ...change,
  };
}

function shipped(id: string, columns: number, outcomes: number): EngineModel {
  return {
    key: id,
    artefact: readFileSync(path.join(shippedModels, id, '1.0.0/model.onnx')),
    inputs: [{ name: 'x', type: 'float64', columns }],
    outputs: [{ name: 'risk', type: 'float64', columns: outcomes }],
  };
}

const yes = fc.integer({ min: 0, max: 1 });
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** What everybody above expects of every inference engine. */
export function describeInferenceEngine(name: string, create: () => InferenceEngine): void {
  describe(`inference engine: ${name}`, () => {
    let engine: InferenceEngine;
    beforeAll(() => {
      engine = create();
    });
    afterAll(() => engine.close());

    describe('loading a model', () => {
      test('runs what it loaded', async () => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        expect(await model.run([[0, 1]])).toEqual([[0.5, expect.closeTo(1 / (1 + Math.exp(-1)), 15)]]);
      });

      test.each<[string, EngineModel, RegExp]>([
        [
          'bytes that are no ONNX model',
          engineModel(new TextEncoder().encode('<!doctype html>')),
          /test@1\.0\.0.*model\.onnx is not an ONNX model/,
        ],
        ['an empty file', engineModel(new Uint8Array()), /not an ONNX model: it holds no graph/],
        ['a file that is cut off', engineModel(onnxBytes(sigmoidModel('float64', 2)).subarray(0, 40)), /cut off/],
        [
          'an operator that does not exist',
          engineModel({ ...sigmoidModel('float64', 2), nodes: [{ op: 'Guess', inputs: ['x'], outputs: ['risk'] }] }),
          /refused by ONNX Runtime:.*Guess/s,
        ],
        [
          'an input of another name',
          engineModel(sigmoidModel('float64', 2), { inputs: [{ name: 'features', type: 'float64', columns: 2 }] }),
          /no input named features; it has: x/,
        ],
        [
          'an output of another name',
          engineModel(sigmoidModel('float64', 2), { outputs: [{ name: 'score', type: 'float64', columns: 2 }] }),
          /no output named score; it has: risk/,
        ],
        [
          'an input of another type',
          engineModel(sigmoidModel('float32', 2)),
          /input x has type float32; the manifest declares float64/,
        ],
        [
          'an output of another type',
          engineModel(sigmoidModel('float64', 2), { outputs: [{ name: 'risk', type: 'float32', columns: 2 }] }),
          /output risk has type float64; the manifest declares float32/,
        ],
        [
          'another number of columns',
          engineModel(sigmoidModel('float64', 3)),
          /input x has shape \[n, 3\]; the manifest declares \[rows, 2\]/,
        ],
        ['a fixed number of rows', engineModel(sigmoidModel('float64', 2, 1)), /has shape \[1, 2\].*rows left free/],
        [
          'another number of rows than were asked, for nobody can tell whose they are',
          engineModel({
            inputs: [{ name: 'x', type: 'float64', shape: ['n', 2] }],
            outputs: [{ name: 'risk', type: 'float64', shape: ['m', 2] }],
            nodes: [{ op: 'Concat', inputs: ['x', 'x'], outputs: ['risk'], axis: 0 }],
          }),
          /output risk is \[6, 2\] for 3 rows/,
        ],
        [
          'a second input',
          engineModel({
            inputs: [
              { name: 'x', type: 'float64', shape: ['n', 2] },
              { name: 'y', type: 'float64', shape: ['n', 2] },
            ],
            outputs: [{ name: 'risk', type: 'float64', shape: ['n', 2] }],
            nodes: [{ op: 'Add', inputs: ['x', 'y'], outputs: ['risk'] }],
          }),
          /2 inputs \(x, y\)/,
        ],
        [
          'weights in another file, even one that exists',
          engineModel({
            ...sigmoidModel('float64', 2),
            nodes: [
              { op: 'Add', inputs: ['x', 'w'], outputs: ['sum'] },
              { op: 'Sigmoid', inputs: ['sum'], outputs: ['risk'] },
            ],
            externalConstant: { name: 'w', location: 'package.json' },
          }),
          /external data.*save it as one file/,
        ],
      ])('refuses %s', async (_, model, reason) => {
        await expect(engine.load(model)).rejects.toMatchObject({
          code: 'MODEL_INVALID',
          message: expect.stringMatching(reason),
        });
      });
    });

    describe('running a model', () => {
      const wrap = (op: string): OnnxModel => ({
        ...sigmoidModel('float64', 2),
        nodes: [{ op, inputs: ['x'], outputs: ['risk'] }],
      });

      test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
        'refuses %d as an input and names row and column',
        async (bad) => {
          const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
          const run = model.run([
            [1, 2],
            [3, bad],
          ]);
          await expect(run).rejects.toMatchObject({
            code: 'INFERENCE_FAILED',
            message: expect.stringContaining('row 1, column 1'),
          });
        },
      );

      test('takes NaN where the input accepts it, and nothing infinite even then', async () => {
        const model = await engine.load(
          engineModel(missingnessModel(2), {
            inputs: [{ name: 'x', type: 'float64', columns: 2, acceptsNaN: true }],
          }),
        );
        const [row] = await model.run([[Number.NaN, 3]]);
        expect(row?.[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
        expect(row?.[1]).toBe(0.5);
        await expect(model.run([[Number.POSITIVE_INFINITY, 3]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
      });

      test('refuses a number that float32 cannot hold', async () => {
        const model = await engine.load(
          engineModel(sigmoidModel('float32', 2), {
            inputs: [{ name: 'x', type: 'float32', columns: 2 }],
            outputs: [{ name: 'risk', type: 'float32', columns: 2 }],
          }),
        );
        await expect(model.run([[1, 1e300]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
      });

      test.each([[[1]], [[1, 2, 3]], [[]]])('refuses the row %j of another length', async (row) => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        await expect(model.run([row])).rejects.toMatchObject({
          code: 'INFERENCE_FAILED',
          message: expect.stringContaining('takes 2'),
        });
      });

      test('refuses an answer that is no number or infinite', async () => {
        const logarithm = await engine.load(engineModel(wrap('Log')));
        await expect(logarithm.run([[-1, 1]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
        await expect(logarithm.run([[1, 0]])).rejects.toMatchObject({
          message: expect.stringContaining('output risk, column 1 is no finite number'),
        });
      });

      test('answers no rows with no rows', async () => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        expect(await model.run([])).toEqual([]);
      });

      test('serves the next run after one that failed', async () => {
        const model = await engine.load(engineModel(wrap('Log')));
        await expect(model.run([[-1, -1]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
        expect(await model.run([[1, 1]])).toEqual([[0, 0]]);
      });
    });

    describe('a row gives the same bits alone and in company', () => {
      const preventRow = fc.tuple(
        fc.integer({ min: 30, max: 79 }),
        yes,
        between(130, 320),
        between(20, 100),
        between(90, 180),
        between(18.5, 40),
        between(15, 140),
        yes,
        yes,
        yes,
        yes,
      );
      const pceRow = fc.tuple(
        fc.integer({ min: 40, max: 79 }),
        yes,
        yes,
        between(130, 320),
        between(20, 100),
        between(90, 200),
        yes,
        yes,
        yes,
      );
      const kfreRow = fc.tuple(fc.integer({ min: 18, max: 110 }), yes, between(10, 60), between(0.1, 25_000));
      const logarithm32 = engineModel(
        { ...sigmoidModel('float32', 1), nodes: [{ op: 'Log', inputs: ['x'], outputs: ['risk'] }] },
        {
          inputs: [{ name: 'x', type: 'float32', columns: 1 }],
          outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
        },
      );

      test.each<[string, EngineModel, fc.Arbitrary<number[]>]>([
        ['prevent-base', shipped('prevent-base', 11, 10), preventRow],
        ['pce-2013', shipped('pce-2013', 9, 1), pceRow],
        ['kfre-4', shipped('kfre-4', 4, 4), kfreRow],
        ['a float32 logarithm', logarithm32, fc.tuple(between(0.1, 1000))],
      ])('%s', async (_, engineModelOf, row) => {
        const model = await engine.load(engineModelOf);
        const rows = fc.sample(row, { numRuns: 67, seed: 1 });
        const alone = await Promise.all(rows.map(async (one) => (await model.run([one]))[0]));
        for (const size of [2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 64, 67]) {
          const batch = await model.run(rows.slice(0, size));
          const shifted = await model.run(rows.slice(67 - size));
          expect(batch, `the first ${size} rows`).toStrictEqual(alone.slice(0, size));
          expect(shifted, `the last ${size} rows`).toStrictEqual(alone.slice(67 - size));
        }
      });
    });

    describe('releasing and closing', () => {
      let engine: InferenceEngine;
      beforeEach(() => {
        engine = create();
      });
      afterEach(() => engine.close());

      test('release waits for runs in progress, and they succeed', async () => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        const order: string[] = [];
        const runs = Array.from({ length: 5 }, () => model.run([[0, 0]]).then(() => order.push('run')));
        const release = model.release().then(() => order.push('released'));
        await Promise.all([...runs, release]);
        expect(order).toEqual(['run', 'run', 'run', 'run', 'run', 'released']);
      });

      test('a released model refuses to run, and may be released again', async () => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        await Promise.all([model.release(), model.release()]);
        await expect(model.run([[0, 0]])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
      });

      test('close waits for loads and runs in progress and refuses new models', async () => {
        const model = await engine.load(engineModel(sigmoidModel('float64', 2)));
        const loading = engine.load(engineModel(sigmoidModel('float64', 2)));
        const run = model.run([[0, 0]]);
        await engine.close();
        expect(await run).toEqual([[0.5, 0.5]]);
        await expect((await loading).run([[0, 0]])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
        await expect(engine.load(engineModel(sigmoidModel('float64', 2)))).rejects.toMatchObject({
          code: 'SHUTTING_DOWN',
        });
      });
    });
  });
}
