import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RemoteEngineSettings } from '../../../src/inference/engines-schema.ts';
import {
  createRemoteEngine,
  type RemoteEngine,
  type RemoteSession,
} from '../../../src/inference/remote/remote-engine.ts';
import type { Tensors } from '../../../src/model-catalog/tensor.ts';
import { tensorOf } from '../../support/arbitrary-tensor.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import {
  type InferHead,
  rendered,
  type StubAnswer,
  type StubFault,
  type StubProtocolServer,
  startStubProtocolServer,
} from '../../support/stub-protocol-server.ts';

let stub: StubProtocolServer;
const engines: RemoteEngine[] = [];
beforeEach(async () => {
  stub = await startStubProtocolServer();
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await stub.close();
});

function engineTo(url: string, change: Partial<RemoteEngineSettings> = {}): RemoteEngine {
  const engine = createRemoteEngine('farm', {
    protocol: 'open-inference',
    url,
    allowPlainHttp: false,
    timeoutMs: 30_000,
    attempts: 2,
    binary: true,
    connections: 16,
    maxAnswerMb: 1,
    ...change,
  });
  engines.push(engine);
  return engine;
}
const open = (change: Partial<RemoteEngineSettings> = {}, version?: string): Promise<RemoteSession> =>
  engineTo(stub.url, change).open({
    key: 'test@1.0.0',
    model: 'double',
    ...(version === undefined ? {} : { version }),
  });
const rows = (...values: number[]): Tensors => new Map([['x', tensorOf('float32', [values.length / 2, 2], values)]]);
const infers = () => stub.requests.filter(({ path }) => path.endsWith('/infer')).length;

