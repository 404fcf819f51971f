import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServedModel } from '../../../src/entrances/inference-protocol/inference-models.ts';
import { createRemoteEngine, type RemoteEngine } from '../../../src/inference/remote/remote-engine.ts';
import { elementTypes, type Tensor } from '../../../src/model-catalog/tensor.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { arbitraryRows, bitsOf, tensorOf } from '../../support/arbitrary-tensor.ts';
import { createGraphOpener } from '../../support/graph-opener.ts';
import { onnxBytes } from '../../support/onnx-model.ts';
import { type ProtocolServer, protocolToken, startProtocolServer } from '../../support/protocol-server.ts';

const holdsNoNul = ({ data }: Tensor): boolean => ![...data].some((element) => String(element).includes('\0'));

/** Tensors of every type: over HTTP into a real ONNX session, and back. */

const graphs = createGraphOpener();
const models = new Map<string, ServedModel>();
let server: ProtocolServer;
let folder: string;
const engines: RemoteEngine[] = [];
beforeAll(async () => {
  for (const type of elementTypes) {
    const shape = ['n', 2];
    const { inputs, outputs, infer } = await graphs.open(
      onnxBytes({
        inputs: [{ name: 'x', type, shape }],
        outputs: [{ name: 'y', type, shape }],
        nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
      }),
    );
    models.set(type, { name: type, version: '1.0.0', inputs, outputs, acceptsNaN: new Set(['x']), infer });
  }
  server = await startProtocolServer({
    find: (name) => {
      const model = models.get(name);
      if (model === undefined) throw new PredictionError('MODEL_UNKNOWN', `There is no model ${name}.`);
      return model;
    },
    versionsOf: () => ['1.0.0'],
    held: (work) => work(),
    allReady: () => true,
  });
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-graphs-'));
  await writeFile(path.join(folder, 'token'), protocolToken);
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await server.close();
  await graphs.close();
  await rm(folder, { recursive: true });
});

describe.each([true, false])('with binary tensors: %s', (binary) => {
  test.each(elementTypes)('%s', async (type) => {
    const engine = createRemoteEngine('graphs', {
      protocol: 'open-inference',
      url: server.url,
      allowPlainHttp: false,
      tokenFile: path.join(folder, 'token'),
      timeoutMs: 30_000,
      attempts: 1,
      binary,
      connections: 4,
      maxAnswerMb: 1,
    });
    engines.push(engine);
    const session = await engine.open({ key: 'graph@1.0.0', model: type });
    await fc.assert(
      fc.asyncProperty(arbitraryRows(type, 2).filter(holdsNoNul), async (tensor) => {
        const answer = await session.run(new Map([['x', tensor]]), ['y']);
        expect([...answer].map(([name, y]) => [name, bitsOf(y)])).toEqual([['y', bitsOf(tensor)]]);
      }),
      { numRuns: 10 },
    );
  });
});

test('NaN passes through a real session; a text with a NUL, which ONNX Runtime would cut, does not', async () => {
  const numbers = await engines[0]?.open({ key: 'graph@1.0.0', model: 'float16' });
  const half = tensorOf('float16', [1, 2], [0x7e00, 0x0001]);
  expect((await numbers?.run(new Map([['x', half]]), ['y']))?.get('y')).toEqual(half);
  const texts = await engines[0]?.open({ key: 'graph@1.0.0', model: 'string' });
  const text = tensorOf('string', [1, 2], ['🫀', 'a\u0000b']);
  await expect(texts?.run(new Map([['x', text]]), ['y'])).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    issues: [{ message: expect.stringMatching(/\(400\).*input x has a text \(1\) that holds NUL/) }],
  });
});
