import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineModel, InferenceEngine, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { children } from '../support/child-processes.ts';
import { greedyModel, type OnnxModel, onnxBytes, sigmoidModel } from '../support/onnx-model.ts';
import { linearClassifier } from '../support/onnx-networks.ts';
import { loopOnnx, slowOnnx } from '../support/slow-onnx.ts';

const columns = 2;
const isSoak = process.env.ENGINE_SOAK !== undefined;

function engineModel(model: OnnxModel | Uint8Array, change: Partial<EngineModel> = {}): EngineModel {
  return {
    key: 'bad@1.0.0',
    artefact: model instanceof Uint8Array ? model : onnxBytes(model),
    inputs: [{ name: 'x', type: 'float64', columns }],
    outputs: [{ name: 'risk', type: 'float64', columns }],
    samples: [
      [1, 2],
      [3, 4],
    ],
    ...change,
  };
}

const sigmoid = sigmoidModel('float64', columns);
const node = (op: string, rest: Partial<OnnxModel['nodes'][number]> = {}): OnnxModel => ({
  ...sigmoid,
  nodes: [{ op, inputs: ['x'], outputs: ['risk'], ...rest }],
});
const external = (location: string): OnnxModel => ({
  ...sigmoid,
  nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['risk'] }],
  externalConstant: { name: 'w', location },
});
/** Bytes that look like nothing. */
const garbage = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 251);

