import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineModel, LoadedModel } from '../../src/inference/inference-engine.ts';
import { matrixRows } from '../../src/inference/matrix-model.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { meanOfVolume } from '../support/onnx-networks.ts';

/** A model of the mean of a volume; larger than what goes in one turn of the event loop. */
function modelOf(planes: number, rows: number, columns: number): EngineModel {
  return {
    key: 'test@1.0.0',
    artefact: onnxBytes(meanOfVolume(planes, rows, columns)),
    inputs: [
      {
        name: 'volume',
        type: 'float32',
        columns: planes * rows * columns,
        shape: [planes, rows, columns],
        isImage: true,
      },
    ],
    outputs: [{ name: 'y', type: 'float32', columns: 1 }],
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const size = [3, 320, 320] as const;
const numbers = 3 * 320 * 320;
/** Whose mean is 0.5, and whose parts have others. */
const slope = Float32Array.from({ length: numbers }, (_, at) => at / (numbers - 1));

describe.each([false, true])('a large image, in a process of its own: %s', (isolated) => {
  const engine = createOnnxEngine({ isIsolated: () => isolated });
  let loaded: LoadedModel;
  beforeAll(async () => {
    loaded = await engine.load(modelOf(...size));
  });
  afterAll(() => engine.close());

  it('comes whole, also several at once and a part of a larger array, and is what it was afterwards', async () => {
    const larger = Float32Array.from([9, ...slope.map((x) => 2 * x), 9]);
    const rows = [[slope], [larger.subarray(1, -1)], [slope.map((x) => -x)]];
    const given = await Promise.all(rows.map((row) => loaded.run([row])));
    for (const [index, mean] of [0.5, 1, -0.5].entries()) expect(given[index]?.[0]?.[0]).toBeCloseTo(sigmoid(mean), 5);
    expect(await loaded.run(rows)).toEqual(given.flat());
    expect([slope.length, slope.at(-1)]).toEqual([numbers, 1]);
  });

  it.each([0, numbers - 1])('is not given to the model where its number %i is none', async (at) => {
    const hole = Float32Array.from(slope);
    hole[at] = Number.NaN;
    await expect(loaded.run([[hole]])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining(`has NaN as its number ${at}, which is no finite float32`),
    });
  });
});

it('large images of several rows are put together as small ones are, the last one filled up', async () => {
  const form = matrixRows(modelOf(...size));
  const joined = form.join([[[slope]], [[slope.map((x) => -x)]]], 3);
  expect(joined).toBeInstanceOf(Promise);
  const tensor = (await joined).get('volume');
  expect(tensor?.dims).toEqual([3, ...size]);
  const data = tensor?.data as Float32Array;
  const at = (row: number): number[] => [0, 1, numbers - 1].map((index) => data[row * numbers + index] ?? Number.NaN);
  const step = Math.fround(1 / (numbers - 1));
  expect([at(0), at(1), at(2)]).toEqual([
    [0, step, 1],
    [-0, -step, -1],
    [-0, -step, -1],
  ]);
});

it('a volume of 128 × 256 × 256 keeps nobody waiting while it is scored', async () => {
  const engine = createOnnxEngine();
  const loaded = await engine.load(modelOf(128, 256, 256));
  const volume = new Float32Array(128 * 256 * 256).fill(0.25);
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const longestTurnMs = async (): Promise<number> => {
    let isOver = false;
    let longest = 0;
    const watch = async (): Promise<void> => {
      for (let before = cpuMs(); !isOver; before = cpuMs()) {
        await turn();
        longest = Math.max(longest, cpuMs() - before);
      }
    };
    const watching = watch();
    const [[score] = []] = await loaded.run([[volume]]);
    isOver = true;
    await watching;
    expect(score).toBeCloseTo(sigmoid(0.25), 5);
    return longest;
  };
  const tries = [await longestTurnMs(), await longestTurnMs(), await longestTurnMs()];
  await engine.close();
  // Milliseconds of this thread's own time: 30 and more where it is looked at and copied at once, 5 in turns; a collection of
  // garbage may fall into a turn of one of them.
  expect(Math.min(...tries)).toBeLessThan(20);
});
