import { describe, expect, test } from 'vitest';
import type { EngineModel, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** The million is in `npm run soak`. */
const rowCount = process.env.ENGINE_SOAK === undefined ? 60_000 : 1_000_000;

/** risk = [table[first], second]: the answer tells the row it is for, and a first column beyond the table fails. */
const telling: OnnxModel = {
  inputs: [{ name: 'x', type: 'float64', shape: ['n', 2] }],
  outputs: [{ name: 'risk', type: 'float64', shape: ['n', 2] }],
  constants: [
    { name: 'table', shape: [4, 1], data: Float64Array.of(10, 20, 30, 40) },
    { name: 'sizes', shape: [2], data: BigInt64Array.of(1n, 1n) },
    { name: 'last', shape: [1], data: BigInt64Array.of(1n) },
  ],
  nodes: [
    { op: 'Split', inputs: ['x', 'sizes'], outputs: ['first', 'second'], axis: 1 },
    { op: 'Squeeze', inputs: ['first', 'last'], outputs: ['flat'] },
    { op: 'Cast', inputs: ['flat'], outputs: ['index'], to: 'int64' },
    { op: 'Gather', inputs: ['table', 'index'], outputs: ['looked-up'] },
    { op: 'Concat', inputs: ['looked-up', 'second'], outputs: ['risk'], axis: 1 },
  ],
};
const beyond = 9;

function engineModel(key: string): EngineModel {
  return {
    key,
    artefact: onnxBytes(telling),
    inputs: [{ name: 'x', type: 'float64', columns: 2 }],
    outputs: [{ name: 'risk', type: 'float64', columns: 2 }],
    samples: [
      [0, 1],
      [3, 2],
    ],
  };
}

interface Tally {
  answered: number;
  refused: number;
  failed: number;
  cancelled: number;
  /** What must not be: one line each. */
  readonly wrong: string[];
}

/** Callers that ask for one row or several at any time, some for what cannot be run, some giving up before the answer. */
async function storm(model: LoadedModel, rows: number, seed: number): Promise<Tally> {
  const random = seededRandom(seed);
  const tally: Tally = { answered: 0, refused: 0, failed: 0, cancelled: 0, wrong: [] };
  let next = 0;
  const ask = async (): Promise<void> => {
    const size = random() < 0.7 ? 1 : 1 + Math.floor(random() * 40);
    const asked = Array.from({ length: size }, () => [Math.floor(4 * random()), next++]);
    const chance = random();
    const [row = []] = asked;
    if (chance < 0.01) row[0] = beyond;
    else if (chance < 0.02) row[1] = Number.NaN;
    const stop = chance > 0.95 ? new AbortController() : undefined;
    const answer = model
      .run(asked, { lane: random() < 0.5 ? 'batch' : 'interactive', ...(stop && { signal: stop.signal }) })
      .then(
        (scores) => count(asked, scores),
        (error: unknown) => countFailure(asked, error, stop !== undefined),
      );
    if (stop !== undefined) {
      if (random() < 0.5) await turn();
      stop.abort();
    }
    await answer;
  };
  const count = (asked: readonly (readonly number[])[], scores: readonly (readonly number[])[]): void => {
    tally.answered += asked.length;
    if (scores.length !== asked.length) tally.wrong.push(`${scores.length} rows for ${asked.length}`);
    for (const [index, [first = Number.NaN, second]] of asked.entries()) {
      const [lookedUp, told] = scores[index] ?? [];
      if (lookedUp !== 10 * (first + 1) || told !== second)
        tally.wrong.push(`row ${first}, ${second} was answered ${lookedUp}, ${told}`);
    }
  };
  const countFailure = (asked: readonly (readonly number[])[], error: unknown, mayBeCancelled: boolean): void => {
    const code = error instanceof PredictionError ? error.code : String(error);
    const bad = asked.some(([first, second]) => first === beyond || Number.isNaN(second));
    if (code === 'DEADLINE_EXCEEDED' && mayBeCancelled) tally.cancelled += asked.length;
    else if (code === 'INFERENCE_FAILED' && bad) {
      if (asked.some(([, second]) => Number.isNaN(second))) tally.refused += asked.length;
      else tally.failed += asked.length;
    } else tally.wrong.push(`${asked.length} rows failed with ${code}: ${error}`);
  };
  const caller = async (): Promise<void> => {
    while (next < rows) {
      if (random() < 0.2) await turn();
      await ask();
    }
  };
  await Promise.all(Array.from({ length: 64 }, caller));
  expect(tally.answered + tally.refused + tally.failed + tally.cancelled + tally.wrong.length, 'rows').toBe(next);
  return tally;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('rows of many callers at any time, some given up, some that fail', () => {
  test.each([
    ['in the main thread', false, 'inline', 1],
    ['in a process', true, 'process', 5],
  ] as const)('each gets its own row, %s', async (_, isolated, place, share) => {
    const engine = createOnnxEngine({ isIsolated: () => isolated });
    try {
      const model = await engine.load(engineModel('test@1.0.0'));
      if (isolated) expect(model.report.place).toBe(place);
      const tally = await storm(model, rowCount / share, 11);
      expect(tally.wrong.slice(0, 5)).toEqual([]);
      // Each kind of trouble was met.
      expect(Math.min(tally.answered, tally.refused, tally.failed, tally.cancelled)).toBeGreaterThan(0);
    } finally {
      await engine.close();
    }
  });
});
