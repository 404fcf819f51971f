import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineModel, InferenceEngine } from '../../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { createPlacedEngine } from '../../../src/inference/placed-engine.ts';
import { onnxBytes, sigmoidModel } from '../../support/onnx-model.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { rendered, type StubProtocolServer, startStubProtocolServer } from '../../support/stub-protocol-server.ts';

let stub: StubProtocolServer;
let engine: InferenceEngine;
beforeEach(async () => {
  stub = await startStubProtocolServer();
  engine = placed();
});
afterEach(async () => {
  await engine.close();
  await stub.close();
});

function placed(timeoutMs = 30_000): InferenceEngine {
  const farm = {
    protocol: 'open-inference' as const,
    url: stub.url,
    allowPlainHttp: false,
    timeoutMs,
    attempts: 1,
    binary: true,
    connections: 16,
    maxAnswerMb: 1,
  };
  const models = { far: { engine: 'farm', remoteModel: 'double', remoteVersion: '7' } };
  return createPlacedEngine({ file: 'engines.json', remote: { farm }, models }, createOnnxEngine());
}
const model = (key: string, change: Partial<EngineModel> = {}): EngineModel => ({
  key,
  artefact: onnxBytes(sigmoidModel('float32', 2)),
  inputs: [{ name: 'x', type: 'float32', columns: 2 }],
  outputs: [{ name: 'y', type: 'float32', columns: 2 }],
  samples: [
    [1, 2],
    [3, 4],
  ],
  ...change,
});
const infers = () => stub.requests.filter(({ path }) => path.endsWith('/infer')).length;

test('a model runs where the file has it, and says so; every other one runs here', async () => {
  const far = await engine.load(model('far@1.0.0'));
  expect(
    await far.run([
      [1, 2],
      [0.5, -3],
    ]),
  ).toEqual([
    [2, 4],
    [1, -6],
  ]);
  expect(far.report).toMatchObject({
    place: 'remote',
    because: 'ENGINES_FILE has it run by farm.',
    runtime: 'stub 1.2',
    batches: { grade: 'bitwise' },
    device: { provider: 'remote' },
  });
  const near = await engine.load(model('near@1.0.0', { outputs: [{ name: 'risk', type: 'float32', columns: 2 }] }));
  expect(await near.run([[0, 0]])).toEqual([[0.5, 0.5]]);
  expect(near.report.device.provider).toBe('cpu');
});