describe.each([true, false])('with binary tensors: %s', (binary) => {
  test('a remote model takes and gives what its server says, and each call gets its own rows', async () => {
    const session = await open({ binary });
    expect(session).toMatchObject({
      runtime: 'stub 1.2',
      inputs: [{ name: 'x', type: 'float32', shape: [null, 2] }],
      outputs: [
        { name: 'y', type: 'float32', shape: [null, 2] },
        { name: 'n', type: 'int64', shape: [null, 1] },
      ],
      otherOutputs: [],
    });
    const answer = await session.run(rows(1, 2, 3, 4), ['n', 'y']);
    expect([...answer]).toEqual([
      ['n', tensorOf('int64', [2, 1], [0n, 1n])],
      ['y', tensorOf('float32', [2, 2], [2, 4, 6, 8])],
    ]);
    expect([...(await session.run(rows(0.1, 3), ['y'])).values()]).toEqual([
      tensorOf('float32', [1, 2], [0.2, 6].map(Math.fround)),
    ]);
    const { headers } = stub.requests.at(-1) ?? {};
    expect(headers?.['content-type']).toBe(binary ? 'application/octet-stream' : 'application/json');
  });

  const changed =
    (change: (head: InferHead) => void): StubFault['does'] =>
    ({ body, headers }, head) => {
      const length = Number(headers['inference-header-content-length'] ?? body.length);
      change(head);
      return rendered(head, binary ? [body.subarray(length)] : []);
    };
  const output = (change: Record<string, unknown>): StubFault['does'] =>
    changed((head) => Object.assign(head.outputs[0] ?? {}, change));
  const sent =
    (change: Partial<StubAnswer>): StubFault['does'] =>
    (answer) => ({ ...answer, ...change });

  test.each<[string, StubFault['does'], RegExp]>([
    ['the id of another call', changed((head) => Object.assign(head, { id: 'other' })), /may be the answer to another/],
    ['no id', changed((head) => Object.assign(head, { id: undefined })), /may be the answer to another/],
    [
      'another model',
      changed((head) => Object.assign(head, { model_name: 'triple' })),
      /of the model triple; asked was double/,
    ],
    ['another version', changed((head) => Object.assign(head, { model_version: '8' })), /of version 8; expected is 7/],
    ['a version that is a number', changed((head) => Object.assign(head, { model_version: 7 })), /of version no text/],
    ['an output of another name', output({ name: 'z' }), /lacks the output y/],
    [
      'an output twice',
      changed((head) => head.outputs.push({ ...head.outputs[0], parameters: undefined, data: [0, 0], shape: [1, 2] })),
      /output y is there twice/,
    ],
    ['no outputs', changed((head) => Object.assign(head, { outputs: undefined })), /'outputs' must be a list/],
    ['another datatype', output({ datatype: 'INT32' }), /an output y that has type int32; declared is float32/],
    ['a datatype of others', output({ datatype: 'BF16' }), /no known datatype/],
    ['another shape', output({ shape: [2, 1] }), /has shape \[2, 1\]; declared is \[\?, 2\]/],
    ['a shape that is not that of its data', output({ shape: [2, 2] }), /its shape \[2, 2\]/],
    ['a free shape', output({ shape: [-1, 2] }), /no shape/],
    [
      'a page of a proxy',
      sent({ headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') }),
      /is text\/html; expected/,
    ],
    ['no media type', sent({ headers: {} }), /of no media type/],
    [
      'what is no JSON',
      sent({ headers: { 'content-type': 'application/json' }, body: Buffer.from('{"model_name": NaN}') }),
      /not valid JSON/,
    ],
    ['no object', sent({ headers: { 'content-type': 'application/json' }, body: Buffer.from('[]') }), /is no object/],
    ['nothing', sent({ headers: { 'content-type': 'application/json' }, body: Buffer.alloc(0) }), /not valid JSON/],
    [
      'a head longer than the body',
      sent({ headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': '999999' } }),
      /says 999999 bytes, and the body has only/,
    ],
    [
      'a head of no length',
      sent({ headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': '-1' } }),
      /not a whole number/,
    ],
    ['201', sent({ status: 201 }), /answered another status than 200 \(201\)/],
  ])('an answer with %s is refused', async (_, does, message) => {
    const session = await open({ binary }, '7');
    stub.faults.push({ does });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringMatching(message),
    });
    stub.faults.length = 0;
    expect((await session.run(rows(1, 2), ['y'])).get('y')?.data).toEqual(Float32Array.of(2, 4));
  });

  test('an answer that is cut off is refused, also where the connection ends as it should', async () => {
    const session = await open({ binary });
    stub.faults.push({
      does: ({ headers, body }) => ({ status: 200, headers, body: body.subarray(0, body.length - 1) }),
    });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  });
});

test('a server that changes the version behind the same name is refused, and says which it was', async () => {
  const session = await open();
  expect((await session.run(rows(1, 2), ['y'])).size).toBe(1);
  stub.faults.push({ does: (_, head) => rendered({ ...head, model_version: '8', outputs: [] }) });
  await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    message: expect.stringContaining('is of version 8; expected is 7'),
  });
});

describe('a server that fails', () => {
  test.each<[string, StubFault['does'], string, RegExp]>([
    ['never answers', 'hang', 'ENGINE_UNAVAILABLE', /no complete answer within 1000 ms/],
    ['stops within its answer', 'trickle', 'ENGINE_UNAVAILABLE', /no complete answer within 1000 ms/],
    ['closes the connection', 'cut-before', 'ENGINE_UNAVAILABLE', /broke the connection off/],
    ['is killed within its answer', 'cut-within', 'ENGINE_UNAVAILABLE', /broke the connection off/],
    [
      'redirects',
      () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/v2' }, body: Buffer.alloc(0) }),
      'ENGINE_UNAVAILABLE',
      /redirects elsewhere.*\(307\)/,
    ],
    [
      'wants another token',
      () => ({ status: 401, headers: {}, body: Buffer.alloc(0) }),
      'ENGINE_UNAVAILABLE',
      /does not accept the token/,
    ],
    [
      'has unloaded the model',
      () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }),
      'ENGINE_UNAVAILABLE',
      /does not know the model/,
    ],
    [
      'is busy',
      () => ({ status: 429, headers: { 'retry-after': '3' }, body: Buffer.alloc(0) }),
      'ENGINE_UNAVAILABLE',
      /not available now \(429\)/,
    ],
    [
      'answers too much',
      ({ headers }) => ({ status: 200, headers, body: Buffer.alloc(1_000_001) }),
      'ENGINE_UNAVAILABLE',
      /more than 1 MB/,
    ],
    [
      'fails',
      () => ({ status: 500, headers: {}, body: Buffer.from('{"error":"row 7\\n failed"}') }),
      'INFERENCE_FAILED',
      /refused or failed \(500\)/,
    ],
  ])('%s: the call is refused in time, and the next one answered', async (_, does, code, message) => {
    const session = await open({ timeoutMs: does === 'hang' || does === 'trickle' ? 1_000 : 30_000 });
    stub.faults.push({ does });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    stub.faults.length = 0;
    expect((await session.run(rows(1, 2), ['y'])).get('y')?.data).toEqual(Float32Array.of(2, 4));
  });

  test('what it says of an inference goes to the caller, not into the message that is logged', async () => {
    const session = await open();
    stub.faults.push({
      does: () => ({ status: 400, headers: {}, body: Buffer.from(`{"error":"${'x'.repeat(400)}"}`) }),
    });
    const error = await session.run(rows(1, 2), ['y']).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'INFERENCE_FAILED', message: expect.not.stringContaining('xx') });
    expect(error).toMatchObject({ issues: [{ message: expect.stringMatching(/It says: x{200}…$/) }] });
  });

  test('that is not there is unavailable, at once', async () => {
    const session = await open();
    await stub.close();
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await expect(engineTo(stub.url).open({ key: 'test@1.0.0', model: 'double' })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('refuses the connection'),
    });
  });

  test('and is started again answers again', async () => {
    const session = await open();
    const port = Number(new URL(stub.url).port);
    await stub.close();
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    stub = await startStubProtocolServer(port);
    expect((await session.run(rows(1, 2), ['y'])).get('y')?.data).toEqual(Float32Array.of(2, 4));
  });
});

