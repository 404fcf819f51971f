import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRemoteEngine, type RemoteEngine } from '../../../src/inference/remote/remote-engine.ts';
import { type ElementType, elementTypes } from '../../../src/model-catalog/tensor.ts';
import { arbitraryRows, bitsOf, tensorOf } from '../../support/arbitrary-tensor.ts';
import {
  type EchoFault,
  echoModels,
  type ProtocolServer,
  protocolToken,
  startProtocolServer,
} from '../../support/protocol-server.ts';

/** One fhirsight as the engine of another: both ends of the protocol are ours, over real HTTP. */

const fault: EchoFault = {};
let server: ProtocolServer;
let folder: string;
const engines: RemoteEngine[] = [];
beforeAll(async () => {
  server = await startProtocolServer(echoModels(fault));
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-own-'));
  await writeFile(path.join(folder, 'token'), protocolToken);
  await writeFile(path.join(folder, 'other'), 'another-token-of-the-test');
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await server.close();
  await rm(folder, { recursive: true });
});

function engineTo(binary: boolean, token = 'token'): RemoteEngine {
  const engine = createRemoteEngine('other', {
    protocol: 'open-inference',
    url: server.url,
    allowPlainHttp: false,
    tokenFile: path.join(folder, token),
    timeoutMs: 30_000,
    attempts: 1,
    binary,
    connections: 16,
    maxAnswerMb: 1,
  });
  engines.push(engine);
  return engine;
}

describe.each([true, false])('with binary tensors: %s', (binary) => {
  test.each(elementTypes)('%s goes there and comes back, bit for bit', async (type: ElementType) => {
    const session = await engineTo(binary).open({ key: 'echo@1', model: `echo-${type}` });
    expect(session).toMatchObject({ inputs: [{ name: 'x', type, shape: [null, 3] }], runtime: 'fhirsight 9.9.9' });
    await fc.assert(
      fc.asyncProperty(arbitraryRows(type, 3), async (tensor) => {
        const answer = await session.run(new Map([['x', tensor]]), ['y']);
        expect([...answer].map(([name, y]) => [name, bitsOf(y)])).toEqual([['y', bitsOf(tensor)]]);
      }),
      { numRuns: 15 },
    );
  });

  test('100 concurrent calls to both versions each get their own row', async () => {
    const engine = engineTo(binary);
    const sessions = await Promise.all(
      ['1.0.0', '2.0.0'].map((version) => engine.open({ key: 'echo@1', model: 'echo-int64', version })),
    );
    const sent = Array.from({ length: 100 }, (_, call) =>
      tensorOf('int64', [1, 3], [BigInt(call), 2n ** 53n + BigInt(call), -(2n ** 62n) - BigInt(call)]),
    );
    const answers = await Promise.all(
      sent.map((tensor, call) => sessions[call % 2]?.run(new Map([['x', tensor]]), ['y'])),
    );
    expect(answers.map((answer) => answer?.get('y'))).toEqual(sent);
  });
});

test('NaN goes there and back as bytes, where the model takes it; what it refuses is said to the caller', async () => {
  const engine = engineTo(true);
  const feeds = new Map([['x', tensorOf('float64', [1, 3], [1, Number.NaN, 1])]]);
  const takes = await engine.open({ key: 'echo@2', model: 'echo-float64', version: '2.0.0' });
  expect((await takes.run(feeds, ['y'])).get('y')?.data[1]).toBeNaN();
  const refuses = await engine.open({ key: 'echo@1', model: 'echo-float64', version: '1.0.0' });
  await expect(refuses.run(feeds, ['y'])).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    issues: [
      {
        message: expect.stringContaining('It says: Model echo-float64 1.0.0 cannot take the input x: element 1 is NaN'),
      },
    ],
  });
});

test('the wrong token opens nothing', async () => {
  await expect(engineTo(true, 'other').open({ key: 'echo@1', model: 'echo-int8' })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringMatching(/does not accept the token.*\(401\)/),
  });
});

test('a text with a NUL, an emoji and a byte order mark is the same text there', async () => {
  const session = await engineTo(true).open({ key: 'echo@1', model: 'echo-string' });
  const tensor = tensorOf('string', [1, 3], ['a\u0000b', '🫀', '\ufeff']);
  expect((await session.run(new Map([['x', tensor]]), ['y'])).get('y')).toEqual(tensor);
});
