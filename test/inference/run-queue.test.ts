import { describe, expect, test } from 'vitest';
import type { ModelSession } from '../../src/inference/model-session.ts';
import { tensorRows } from '../../src/inference/queue/join-rows.ts';
import { runCost } from '../../src/inference/queue/run-cost.ts';
import { createRunQueue, type QueueOptions, type RunQueue } from '../../src/inference/queue/run-queue.ts';
import type { RunOptions } from '../../src/model-catalog/run-options.ts';
import type { Tensors } from '../../src/model-catalog/tensor.ts';
import { PredictionError } from '../../src/platform/errors.ts';

const form = { name: 'x', type: 'float64', shape: [null, 1] } as const;

function column(values: readonly number[], name = 'x'): Tensors {
  return new Map([[name, { type: 'float64', dims: [values.length, 1], data: Float64Array.from(values) }]]);
}

function valuesOf(tensors: Tensors, name = 'risk'): number[] {
  return Array.from((tensors.get(name)?.data ?? []) as Float64Array);
}

interface Doubling {
  readonly queue: RunQueue;
  /** The rows of each run. */
  readonly runs: number[][];
  ask(values: readonly number[], options?: RunOptions): Promise<number[]>;
}

/** A graph that doubles and refuses negative numbers; a run ends with the turn of the event loop, or when `until` does. */
function doubling(
  change: Partial<QueueOptions> & {
    readonly answer?: (rows: number[]) => number[];
    readonly until?: () => Promise<void>;
  } = {},
): Doubling {
  const {
    answer = (rows) => rows,
    until = () => new Promise<void>((resolve) => setImmediate(resolve)),
    ...options
  } = change;
  const runs: number[][] = [];
  const session: ModelSession = {
    inputs: [form],
    outputs: [{ ...form, name: 'risk' }],
    otherOutputs: [],
    async run(feeds) {
      const values = valuesOf(feeds, 'x');
      runs.push(values);
      await until();
      if (values.some((value) => value < 0)) throw new PredictionError('INFERENCE_FAILED', 'a negative number');
      return column(answer(values.map((value) => 2 * value)), 'risk');
    },
    release: async () => undefined,
  };
  const queue = createRunQueue(session, {
    key: 'test@1.0.0',
    cost: runCost([{ rows: 1, ms: 1 }]),
    joint: { mostRows: 256, padTo: 1 },
    ...options,
  });
  const ask: Doubling['ask'] = async (values, runOptions) =>
    valuesOf(
      await queue.run(
        { input: column(values), form: tensorRows, wanted: ['risk'], rows: values.length, kind: 'rows' },
        runOptions,
      ),
    );
  return { queue, runs, ask };
}