test('what is served there is held against the manifest, and the message says that it is not the file', async () => {
  await expect(
    engine.load(model('far@1.0.0', { outputs: [{ name: 'risk', type: 'float32', columns: 2 }] })),
  ).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringMatching(/no output named risk; it has: y, n.*what engine farm serves/),
  });
  await stub.close();
  await expect(engine.load(model('far@1.0.0'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

test('a number that its type cannot hold, or that is none, is not sent', async () => {
  const far = await engine.load(model('far@1.0.0'));
  const before = infers();
  await expect(far.run([[1, Number.NaN]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  await expect(far.run([[1, 1e300]])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  expect(infers()).toBe(before);
});

describe('calls that run together', () => {
  test('fail together where the server is gone, and none of them waits for its own time', async () => {
    await engine.close();
    engine = placed(1_000);
    const far = await engine.load(model('far@1.0.0'));
    const callAll = async () => {
      const before = infers();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, call) => far.run([[call, 0]])));
      const told = outcomes.map((one) => (one.status === 'rejected' ? one.reason.code : one.value[0]?.[0]));
      return { told, runs: infers() - before };
    };
    // How many rows go together was timed as the model was loaded: a busy machine has fewer, and more runs.
    const answered = await callAll();
    expect(answered.told).toEqual(Array.from({ length: 20 }, (_, call) => call * 2));
    stub.faults.push({ does: 'hang' });
    const gone = await callAll();
    expect(gone).toEqual({ told: Array(20).fill('ENGINE_UNAVAILABLE'), runs: answered.runs });
    stub.faults.length = 0;
    expect(await far.run([[7, 0]])).toEqual([[14, 0]]);
  });

  test('fail alone where the server fails at their row', async () => {
    const far = await engine.load(model('far@1.0.0'));
    stub.faults.push({
      does: (answer, head) => {
        const [rows] = (head.outputs[0]?.shape ?? []) as number[];
        const bytes = answer.body.subarray(-8 * (rows ?? 0));
        const poisoned = Array.from({ length: bytes.length / 8 }, (_, row) => bytes.readFloatLE(row * 8)).includes(26);
        return poisoned ? { status: 500, headers: {}, body: Buffer.alloc(0) } : answer;
      },
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, call) => far.run([[call, 0]])));
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value[0]?.[0] : outcome.reason.code)),
    ).toEqual(Array.from({ length: 20 }, (_, call) => (call === 13 ? 'INFERENCE_FAILED' : call * 2)));
  });

  test('under a server that is slow, wrong and killed in turn each get their own row or an error, and then all are answered', async () => {
    const far = await engine.load(model('far@1.0.0'));
    const random = seededRandom(11);
    stub.faults.push({
      does: async (answer, head) => {
        const fate = random();
        await pause(Math.floor(random() * 4));
        if (fate < 0.15) throw new Error('killed');
        if (fate < 0.3) return rendered({ ...head, id: 'that of another' });
        return answer;
      },
    });
    let answered = 0;
    const callers = Array.from({ length: 10 }, async (_, caller) => {
      for (let call = 0; call < 30; call++) {
        const value = caller * 100 + call;
        const rows = await far
          .run([
            [value, 1],
            [value, 2],
          ])
          .catch((error: unknown) => {
            expect(error).toMatchObject({ code: expect.stringMatching(/^(ENGINE_UNAVAILABLE|INFERENCE_FAILED)$/) });
            return undefined;
          });
        if (rows === undefined) continue;
        expect(rows).toEqual([
          [value * 2, 2],
          [value * 2, 4],
        ]);
        answered += 1;
      }
    });
    await Promise.all(callers);
    expect(answered).toBeGreaterThan(50);
    stub.faults.length = 0;
    expect(await far.run([[7, 0]])).toEqual([[14, 0]]);
  });
});

test('a server process that is killed under load: each call gets its own rows or an error, and the next server answers', async () => {
  const port = Number(new URL(stub.url).port);
  await stub.close();
  let killed = await startProcess(port);
  const far = await engine.load(model('far@1.0.0'));
  let answered = 0;
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, async (_, caller) => {
      const codes: string[] = [];
      for (let call = 0; call < 10; call++) {
        const value = caller * 10 + call;
        await far.run([[value, caller]]).then(
          (rows) => {
            expect(rows).toEqual([[value * 2, caller * 2]]);
            answered += 1;
            if (answered === 100) killed.kill('SIGKILL');
          },
          (error: { code: string }) => codes.push(error.code),
        );
      }
      return codes;
    }),
  );
  expect(new Set(outcomes.flat())).toEqual(new Set(['ENGINE_UNAVAILABLE']));
  killed = await startProcess(port);
  try {
    expect(await far.run([[7, 0]])).toEqual([[14, 0]]);
  } finally {
    killed.kill('SIGKILL');
  }
});

/** The stub in a process of its own. */
async function startProcess(port: number): Promise<ChildProcess> {
  const file = new URL('../../support/stub-protocol-server.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(file)}).then((stub) => stub.startStubProtocolServer(${port})).then(() => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test('a closed engine loads nothing more, and what it loaded runs no more', async () => {
  const far = await engine.load(model('far@1.0.0'));
  const run = far.run([[1, 1]]);
  await engine.close();
  expect(await run).toEqual([[2, 2]]);
  await expect(far.run([[1, 1]])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  await expect(engine.load(model('far@1.0.0'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
});
