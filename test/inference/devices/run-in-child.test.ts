import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { compareTensors } from '../../../src/inference/devices/compare-tensors.ts';
import { probeExpected, probeFeeds, probeGraph } from '../../../src/inference/devices/probe-graph.ts';
import { createChildRunner } from '../../../src/inference/devices/run-in-child.ts';
import { inferenceEnvironment } from '../../../src/platform/config.ts';

const environment = inferenceEnvironment();
const limitMs = 30_000;
const probe = {
  key: 'probe',
  artefact: probeGraph(),
  provider: 'cpu',
  feeds: [probeFeeds, probeFeeds],
  wanted: ['y'],
} as const;
/** A child that runs this before anything else. */
const childThat = (code: string) =>
  createChildRunner({ ...environment, NODE_OPTIONS: `--import=data:text/javascript,${code}` })();

describe('a graph in a child process', () => {
  test('gives the numbers that are computed without it, and says how many nodes ran where', async () => {
    const result = await createChildRunner(environment)()(probe, limitMs);
    if ('failure' in result) throw new Error(result.failure.message);
    expect(result.nodes.onDevice).toBe(0);
    expect(result.nodes.onCpu).toBeGreaterThanOrEqual(3); // the optimiser may add reorderings for the CPU's vectors
    expect(result.outputs).toHaveLength(2);
    for (const output of result.outputs) {
      if (typeof output === 'string') throw new Error(output);
      const { faults, maxDifference } = compareTensors(probeExpected(), output);
      expect(faults).toEqual([]);
      expect(maxDifference).toBeLessThan(1e-6);
    }
  });

  test('that is none is refused in the words of ONNX Runtime', async () => {
    const run = createChildRunner(environment)();
    expect(await run({ ...probe, artefact: Uint8Array.of(1, 2, 3) }, limitMs)).toMatchObject({
      failure: { kind: 'refused', message: expect.stringMatching(/protobuf/i) },
    });
  });

  test('that fails on one of what it is given is run on the others', async () => {
    const wrong = new Map([['x', { type: 'float32', dims: [1], data: Float32Array.of(1) } as const]]);
    const result = await createChildRunner(environment)()({ ...probe, feeds: [wrong, probeFeeds] }, limitMs);
    expect(result).toMatchObject({ outputs: [expect.stringContaining('failed to run'), expect.any(Map)] });
  });

  test('that aborts the process harms nobody, and the signal is told', async () => {
    expect(await childThat('process.abort()')(probe, limitMs)).toMatchObject({
      failure: { kind: 'crashed', message: 'SIGABRT' },
    });
  });

  test('that never comes back is ended at the limit', async () => {
    const run = childThat("process.stderr.write('pid='+process.pid+';');for(;;);");
    const result = await run(probe, 1_500);
    expect(result).toMatchObject({ failure: { kind: 'timed-out', message: 'no answer within 1500 ms' } });
    const [, pid] = 'failure' in result ? (result.failure.written.match(/pid=(\d+);/) ?? []) : [];
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });

  test('is ended at once when the server closes', async () => {
    const closing = new AbortController();
    const run = createChildRunner({ ...environment, NODE_OPTIONS: '--import=data:text/javascript,for(;;);' })(
      closing.signal,
    );
    const running = run(probe, 60_000);
    closing.abort();
    expect(await running).toMatchObject({ failure: { kind: 'not-started' } });
    expect(await run(probe, 60_000)).toMatchObject({ failure: { kind: 'not-started' } });
  });

  test('leaves no profile behind, which would tell the shapes of what was run', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('fhirsight-device-'));
    await createChildRunner(environment)()(probe, limitMs);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('fhirsight-device-'));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });
});