describe('a repetition', () => {
  test.each<[string, StubFault['does']]>([
    ['a connection that broke', 'cut-before'],
    ['an answer that was cut off', 'cut-within'],
    ['a gateway without its server', () => ({ status: 502, headers: {}, body: Buffer.alloc(0) })],
    ['a server that is not available', () => ({ status: 503, headers: {}, body: Buffer.alloc(0) })],
  ])('mends %s, for an inference changes nothing', async (_, does) => {
    const session = await open();
    stub.faults.push({ does, times: 1 });
    expect((await session.run(rows(1, 2), ['y'])).get('y')?.data).toEqual(Float32Array.of(2, 4));
    expect(infers()).toBe(2);
  });

  test.each<[string, StubFault['does']]>([
    ['what the server refused', () => ({ status: 400, headers: {}, body: Buffer.alloc(0) })],
    ['what it failed at', () => ({ status: 500, headers: {}, body: Buffer.alloc(0) })],
    [
      'a server that says when to come back',
      () => ({ status: 503, headers: { 'retry-after': '9' }, body: Buffer.alloc(0) }),
    ],
    ['a wrong answer', (_, head) => rendered({ ...head, id: 'other' })],
  ])('is not made of %s', async (_, does) => {
    const session = await open();
    stub.faults.push({ does });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toThrow();
    expect(infers()).toBe(1);
  });

  test('is made as often as is declared, and not once more', async () => {
    const session = await open({ attempts: 3 });
    stub.faults.push({ does: 'cut-before' });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    expect(infers()).toBe(3);
  });

  test('ends with the time that the call has', async () => {
    const session = await open({ attempts: 10, timeoutMs: 1_000 });
    stub.faults.push({ does: 'cut-before' });
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('within 1000 ms'),
    });
    expect(infers()).toBeLessThan(10);
  });
});

test('200 concurrent calls to a server that answers in any order and breaks some: each its own rows, or an error', async () => {
  const session = await open({ attempts: 1 });
  const random = seededRandom(5);
  stub.faults.push({
    does: async (answer, head) => {
      const fate = random();
      await pause(Math.floor(random() * 8));
      if (fate < 0.1) throw new Error('killed');
      if (fate < 0.2) return { ...answer, body: answer.body.subarray(0, -1), headers: { ...answer.headers } };
      if (fate < 0.3) return rendered({ ...head, id: 'that of another' });
      return answer;
    },
  });
  const calls = Array.from({ length: 200 }, (_, call) => session.run(rows(call, -call), ['y']));
  const answers = await Promise.allSettled(calls);
  const wrong = answers.filter(
    (answer, call) =>
      answer.status === 'fulfilled' &&
      String(answer.value.get('y')?.data) !== String(Float32Array.of(2 * call, -2 * call)),
  );
  expect(wrong).toEqual([]);
  const codes = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(['ENGINE_UNAVAILABLE', 'INFERENCE_FAILED']));
  expect(answers.length - codes.length).toBeGreaterThan(100);
});

