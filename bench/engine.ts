/**
 * What does the inference engine cost, and what does it save?
 *
 *     node bench/engine.ts [rounds]      # 15 by default
 *
 * - batching: dense networks (64 inputs, float32, of several depths and widths) asked by 32 callers, each one row after the
 *   other, against the same 32 callers who run the same session directly; and the first of them by one caller;
 * - the event loop: how late a timer of 1 ms fires while a model runs that takes 20 ms or more, against an idle loop;
 * - a light model (PREVENT) asked by 32 callers beside that heavy one, against the same alone, and against the same beside
 *   another process that runs the heavy one: what cores take from each other whoever uses them;
 * - memory: 300 models loaded and released twice; what the second 300 leave is told beside the first.
 *
 * Both sides of each figure run in turn, round by round; figures are medians of the rounds' ratios. Ends with 1 only where
 * something failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EngineModel, LoadedModel } from '../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../src/inference/onnx-engine.ts';
import { openOnnxSession } from '../src/inference/onnx-session.ts';
import { denseOnnx } from '../test/support/slow-onnx.ts';
import { heavyOnnx } from './support/heavy-onnx.ts';
import { median } from './support/load.ts';
import { atLeast, atMost, type Figure, report } from './support/report.ts';

const [rounds = 15] = process.argv.slice(2).map(Number);
const sliceMs = 400;
const callers = 32;
const columns = 64;

type Ask = (row: readonly number[]) => Promise<unknown>;

/** Rows a second: each caller asks for one row after the other. */
async function rate(ask: Ask, rows: readonly (readonly number[])[], count: number, ms = sliceMs): Promise<number> {
  const started = performance.now();
  let answered = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, caller) => {
      for (let turn = caller; performance.now() - started < ms; turn += count) {
        await ask(rows[turn % rows.length] ?? []);
        answered += 1;
      }
    }),
  );
  return (answered * 1000) / (performance.now() - started);
}

/** Both sides in turn; the median of the rounds' ratios, and the median rate of each. */
async function against(
  one: () => Promise<number>,
  other: () => Promise<number>,
  times = rounds,
): Promise<{ ratio: number; one: number; other: number }> {
  const found: { ratio: number; one: number; other: number }[] = [];
  await one();
  await other();
  for (let round = 0; round < times; round++) {
    // Whoever goes first changes from round to round.
    const [first, second] = round % 2 === 0 ? [one, other] : [other, one];
    const [left, right] = [await first(), await second()];
    const [ours, theirs] = round % 2 === 0 ? [left, right] : [right, left];
    found.push({ ratio: ours / theirs, one: ours, other: theirs });
  }
  const of = (name: 'ratio' | 'one' | 'other'): number => median(found.map((each) => each[name]));
  return { ratio: of('ratio'), one: of('one'), other: of('other') };
}

function numbers(count: number, width: number): number[][] {
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: width }, (_, column) => Math.sin(row * 7.1 + column * 1.3)),
  );
}

const model = (key: string, artefact: Uint8Array, change: Partial<EngineModel> = {}): EngineModel => ({
  key,
  artefact,
  inputs: [{ name: 'x', type: 'float64', columns: 2 }],
  outputs: [{ name: 'risk', type: 'float64', columns: 1 }],
  ...change,
});

const engine = createOnnxEngine({ triesApart: true });

/** Layers and width of the dense networks. */
const networks = [
  [6, 128],
  [3, 256],
  [3, 512],
] as const;

async function batching(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [index, [layers, width]] of networks.entries()) {
    const artefact = denseOnnx(columns, width, layers);
    const dense = await engine.load(
      model('dense', artefact, {
        inputs: [{ name: 'x', type: 'float32', columns }],
        outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
      }),
    );
    const session = await openOnnxSession({ key: 'dense', artefact, provider: 'cpu', threads: 1 });
    const direct: Ask = async (row) => {
      const outputs = await session.run(
        new Map([['x', { type: 'float32', dims: [1, columns], data: Float32Array.from(row) }]]),
        ['risk'],
      );
      return outputs.get('risk')?.data[0];
    };
    const rows = numbers(1000, columns);
    const ours: Ask = (row) => dense.run([row]);
    const name = `dense network of ${layers} layers of ${width}`;
    console.log(`${name}: ${dense.report.place}, ${dense.report.because} Grade: ${dense.report.batches.grade}.`);
    for (const [count, least] of index === 0
      ? ([
          [callers, 6],
          [1, 0.8],
        ] as const)
      : ([[callers, 6]] as const)) {
      const { ratio, one, other } = await against(
        () => rate(ours, rows, count),
        () => rate(direct, rows, count),
      );
      const who = count === 1 ? 'one caller' : `${count} callers`;
      figures.push(
        atLeast(`${name}, ${who}: engine / unbatched`, ratio, least, { engineRowsPerS: one, directRowsPerS: other }),
      );
    }
    await session.release();
    await dense.release();
  }
  return figures;
}