/** A gate that holds every run until it is opened. */
function held(): { until: () => Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { until: () => opened, open: () => open() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('runs together', () => {
  test('all calls of one turn go together, and each gets its own rows', async () => {
    const { ask, runs } = doubling();
    expect(await Promise.all([ask([1]), ask([2, 3]), ask([4])])).toEqual([[2], [4, 6], [8]]);
    expect(runs).toEqual([[1, 2, 3, 4]]);
  });

  test('those that come while the model runs go together as soon as it is idle, and one that is alone at once', async () => {
    const { until, open } = held();
    const { ask, runs } = doubling({ until });
    const first = ask([1]);
    await turn();
    const others = [ask([2]), ask([3])];
    await turn();
    expect(runs).toEqual([[1]]);
    open();
    expect(await Promise.all([first, ...others])).toEqual([[2], [4], [6]]);
    expect(runs).toEqual([[1], [2, 3]]);
  });

  test('a call that cannot be run fails alone', async () => {
    const { ask } = doubling();
    expect(await Promise.allSettled([ask([1]), ask([-3]), ask([4])])).toEqual([
      { status: 'fulfilled', value: [2] },
      { status: 'rejected', reason: expect.objectContaining({ code: 'INFERENCE_FAILED' }) },
      { status: 'fulfilled', value: [8] },
    ]);
  });

  test('an answer with a row too few is given to nobody: each call is run by itself', async () => {
    const { ask } = doubling({ answer: (rows) => (rows.length > 1 ? rows.slice(1) : rows) });
    expect(await Promise.all([ask([1]), ask([2]), ask([3])])).toEqual([[2], [4], [6]]);
  });

  test('a lone answer with a row too many is refused', async () => {
    const { ask } = doubling({ answer: (rows) => [...rows, 0] });
    await expect(ask([1])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('nobody can tell whose they are'),
    });
  });

  test('no run has more rows than the most; a call with more is run in parts, in its order', async () => {
    const { ask, runs } = doubling({ joint: { mostRows: 4, padTo: 1 } });
    const answers = await Promise.all([ask([1, 2, 3]), ask([4, 5, 6, 7, 8, 9]), ask([10])]);
    expect(answers).toEqual([[2, 4, 6], [8, 10, 12, 14, 16, 18], [20]]);
    expect(Math.max(...runs.map(({ length }) => length))).toBe(4);
  });

  test('rows are filled up with the last one to the multiple, and what comes of that is dropped', async () => {
    const { ask, runs } = doubling({ joint: { mostRows: 256, padTo: 4 } });
    expect(await Promise.all([ask([1]), ask([2, 3, 4, 5])])).toEqual([[2], [4, 6, 8, 10]]);
    expect(runs).toEqual([[1, 2, 3, 4, 5, 5, 5, 5]]);
  });

  test('calls of another kind do not go together', async () => {
    const { queue, ask, runs } = doubling();
    const other = queue.run({ input: column([7]), form: tensorRows, wanted: ['risk'], rows: 1, kind: 'other' });
    await Promise.all([ask([1]), other, ask([2])]);
    expect(runs).toEqual([[7], [1, 2]]);
  });

  test('a call whose rows came or went while it waited fails, and moves no rows of others', async () => {
    const { queue, ask, runs } = doubling();
    const input = new Map(column([7]));
    const changed = queue.run({ input, form: tensorRows, wanted: ['risk'], rows: 1, kind: 'rows' });
    const others = [ask([1]), ask([2])];
    for (const [name, tensor] of column([7, 8])) input.set(name, tensor);
    await expect(changed).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(await Promise.all(others)).toEqual([[2], [4]]);
    expect(runs).toEqual([[1], [2]]);
  });

  test('without joint runs each call runs by itself', async () => {
    const { queue, runs } = doubling();
    const alone = createRunQueue(
      {
        inputs: [form],
        outputs: [],
        otherOutputs: [],
        run: async (feeds) => {
          runs.push(valuesOf(feeds, 'x'));
          return feeds;
        },
        release: async () => undefined,
      },
      { key: 'test@1.0.0', cost: runCost([]) },
    );
    await Promise.all(
      [1, 2].map((value) => alone.run({ input: column([value]), form: tensorRows, wanted: ['x'], rows: 1, kind: 'x' })),
    );
    expect(runs).toEqual([[1], [2]]);
    await queue.close();
  });
});

describe('what a run is expected to cost', () => {
  const padded = [
    { rows: 16, ms: 8 },
    { rows: 32, ms: 12 },
  ];

  test('a lone row costs as much as the rows that it is filled up to', () => {
    const cost = runCost(padded, 16);
    expect([1, 16, 17, 33].map(cost.expectedMs)).toEqual([8, 8, 12, 16]);
    expect([0, 8, 11, 12, 16].map(cost.rowsWithin)).toEqual([16, 16, 16, 32, 48]);
  });

  test('lone rows that took what was planned for them do not make the model look slower than it is', () => {
    const cost = runCost(padded, 16);
    for (let count = 0; count < 100; count++) cost.took(1, 8);
    expect(cost.expectedMs(32)).toBeCloseTo(12);
  });

  test('of one timed run of several rows each has its share', () => {
    expect([1, 16, 32].map(runCost([{ rows: 16, ms: 8 }], 16).expectedMs)).toEqual([8, 8, 16]);
  });

  test('a run for outputs that were not timed does not change what others are expected to take', async () => {
    const taken: number[] = [];
    const cost = { ...runCost([{ rows: 1, ms: 1 }]), took: (rows: number) => void taken.push(rows) };
    const { queue, ask } = doubling({ cost });
    await queue.run({ input: column([1, 2]), form: tensorRows, wanted: ['risk'], rows: 2, kind: undefined });
    await ask([3, 4, 5]);
    expect(taken).toEqual([3]);
  });
});

describe('lanes', () => {
  test('whoever waits at a bedside goes before a cohort run that came earlier', async () => {
    const { until, open } = held();
    const { ask, runs } = doubling({ until, joint: { mostRows: 2, padTo: 1 } });
    const calls = [ask([1])];
    await turn();
    calls.push(ask([10], { lane: 'batch' }), ask([11], { lane: 'batch' }), ask([2]), ask([3]));
    open();
    await Promise.all(calls);
    expect(runs).toEqual([[1], [2, 3], [10, 11]]);
  });

  test('a cohort run goes on although somebody always waits at a bedside', async () => {
    const { ask, runs } = doubling({ joint: { mostRows: 1, padTo: 1 } });
    const calls = [...Array(40)].map((_, index) => ask([index]));
    calls.push(ask([1000], { lane: 'batch' }));
    await Promise.all(calls);
    expect(runs.findIndex(([row]) => row === 1000)).toBeLessThan(20);
  });
});

describe('overload', () => {
  test('a call that cannot be in time is refused at once, with the time after which to try again', async () => {
    const { until, open } = held();
    const { ask } = doubling({ until, cost: runCost([{ rows: 1, ms: 2_500 }]), joint: { mostRows: 1, padTo: 1 } });
    const first = ask([1]);
    await turn();
    await expect(ask([2], { answerBy: performance.now() + 500 })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterSeconds: 3,
    });
    open();
    expect(await first).toEqual([2]);
  });

  test('nobody is let in too late because the rows ahead were counted before they are filled up', async () => {
    const { until, open } = held();
    const ask = doubling({
      until,
      cost: runCost([{ rows: 16, ms: 300 }], 16),
      joint: { mostRows: 16, padTo: 16 },
    }).ask;
    const first = ask([1]);
    await turn();
    await expect(ask([2], { answerBy: performance.now() + 400 })).rejects.toMatchObject({ code: 'OVERLOADED' });
    open();
    expect(await first).toEqual([2]);
  });

  test('a call that finds the model idle runs, although it will be late: nobody else would be helped', async () => {
    const { ask } = doubling({ cost: runCost([{ rows: 1, ms: 2_500 }]) });
    expect(await ask([1], { answerBy: performance.now() + 1 })).toEqual([2]);
  });

  test('nobody is let in who would wait for more than ten seconds, but a cohort run waits as long as it takes', async () => {
    const { until, open } = held();
    const { ask } = doubling({ until, cost: runCost([{ rows: 1, ms: 4_000 }]), joint: { mostRows: 1, padTo: 1 } });
    const taken = [ask([1])];
    await turn();
    taken.push(ask([2]), ask([3]), ask([4], { lane: 'batch' }));
    await expect(ask([5])).rejects.toMatchObject({ code: 'OVERLOADED' });
    taken.push(ask([6], { lane: 'batch' }));
    open();
    expect(await Promise.all(taken)).toEqual([[2], [4], [6], [8], [12]]);
  });

  test('of either lane no more than 1024 calls wait', async () => {
    const { until, open } = held();
    const { ask } = doubling({ until, cost: runCost([{ rows: 1, ms: 0.001 }]) });
    const taken = [ask([1])];
    await turn();
    for (let index = 0; index < 1024; index++) taken.push(ask([index]), ask([index], { lane: 'batch' }));
    await expect(ask([5])).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect(ask([5], { lane: 'batch' })).rejects.toMatchObject({ code: 'OVERLOADED' });
    open();
    await Promise.all(taken);
    expect(await ask([5])).toEqual([10]);
  });
});