describe('opening', () => {
  test.each<[string, () => void, string, RegExp]>([
    [
      'metadata of another model',
      () => Object.assign(stub.metadata, { name: 'triple' }),
      'MODEL_INVALID',
      /name another model/,
    ],
    ['metadata without inputs', () => Object.assign(stub.metadata, { inputs: [] }), 'MODEL_INVALID', /list no inputs/],
    [
      'metadata without shapes',
      () => Object.assign(stub.metadata, { inputs: [{ name: 'x', datatype: 'FP32' }] }),
      'MODEL_INVALID',
      /without name, datatype and shape/,
    ],
    [
      'an output twice',
      () =>
        Object.assign(stub.metadata, {
          outputs: [
            { name: 'y', datatype: 'FP32', shape: [1] },
            { name: 'y', datatype: 'BF16', shape: [1] },
          ],
        }),
      'MODEL_INVALID',
      /list y twice/,
    ],
    [
      'an input of a datatype that is not known',
      () => Object.assign(stub.metadata, { inputs: [{ name: 'x', datatype: 'BF16', shape: [1] }] }),
      'MODEL_INVALID',
      /not known here: x/,
    ],
    [
      'a model that is not ready',
      () =>
        stub.faults.push({
          path: '/ready',
          does: () => ({ status: 400, headers: {}, body: Buffer.from('{"error":"still loading"}') }),
        }),
      'INFERENCE_FAILED',
      /not ready.*still loading/,
    ],
    [
      'a server that is none',
      () => stub.faults.push({ path: '/v2', does: (answer) => ({ ...answer, body: Buffer.from('<html>') }) }),
      'ENGINE_UNAVAILABLE',
      /no JSON object/,
    ],
  ])('refuses %s', async (_, arrange, code, message) => {
    arrange();
    await expect(open()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('asks for the version that is declared, and refuses one that is not there', async () => {
    await open({}, '7');
    expect(stub.requests.map(({ path }) => path)).toEqual([
      '/v2',
      '/v2/models/double/versions/7/ready',
      '/v2/models/double/versions/7',
    ]);
    await expect(open({}, '8')).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(/double 8.*does not know the model or version.*no such model/),
    });
  });

  test.each([
    [{ name: 'triton', version: '2.48.0' }, 'triton 2.48.0'],
    [{ name: ' a|b\n<c>\u0000 ', version: 'ü' }, 'a b c'],
    [{ name: 'x'.repeat(100), version: '1' }, 'x'.repeat(60)],
    [{ name: 7, version: undefined }, 'farm'],
  ])('what the server calls itself (%j) stands in results as %s', async (says, runtime) => {
    Object.assign(stub.server, says);
    expect((await open()).runtime).toBe(runtime);
  });

  test('an output of a datatype that is not known cannot be asked for, and hinders no other', async () => {
    Object.assign(stub.metadata.outputs?.[1 as never] ?? {}, { datatype: 'BF16' });
    expect(await open()).toMatchObject({ outputs: [{ name: 'y' }], otherOutputs: ['n'] });
  });

  test('a server without binary tensors is asked in JSON, and NaN is not sent as something else', async () => {
    Object.assign(stub.server, { extensions: [] });
    const session = await open();
    expect((await session.run(rows(1, 2), ['y'])).get('y')?.data).toEqual(Float32Array.of(2, 4));
    await expect(session.run(rows(1, Number.NaN), ['y'])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringMatching(/x: element 1 is NaN or infinite.*no binary tensors/),
    });
  });
});

test('the token of tokenFile is sent with every request, read anew, and a bad one sends nothing', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-remote-'));
  const tokenFile = path.join(folder, 'token');
  try {
    await writeFile(tokenFile, 'first\n');
    const session = await open({ tokenFile });
    await writeFile(tokenFile, 'second');
    await session.run(rows(1, 2), ['y']);
    expect(stub.requests.map(({ headers }) => headers.authorization)).toEqual([
      ...Array.from({ length: 3 }, () => 'Bearer first'),
      'Bearer second',
    ]);
    await writeFile(tokenFile, 'two words');
    await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('must hold one bearer token'),
    });
    await rm(tokenFile);
    await expect(session.run(rows(1, 2), ['y'])).rejects.toThrow(/cannot be read \(ENOENT\)/);
    expect(stub.requests).toHaveLength(4);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a redirect reaches no other server', async () => {
  let reached = 0;
  const other = createServer((_, response) => {
    reached += 1;
    response.end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v2`;
  stub.faults.push({ path: '', does: () => ({ status: 308, headers: { location }, body: Buffer.alloc(0) }) });
  await expect(open()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  expect(reached).toBe(0);
  await new Promise((resolve) => other.close(resolve));
});

test('release waits for the calls under way, and then refuses', async () => {
  const session = await open();
  const order: string[] = [];
  const run = session.run(rows(1, 2), ['y']).then(() => order.push('run'));
  await session.release().then(() => order.push('released'));
  await run;
  expect(order).toEqual(['run', 'released']);
  await expect(session.run(rows(1, 2), ['y'])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
});