describe('a bad model beside a good one', () => {
  let engine: InferenceEngine;
  let good: LoadedModel;
  beforeAll(async () => {
    engine = createOnnxEngine({ triesApart: true, limits: { memoryMb: 1500, environment: {} }, trialTimeoutMs: 3_000 });
    good = await engine.load(engineModel(sigmoid, { key: 'good@1.0.0' }));
  });
  afterAll(() => engine.close());

  const expectGood = async (): Promise<void> => expect(await good.run([[0, 0]])).toEqual([[0.5, 0.5]]);

  test.each<[string, EngineModel, RegExp]>([
    ['is empty', engineModel(new Uint8Array()), /not an ONNX model: it holds no graph/],
    ['is garbage', engineModel(garbage), /not an ONNX model/],
    ['is cut in half', engineModel(onnxBytes(sigmoid).subarray(0, 60)), /cut off/],
    ['has an operator that nobody knows', engineModel(node('Guess')), /refused by ONNX Runtime:.*Guess/s],
    ['has operators of a domain of its own', engineModel(node('Sigmoid', { domain: 'com.example' })), /com\.example/],
    ['is of a version of ONNX to come', engineModel({ ...sigmoid, opset: 999 }), /refused by ONNX Runtime:.*999/s],
    ['keeps weights beside it', engineModel(external('package.json')), /external data.*save it as one file/],
    ['keeps weights outside its folder', engineModel(external('../../../etc/passwd')), /external data/],
    ['keeps weights anywhere', engineModel(external('/etc/passwd')), /external data/],
    [
      'gives its output the name of its input',
      engineModel({ ...sigmoid, outputs: [{ name: 'x', type: 'float64', shape: ['n', columns] }], nodes: [] }),
      /no output named risk; it has: x/,
    ],
    [
      'gives one name to two results',
      engineModel({
        ...sigmoid,
        nodes: [
          { op: 'Sigmoid', inputs: ['x'], outputs: ['risk'] },
          { op: 'Tanh', inputs: ['x'], outputs: ['risk'] },
        ],
      }),
      /refused by ONNX Runtime:.*risk/s,
    ],
    [
      'has two inputs',
      engineModel({
        ...sigmoid,
        inputs: [...sigmoid.inputs, { name: 'y', type: 'float64', shape: ['n', columns] }],
        nodes: [{ op: 'Add', inputs: ['x', 'y'], outputs: ['risk'] }],
      }),
      /2 inputs \(x, y\)/,
    ],
    [
      'gives a sequence',
      engineModel({
        ...sigmoid,
        outputs: [{ name: 'risk', type: 'tensors', shape: [] }],
        nodes: [{ op: 'SequenceConstruct', inputs: ['x'], outputs: ['risk'] }],
      }),
      /output risk is not a tensor/,
    ],
    [
      'says one shape and gives another',
      engineModel({
        ...sigmoid,
        constants: [{ name: 'flat', shape: [1], data: BigInt64Array.of(-1n) }],
        nodes: [{ op: 'Reshape', inputs: ['x', 'flat'], outputs: ['risk'] }],
      }),
      /output risk (is|has shape) \[/,
    ],
    [
      'gives twice as many rows as it takes',
      engineModel({
        ...sigmoid,
        outputs: [{ name: 'risk', type: 'float64', shape: ['m', columns] }],
        nodes: [{ op: 'Concat', inputs: ['x', 'x'], outputs: ['risk'], axis: 0 }],
      }),
      /output risk is \[6, 2\] for 3 rows/,
    ],
  ])('is refused by name where it %s', async (_, model, reason) => {
    await expect(engine.load(model)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(reason),
    });
    await expectGood();
  });

  test('wants 5 GB as soon as it runs: it is refused, and this process stays as it is', async () => {
    const before = process.memoryUsage.rss();
    await expect(
      engine.load(engineModel(slowOnnx(columns, columns, { size: 25_000, products: 1 }))),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(INFERENCE_FAILED|MODEL_INVALID)$/),
      message: expect.stringMatching(/bad@1\.0\.0.*alloc/s),
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
    await expectGood();
  });

  test('wants 8 GB for constants of a few bytes: it is refused, and this process stays as it is', async () => {
    const before = process.memoryUsage.rss();
    const bomb = engineModel({
      ...sigmoid,
      constants: [
        { name: 'square', shape: [2], data: BigInt64Array.of(32_768n, 32_768n) },
        { name: 'one', shape: [1], data: Float64Array.of(1) },
      ],
      nodes: [
        { op: 'Expand', inputs: ['one', 'square'], outputs: ['ones'] },
        { op: 'ReduceMean', inputs: ['ones'], outputs: ['mean'] },
        { op: 'Add', inputs: ['x', 'mean'], outputs: ['risk'] },
      ],
    });
    expect(bomb.artefact.byteLength).toBeLessThan(400);
    await expect(engine.load(bomb)).rejects.toMatchObject({
      code: expect.stringMatching(/^(INFERENCE_FAILED|MODEL_INVALID)$/),
      message: expect.stringMatching(/bad@1\.0\.0.*alloc/s),
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
    await expectGood();
  });

  test('crashes when it is tried: it is refused with the signal, and what is loaded goes on', async () => {
    // Node itself cannot start with so little, which is as good a crash as any.
    const cramped = createOnnxEngine({ triesApart: true, limits: { memoryMb: 200, environment: {} } });
    await expect(cramped.load(engineModel(sigmoid))).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(
        /bad@1\.0\.0 is refused: .*tried in a process of its own.*(ended by SIG|ended with)/s,
      ),
    });
    await cramped.close();
    await expectGood();
  });

  test('never ends: it is refused after the time that a trial has, and the next model is tried', async () => {
    await expect(engine.load(engineModel(loopOnnx(columns), { samples: [[1e15, 1]] }))).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('did not end within 3000 ms'),
    });
    await expectGood();
    const next = await engine.load(engineModel(sigmoid));
    expect(await next.run([[0, 0]])).toEqual([[0.5, 0.5]]);
    await next.release();
  });

  test('is proved once, before it is opened, by the numbers that it will give; a refusal is passed on', async () => {
    const proofs: unknown[] = [];
    const proved = await engine.load(
      engineModel(sigmoid, { prove: async (run) => void proofs.push(await run([[0, 0]])) }),
    );
    expect(proofs).toEqual([[[0.5, 0.5]]]);
    await proved.release();
    const refusal = new PredictionError('MODEL_INVALID', 'It gives what it must not.');
    const prove = () => Promise.reject(refusal);
    await expect(engine.load(engineModel(sigmoid, { prove }))).rejects.toBe(refusal);
  });

  test('never ends on a row that it is proved with: it is refused, and others are answered meanwhile', async () => {
    const hangs = engine.load(engineModel(loopOnnx(columns), { prove: async (run) => void (await run([[1e15, 1]])) }));
    await expectGood();
    await expect(hangs).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/bad@1\.0\.0 is refused: .*did not end within 3000 ms/s),
    });
    await expectGood();
  });

  test('wants 8 GB for a row that it is proved with: it is refused, and this process stays as it is', async () => {
    const before = process.memoryUsage.rss();
    const prove: EngineModel['prove'] = async (run) => {
      expect(await run([[3, 5]])).toEqual([[5, 5]]);
      await run([[3, 1e9]]);
    };
    await expect(engine.load(engineModel(greedyModel(columns), { prove }))).rejects.toMatchObject({
      message: expect.stringMatching(/bad@1\.0\.0.*alloc/s),
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
    await expectGood();
  });

  test('crashes on a row that it is proved with: it is refused with the signal, and what is loaded goes on', async () => {
    const prove: EngineModel['prove'] = async (run) => {
      for (const pid of children()) process.kill(pid, 'SIGSEGV');
      await run([[1, 2]]);
    };
    await expect(engine.load(engineModel(sigmoid, { prove }))).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/bad@1\.0\.0 is refused: .*tried in a process of its own.*ended by SIGSEGV/s),
    });
    await expectGood();
  });

  test('takes its time: it runs in a thread, and others are answered meanwhile', async () => {
    const engine = createOnnxEngine();
    try {
      const slow = await engine.load(
        engineModel(slowOnnx(columns, columns, isSoak ? { size: 2400, products: 8 } : { size: 700, products: 2 })),
      );
      expect(slow.report.place).toBe('thread');
      let done = false;
      let answered = 0;
      const run = slow.run([[1, 2]]).finally(() => {
        done = true;
      });
      while (!done) {
        await expectGood();
        answered++;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await run).toEqual([[0.5, 0.5]]);
      // Were it not for the thread there would be one.
      expect(answered).toBeGreaterThan(2);
    } finally {
      await engine.close();
    }
  });

  test('gives what is no number, or is infinite: that run fails by name, and the next is answered', async () => {
    const log = await engine.load(engineModel(node('Log')));
    await expect(log.run([[-1, 1]])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('column 0 is no finite number'),
    });
    await expect(log.run([[1, 0]])).rejects.toMatchObject({ message: expect.stringContaining('column 1') });
    expect(await log.run([[1, 1]])).toEqual([[0, 0]]);
    await log.release();
  });
});

