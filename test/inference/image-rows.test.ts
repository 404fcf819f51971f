import { describe, expect, it } from 'vitest';
import { loadedModel } from '../../src/inference/loaded-model.ts';
import { sampleTensors } from '../../src/inference/matrix-model.ts';
import type { ModelSession } from '../../src/inference/model-session.ts';
import { fillRows } from '../../src/inference/row-tensors.ts';
import { servedGraph } from '../../src/inference/served-graph.ts';
import { tryModel } from '../../src/inference/trial/try-model.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { elementwise } from '../support/onnx-networks.ts';

const artefact = onnxBytes(elementwise('Relu', 1));

/** A model of an image of so many numbers and of one number, and how many rows each of its runs had. */
function modelOf(pixels: number) {
  const inputs = [
    { name: 'pixels', type: 'float32', shape: [null, pixels] },
    { name: 'age', type: 'float32', shape: [null, 1] },
  ] as const;
  const model = {
    key: 'test@1.0.0',
    artefact,
    inputs: [
      { name: 'pixels', type: 'float32', columns: pixels, shape: [pixels], isImage: true },
      { name: 'age', type: 'float32', columns: 1 },
    ],
    outputs: [{ name: 'sum', type: 'float32', columns: 1 }],
    samples: [1, 2].map((age) => [new Float32Array(pixels).fill(age / 4), age]),
  } as const;
  const runs: number[] = [];
  const session: ModelSession = {
    inputs,
    outputs: [{ name: 'sum', type: 'float32', shape: [null, 1] }],
    otherOutputs: [],
    async run(feeds) {
      const images = feeds.get('pixels')?.data as Float32Array;
      const ages = feeds.get('age')?.data as Float32Array;
      runs.push(ages.length);
      // The first and the last pixel, so that a row that is moved by one number gives another sum.
      const data = ages.map(
        (age, row) => age + (images[row * pixels] ?? Number.NaN) + (images[(row + 1) * pixels - 1] ?? Number.NaN),
      );
      return new Map([['sum', { type: 'float32', dims: [ages.length, 1], data }]]);
    },
    release: async () => undefined,
  };
  const open = async () => {
    const trial = await tryModel(async () => session, {
      session: { key: model.key, artefact, provider: 'cpu', threads: 1 },
      declared: model,
      ...sampleTensors(model),
      budgetMs: 20,
    });
    const report = { because: 'test', runtime: 'none', device: { policy: 'cpu', provider: 'cpu' } } as const;
    const graph = servedGraph(session, trial, {
      key: model.key,
      longestJointMs: 1000,
      report: { place: 'inline', ...report },
    });
    return { trial, loaded: loadedModel(model, graph, () => undefined) };
  };
  return { model, runs, open };
}

describe('rows of images', () => {
  it('run together as far as their numbers fill two megabytes, each answered with its own', async () => {
    const pixels = 224 * 224 * 3;
    const { runs, open } = modelOf(pixels);
    const { trial, loaded } = await open();
    expect(trial.mostRows).toBe(3);
    runs.length = 0;
    const images = [0.25, 0.5].map((value) => new Float32Array(pixels).fill(value));
    const rows = Array.from({ length: 64 }, (_, index) => [images[index % 2] as Float32Array, index]);
    const sums = await loaded.run(rows);
    expect(sums).toEqual(rows.map((_, index) => [index + (index % 2 === 0 ? 0.5 : 1)]));
    expect(Math.max(...runs)).toBe(3);
  });

  it('run by themselves where not even two fit, and are tried with few of them', async () => {
    const { runs, open } = modelOf(1_000_000);
    const { trial, loaded } = await open();
    expect(trial).toMatchObject({ mostRows: 1, batches: { grade: 'single' } });
    expect(Math.max(...runs)).toBeLessThanOrEqual(16);
    runs.length = 0;
    await loaded.run([1, 2, 3].map((age) => [new Float32Array(1_000_000), age]));
    expect(runs).toEqual([1, 1, 1]);
  });

  it('give others a turn while many of them are looked at', async () => {
    const { open } = modelOf(500_000);
    const { loaded } = await open();
    let turns = 0;
    const timer = setInterval(() => {
      turns++;
    }, 0);
    const rows = Array.from({ length: 40 }, (_, index) => [new Float32Array(500_000), index]);
    rows[39]?.splice(0, 1, new Float32Array(500_000).fill(Number.NaN, 499_999));
    await expect(loaded.run(rows)).rejects.toThrow('row 39, the image of input pixels has NaN as its number 499999');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('are float32 to the last bit, that of one row in its own array', () => {
    const { model } = modelOf(4);
    const image = Float32Array.of(0.1, Math.PI, 1e-40, -0);
    const other = Float32Array.of(4, 3, 2, 1);
    const alone = fillRows(model, [[[image, 1]]], 1).get('pixels');
    expect(alone?.data).toBe(image);
    const filled = fillRows(model, [[[image, 1]], [[other, 2]]], 4).get('pixels');
    expect(filled?.dims).toEqual([4, 4]);
    expect(filled?.data).toEqual(Float32Array.of(...image, ...other, ...other, ...other));
  });

  it('are refused where an image became shorter while its call waited', () => {
    const { model } = modelOf(4);
    const changed = () => fillRows(model, [[[Float32Array.of(1, 2, 3), 1]]], 1);
    expect(changed).toThrow('The image of a call was changed while it waited.');
  });
});