async function heavyModel(): Promise<LoadedModel> {
  const heavy = await engine.load(model('heavy', heavyOnnx()));
  console.log(`heavy model: ${heavy.report.place}, ${heavy.report.because}`);
  return heavy;
}

/** Runs it again and again while the work goes on. */
async function beside<T>(heavy: LoadedModel, work: () => Promise<T>): Promise<T> {
  let goesOn = true;
  const running = (async () => {
    while (goesOn) await heavy.run([[1, 2]]);
  })();
  try {
    return await work();
  } finally {
    goesOn = false;
    await running;
  }
}

/** Does the work while another process, of which the engine knows nothing, runs the heavy model again and again. */
async function besideStranger<T>(stranger: ChildProcess, work: () => Promise<T>): Promise<T> {
  stranger.kill('SIGCONT');
  try {
    return await work();
  } finally {
    stranger.kill('SIGSTOP');
  }
}

async function startStranger(): Promise<ChildProcess> {
  const entry = fileURLToPath(new URL('support/heavy-process.ts', import.meta.url));
  const stranger = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(stranger.stdout, 'data');
  stranger.kill('SIGSTOP');
  return stranger;
}

/** 99th percentile of how late a timer of 1 ms fires, in milliseconds, the timer's own time included. */
async function loopDelay(): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await wait(1_000);
  delay.disable();
  return delay.percentile(99) / 1e6;
}

async function besideHeavy(): Promise<Figure[]> {
  const heavy = await heavyModel();
  const runMs = heavy.report.runs[0]?.ms ?? 0;
  if (runMs < 20) throw new Error(`the heavy model takes ${runMs} ms only`);
  const loop = await against(() => beside(heavy, loopDelay), loopDelay);
  const folder = new URL('../models/prevent-base/1.0.0/', import.meta.url);
  const light = await engine.load(
    model('light', readFileSync(new URL('model.onnx', folder)), {
      inputs: [{ name: 'x', type: 'float64', columns: 11 }],
      outputs: [{ name: 'risk', type: 'float64', columns: 10 }],
    }),
  );
  console.log(`light model: ${light.report.place}`);
  const rows = Array.from({ length: 100 }, (_, row) => [50 + (row % 20), 1, 200, 50, 130, 27, 90, 0, 0, 0, 0]);
  const ask: Ask = (row) => light.run([row]);
  const alone = await against(
    () => beside(heavy, () => rate(ask, rows, callers, sliceMs)),
    () => rate(ask, rows, callers, sliceMs),
    // The two are nearly alike, and the machine by itself is half as fast again in one second as in the next.
    4 * rounds,
  );
  const stranger = await startStranger();
  const control = await against(
    () => beside(heavy, () => rate(ask, rows, callers, sliceMs)),
    () => besideStranger(stranger, () => rate(ask, rows, callers, sliceMs)),
    4 * rounds,
  );
  stranger.kill('SIGKILL');
  await heavy.release();
  await light.release();
  return [
    atMost('event-loop delay p99 while a model of 20 ms runs / idle', loop.ratio, 5, {
      besideMs: loop.one,
      idleMs: loop.other,
      heavyRunMs: runMs,
    }),
    atLeast('light model beside the heavy one / alone', alone.ratio, 0.97, {
      besideRowsPerS: alone.one,
      aloneRowsPerS: alone.other,
    }),
    atLeast('light model beside the heavy one / beside another process that does the same', control.ratio, 0.97, {
      besideRowsPerS: control.one,
      besideStrangerRowsPerS: control.other,
    }),
  ];
}

async function memory(): Promise<Figure[]> {
  const cycles = 300;
  const artefact = denseOnnx(columns, 128, 2);
  const here = createOnnxEngine();
  const loadAndRelease = async (): Promise<number> => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      const loaded = await here.load(
        model(`cycle-${cycle}`, artefact, {
          inputs: [{ name: 'x', type: 'float32', columns }],
          outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
        }),
      );
      await loaded.run(numbers(4, columns));
      await loaded.release();
    }
    globalThis.gc?.();
    await wait(200);
    return process.memoryUsage.rss() / 1e6;
  };
  const first = await loadAndRelease();
  const second = await loadAndRelease();
  await here.close();
  // As a ratio like all figures: ten megabytes above the first.
  return [
    atMost(
      `RSS after the second ${cycles} loads and releases / after the first`,
      second / first,
      (first + 10) / first,
      {
        firstMb: first,
        secondMb: second,
      },
    ),
  ];
}

try {
  const figures = [...(await batching()), ...(await besideHeavy()), ...(await memory())];
  report('engine', { rounds }, figures);
} finally {
  await engine.close();
}