describe('a classifier with a ZipMap', () => {
  test('gives the probabilities in the order of its classes, the labels as whole numbers, and the bits it gives without', async () => {
    const engine = createOnnxEngine();
    try {
      const classes = [7, 2, 30];
      const given = (zipMap: boolean): EngineModel =>
        engineModel(linearClassifier(4, classes, zipMap), {
          inputs: [{ name: 'x', type: 'float32', columns: 4 }],
          outputs: [{ name: 'risk', type: 'float32', columns: 3 }],
          samples: [[1, -2, 0.5, 3]],
        });
      const [mapped, plain] = await Promise.all([engine.load(given(true)), engine.load(given(false))]);
      const rows = Array.from({ length: 20 }, (_, row) => [row, 2 - row, 0.1 * row, -1]);
      const probabilities = await mapped.run(rows);
      expect(probabilities).toEqual(await plain.run(rows));
      const labels = (
        await mapped.infer(new Map([['x', { type: 'float32', dims: [20, 4], data: Float32Array.from(rows.flat()) }]]), [
          'label',
        ])
      ).get('label');
      expect(labels?.type).toBe('int64');
      for (const [row, shares] of probabilities.entries())
        expect(Number(labels?.data[row])).toBe(classes[shares.indexOf(Math.max(...shares))]);
    } finally {
      await engine.close();
    }
  });
});

test('a hundred models that are loaded and released in turn leave nothing behind', async () => {
  const engine = createOnnxEngine();
  try {
    const round = async (models: number): Promise<number> => {
      for (let count = 0; count < models; count++) {
        const model = await engine.load(engineModel(sigmoid, { key: `model-${count}@1.0.0` }));
        expect(await model.run([[0, 0]])).toEqual([[0.5, 0.5]]);
        await model.release();
      }
      return process.memoryUsage.rss();
    };
    const first = await round(20);
    expect((await round(100)) - first).toBeLessThan(60e6);
  } finally {
    await engine.close();
  }
});
