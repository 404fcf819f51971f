import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EngineModel, InferenceEngine, LoadedModel } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine, type OnnxEngineOptions } from '../../src/inference/onnx-engine.ts';
import { children, isAlive, processorSeconds } from '../support/child-processes.ts';
import { loopOnnx, slowOnnx } from '../support/slow-onnx.ts';

const columns = 2;
/** A number of rounds that never ends. */
const forEver = 1e15;

function engineModel(artefact: Uint8Array): EngineModel {
  return {
    key: 'test@1.0.0',
    artefact,
    inputs: [{ name: 'x', type: 'float64', columns }],
    outputs: [{ name: 'risk', type: 'float64', columns }],
    samples: [[1, 2]],
  };
}

const losses: string[] = [];
let engine: InferenceEngine;

function open(options: OnnxEngineOptions): void {
  engine = createOnnxEngine({ ...options, lost: (key, place, reason) => losses.push(`${key} ${place} ${reason}`) });
}

/** Loads it where it can be killed, and says which process that is. */
async function loadIsolated(artefact: Uint8Array, options: OnnxEngineOptions = {}): Promise<[LoadedModel, number]> {
  open({ ...options, isIsolated: () => true });
  const before = children();
  const model = await engine.load(engineModel(artefact));
  const [started] = children().filter((pid) => !before.includes(pid));
  if (started === undefined) throw new Error('no process was started');
  return [model, started];
}

beforeEach(() => {
  losses.length = 0;
});
afterEach(() => engine.close());

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
const expected = [expect.closeTo(sigmoid(sigmoid(1)), 12), expect.closeTo(sigmoid(sigmoid(-1)), 12)];

describe('a process that runs a model', () => {
  test('is killed while it runs: the run is tried once more, and nobody notices but the log', async () => {
    const [model, pid] = await loadIsolated(slowOnnx(columns, columns, { size: 700, products: 2 }));
    const run = model.run([[1, 2]]);
    setImmediate(() => process.kill(pid, 'SIGKILL'));
    expect(await run).toEqual([[0.5, 0.5]]);
    expect(losses).toEqual([expect.stringMatching(new RegExp(`process .*process ${pid}\\) was ended by SIGKILL`))]);
  });

  test('is killed while nothing runs: the next run finds another one', async () => {
    const [model, pid] = await loadIsolated(loopOnnx(columns));
    process.kill(pid, 'SIGKILL');
    expect(await model.run([[1, -1]])).toEqual([expected]);
    expect(losses).toHaveLength(1);
  });

  test('is killed as the model is released: it is released, and the engine closes', async () => {
    const [model, pid] = await loadIsolated(loopOnnx(columns));
    process.kill(pid, 'SIGKILL');
    await model.release();
    await engine.close();
    expect(children()).not.toContain(pid);
  });

  test('does not outlive the server, even in a run that never ends', async () => {
    const parent = spawn(process.execPath, [path.join(import.meta.dirname, '../support/endless-run.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString('utf8'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 20_000);
  });

  test('hangs: the run fails by name, the process is killed, and the next run is answered', async () => {
    const [model, pid] = await loadIsolated(loopOnnx(columns), { stuckAfterMs: 300 });
    await expect(model.run([[forEver, 1]])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('did not end a run within 300 ms'),
    });
    expect(await model.run([[1, -1]])).toEqual([expected]);
    expect(children()).not.toContain(pid);
    expect(losses).toEqual([expect.stringContaining('given up')]);
  });

  test('is asked by many when it is killed: each gets its own row or hears that it failed', async () => {
    const [model, pid] = await loadIsolated(loopOnnx(columns));
    const rows = Array.from({ length: 40 }, (_, index) => [1, -index]);
    const runs = rows.map((row) => model.run([row]));
    setImmediate(() => process.kill(pid, 'SIGKILL'));
    const answers = await Promise.all(runs);
    for (const [index, [answer]] of answers.entries()) expect(answer?.[1]).toBeCloseTo(sigmoid(sigmoid(-index)), 12);
  });

  test('is killed in every try of a run: that run fails by name, and the next one is answered', async () => {
    const [model] = await loadIsolated(loopOnnx(columns));
    const killing = setInterval(() => {
      // Starting and opening take a third of that: it is in the middle of the run.
      for (const pid of children()) if (processorSeconds(pid) > 1.5) process.kill(pid, 'SIGKILL');
    }, 20);
    onTestFinished(() => clearInterval(killing));
    await expect(model.run([[forEver, 1]])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringMatching(/lost twice.*SIGKILL/),
    });
    clearInterval(killing);
    expect(await model.run([[1, -1]])).toEqual([expected]);
  });

  test('wants more memory than it may have: the run fails by name and the model goes on', async () => {
    const [model] = await loadIsolated(slowOnnx(columns, columns, { size: 64, products: 1 }), {
      triesApart: true,
      // Node alone, with a thread of its own, takes up to 1000 MB of address space.
      limits: { memoryMb: 1500, environment: {} },
    });
    const rows = Array.from({ length: 256 }, () => [1, 1]);
    expect(await model.run(rows)).toHaveLength(256);
    const bomb = engine.load(engineModel(slowOnnx(columns, columns, { size: 20_000, products: 1 })));
    await expect(bomb).rejects.toMatchObject({ code: expect.stringMatching(/INFERENCE_FAILED|MODEL_INVALID/) });
    expect(await model.run([[1, 1]])).toEqual([[0.5, 0.5]]);
  });
});

describe('a thread that runs a model', () => {
  test('hangs: it is given up, and the model goes on in a process, where it can be killed', async () => {
    open({ stuckAfterMs: 400 });
    // Too slow for the main thread: ten thousand rounds are some milliseconds.
    const model = await engine.load({ ...engineModel(loopOnnx(columns)), samples: [[10_000, 1]] });
    expect(model.report.place).toBe('thread');
    const before = children();
    // Ends after about two seconds: a thread that never did could not be left behind.
    const rounds = Math.round((10_000 * 2_000) / (model.report.runs[0]?.ms ?? 1));
    await expect(model.run([[rounds, 1]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(await model.run([[1, -1]])).toEqual([expected]);
    expect(children().length).toBe(before.length + 1);
    expect(losses).toEqual([expect.stringContaining('thread')]);
  });
});