describe('a call that is given up', () => {
  test('is dropped while it waits: it is never run', async () => {
    const { until, open } = held();
    const { ask, runs } = doubling({ until });
    const first = ask([1]);
    await turn();
    const stop = new AbortController();
    const second = ask([2], { signal: stop.signal });
    const third = ask([3]);
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    open();
    expect(await Promise.all([first, third])).toEqual([[2], [6]]);
    expect(runs).toEqual([[1], [3]]);
  });

  test('is abandoned while it runs: the run goes on for the others, and its result is dropped', async () => {
    const { until, open } = held();
    const { ask, runs } = doubling({ until });
    const stop = new AbortController();
    const calls = [ask([1], { signal: stop.signal }), ask([2])];
    await turn();
    stop.abort();
    await expect(calls[0]).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    open();
    expect(await calls[1]).toEqual([4]);
    expect(runs).toEqual([[1, 2]]);
  });

  test('is not begun where it was given up before, and says why where its signal does', async () => {
    const { ask, runs } = doubling();
    const closing = new PredictionError('SHUTTING_DOWN', 'the run is stopped');
    await expect(ask([1], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(ask([1], { signal: AbortSignal.abort(closing) })).rejects.toBe(closing);
    expect(runs).toEqual([]);
  });
});

describe('closing', () => {
  test('waits for all that was taken, and takes no more', async () => {
    const { queue, ask } = doubling();
    const calls = [ask([1]), ask([2])];
    await queue.close();
    expect(await Promise.all(calls)).toEqual([[2], [4]]);
    await expect(ask([3])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });
});
