import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ModelSession } from '../../src/inference/model-session.ts';
import { type Trial, tryModel } from '../../src/inference/trial/try-model.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { elementwise } from '../support/onnx-networks.ts';

const form = { name: 'x', type: 'float64', shape: [null, 1] } as const;
const plain = onnxBytes(elementwise('Relu', 1));
/** Rows of it are always filled up to whole vectors, see hasVectorOperators. */
const ofVectors = onnxBytes(elementwise('Log', 1));

interface Graph {
  readonly artefact: Uint8Array;
  /** Makes a run of so many rows last, or work. */
  readonly spend: (rows: number) => void;
  /** A lone row scores other bits. */
  readonly lonely?: boolean;
}

function tried({ artefact, spend, lonely = false }: Graph): Promise<Trial> {
  const session: ModelSession = {
    inputs: [form],
    outputs: [{ ...form, name: 'risk' }],
    otherOutputs: [],
    async run(feeds) {
      const data = feeds.get('x')?.data as Float64Array;
      spend(data.length);
      const risks = data.map((value) => (lonely && data.length === 1 ? value * (1 + 1e-9) : value));
      return new Map([['risk', { type: 'float64', dims: [data.length, 1], data: risks }]]);
    },
    release: async () => undefined,
  };
  return tryModel(async () => session, {
    session: { key: 'test@1.0.0', artefact, provider: 'cpu', threads: 1 },
    samples: new Map([['x', { type: 'float64', dims: [3, 1], data: Float64Array.of(1, 2, 3) }]]),
    budgetMs: 20,
  });
}

describe('on a clock of its own', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());
  const lasts = (ms: (rows: number) => number) => (rows: number) => void vi.advanceTimersByTime(ms(rows));
  const gaining = lasts(() => 30);
  const notGaining = lasts((rows) => 30 * rows);

  test.each([
    ['bitwise', { artefact: plain }, { grade: 'bitwise' }, 1],
    ['padded', { artefact: plain, lonely: true }, { grade: 'padded', padTo: 2 }, 2],
    ['padded to vectors', { artefact: ofVectors }, { grade: 'padded', padTo: 16 }, 4],
  ])(
    'a restart on a busy machine does not make another Device: %s stays so where rows gain nothing together',
    async (_, graph, batches, mostRows) => {
      const [gains, none] = [await tried({ ...graph, spend: gaining }), await tried({ ...graph, spend: notGaining })];
      expect(gains.batches).toEqual(batches);
      expect(none.batches).toEqual(batches);
      expect(gains.mostRows).toBeGreaterThanOrEqual(none.mostRows);
      expect(none.mostRows).toBe(mostRows);
    },
  );

  test('the run that a lone row costs is timed where rows are filled up, although it takes long', async () => {
    const { runs } = await tried({ artefact: ofVectors, spend: lasts((rows) => 5 * rows) });
    expect(runs).toContainEqual({ rows: 16, ms: 80 });
  });

  test('a run that takes long because others work is not taken for one that is too dear to be filled up', async () => {
    // The clock goes on, and this process has done nothing.
    const { batches } = await tried({ artefact: ofVectors, spend: lasts((rows) => 10 * rows) });
    expect(batches).toEqual({ grade: 'padded', padTo: 16 });
  });
});

test('nobody waits for fifteen copies of a row that is much work: it runs by itself', async () => {
  const work = (rows: number): void => {
    const worked = process.cpuUsage();
    for (let ms = 0; ms < 2 * rows; ) {
      const { user, system } = process.cpuUsage(worked);
      ms = (user + system) / 1000;
    }
  };
  const { batches, mostRows } = await tried({ artefact: ofVectors, spend: work });
  expect({ batches, mostRows }).toEqual({ batches: { grade: 'single' }, mostRows: 1 });
});
