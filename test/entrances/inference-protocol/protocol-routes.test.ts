import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { float16OfNumber } from '../../../src/model-catalog/float16.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { tensorOf } from '../../support/arbitrary-tensor.ts';
import {
  type EchoFault,
  echoModels,
  maxProtocolBody,
  type ProtocolServer,
  protocolToken,
  startProtocolServer,
} from '../../support/protocol-server.ts';

const fault: EchoFault = {};
const models = echoModels(fault);
let server: ProtocolServer;
beforeAll(async () => {
  server = await startProtocolServer(models);
});
afterAll(() => server.close());
beforeEach(() => {
  delete fault.next;
  models.ready = true;
  server.events.length = 0;
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The JSON of it. */
  readonly body: Record<string, unknown>;
}

async function call(path: string, init: RequestInit = {}, token: string | null = protocolToken): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('Authorization', `Bearer ${token}`);
  const response = await fetch(`${server.url}${path}`, { ...init, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('Inference-Header-Content-Length') ?? bytes.length);
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: JSON.parse(bytes.subarray(0, length).toString() || '{}'),
  };
}
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
const row = (change: Record<string, unknown> = {}) => ({
  inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2.5, -3], ...change }],
});
/** JSON, and behind it the bytes of its one input. */
const withBytes = (head: object, bytes: Uint8Array, change: Record<string, string> = {}) => {
  const json = Buffer.from(JSON.stringify(head));
  return call('/v2/models/echo-float32/infer', {
    method: 'POST',
    body: Buffer.concat([json, bytes]),
    headers: {
      'Content-Type': 'application/octet-stream',
      'Inference-Header-Content-Length': String(json.length),
      ...change,
    },
  });
};

describe('what there is', () => {
  test('OIP-1 the server says what it is', async () => {
    const { status, body } = await call('/v2');
    expect([status, body]).toEqual([200, { name: 'fhirsight', version: '9.9.9', extensions: ['binary_tensor_data'] }]);
  });

  test('OIP-2 live and ready; not ready once a folder was refused', async () => {
    expect(await call('/v2/health/live')).toMatchObject({ status: 200, body: { live: true } });
    expect(await call('/v2/health/ready')).toMatchObject({ status: 200, body: { ready: true } });
    models.ready = false;
    expect(await call('/v2/health/ready')).toMatchObject({ status: 503, body: { ready: false } });
    expect((await call('/v2/health/live')).status).toBe(200);
  });

  test.each(['', '/versions/1.0.0'])(
    'OIP-3 OIP-4 a model says that it is ready, what it takes and gives: %s',
    async (version) => {
      expect(await call(`/v2/models/echo-int64${version}/ready`)).toMatchObject({
        status: 200,
        body: { name: 'echo-int64', ready: true },
      });
      const { status, body } = await call(`/v2/models/echo-int64${version}`);
      expect([status, body]).toEqual([
        200,
        {
          name: 'echo-int64',
          versions: ['1.0.0', '2.0.0'],
          platform: 'onnx_onnxv1',
          inputs: [{ name: 'x', datatype: 'INT64', shape: [-1, 3] }],
          outputs: [{ name: 'y', datatype: 'INT64', shape: [-1, 3] }],
        },
      ]);
    },
  );

  test.each([
    '/v2/models/none',
    '/v2/models/none/ready',
    '/v2/models/echo-int64/versions/1',
    '/v2/models/echo-int64/versions/3.0.0/ready',
  ])('OIP-3 OIP-7 %s is not there, and says so as the protocol does', async (path) => {
    const { status, body } = await call(path);
    expect([status, body]).toEqual([404, { error: expect.stringMatching(/^There is no model/) }]);
  });

  test('OIP-7 a path that does not exist, and a method that is not possible', async () => {
    expect(await call('/v2/repository/index')).toMatchObject({ status: 404, body: { error: expect.any(String) } });
    const put = await call('/v2/models/pair', { method: 'PUT', body: '{}' });
    expect([put.status, put.headers.get('Allow'), typeof put.body.error]).toEqual([405, 'GET, HEAD', 'string']);
    const get = await call('/v2/models/pair/infer');
    expect([get.status, get.headers.get('Allow')]).toEqual([405, 'POST']);
  });
});

describe('the permission', () => {
  test.each([null, 'a-token-of-the-tes', 'a-token-of-the-testx', ''])(
    'without its token (%s) nothing is answered',
    async (token) => {
      for (const path of ['/v2', '/v2/health/ready', '/v2/models/pair', '/v2/models/none', '/v2/nowhere']) {
        const { status, headers, body } = await call(path, {}, token);
        expect([status, body]).toEqual([401, { error: expect.stringContaining('token') }]);
        expect(headers.get('WWW-Authenticate')).toMatch(/^Bearer /);
      }
      const posted = await call('/v2/models/pair/infer', { method: 'POST', body: 'x'.repeat(100_000) }, token);
      expect(posted.status).toBe(401);
    },
  );

  test('another scheme is none', async () => {
    const { status } = await call('/v2', { headers: { Authorization: `Basic ${protocolToken}` } }, null);
    expect(status).toBe(401);
  });
});

describe('an inference', () => {
  test('OIP-5 OIP-6 gives all outputs, the model, its version and the id', async () => {
    const { status, headers, body } = await post('/v2/models/echo-float32/infer', { id: 'call 1', ...row() });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toEqual({
      model_name: 'echo-float32',
      model_version: '2.0.0',
      id: 'call 1',
      outputs: [{ name: 'y', shape: [1, 3], datatype: 'FP32', data: [1, 2.5, -3] }],
    });
  });

  test('OIP-10 the version that is named answers, and without an id none is given', async () => {
    const { body } = await post('/v2/models/echo-float32/versions/1.0.0/infer', row());
    expect(body).toMatchObject({ model_version: '1.0.0' });
    expect(body).not.toHaveProperty('id');
  });

  test('OIP-6 the outputs that are named, in their order; of several inputs none is mixed up', async () => {
    const inputs = [
      { name: 'b', shape: [2], datatype: 'BYTES', data: ['ä', ''] },
      { name: 'a', shape: [1], datatype: 'INT64', data: [7] },
    ];
    const named = await post('/v2/models/pair/infer', { inputs, outputs: [{ name: 'd' }] });
    expect(named.body.outputs).toEqual([{ name: 'd', shape: [1], datatype: 'INT64', data: [7] }]);
    const all = await post('/v2/models/pair/infer', { inputs, outputs: [] });
    expect(all.body.outputs).toEqual([
      { name: 'c', shape: [2], datatype: 'BYTES', data: ['ä', ''] },
      { name: 'd', shape: [1], datatype: 'INT64', data: [7] },
    ]);
  });

  test('OIP-9 whole numbers beyond 2^53 keep their digits in the answer', async () => {
    const text =
      '{"inputs":[{"name":"x","shape":[1,3],"datatype":"INT64","data":[[9007199254740993,-9223372036854775808,1]]}]}';
    const { bytes } = await post('/v2/models/echo-int64/infer', text);
    expect(bytes.toString()).toContain('"data":[9007199254740993,-9223372036854775808,1]');
  });

  test('OIP-11 tensors as bytes: in, out, or both', async () => {
    const floats = Buffer.from(Float32Array.of(1, 0.1, -0).buffer);
    const head = { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } }] };
    const plain = await withBytes(head, floats);
    expect(plain.body.outputs).toEqual([
      { name: 'y', shape: [1, 3], datatype: 'FP32', data: [1, Math.fround(0.1), -0] },
    ]);
    for (const asked of [
      { parameters: { binary_data_output: true } },
      { outputs: [{ name: 'y', parameters: { binary_data: true } }] },
    ]) {
      const { status, headers, body, bytes } = await withBytes({ ...head, ...asked }, floats);
      expect([status, headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
      expect(body.outputs).toEqual([
        { name: 'y', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } },
      ]);
      expect(bytes.subarray(-12)).toEqual(floats);
    }
    const less = {
      parameters: { binary_data_output: true },
      outputs: [{ name: 'y', parameters: { binary_data: false } }],
    };
    expect((await withBytes({ ...head, ...less }, floats)).headers.get('content-type')).toMatch(/json/);
  });

  test('a client that says nothing of the type is understood', async () => {
    const body = new Blob([JSON.stringify(row())]);
    expect((await call('/v2/models/echo-float32/infer', { method: 'POST', body })).status).toBe(200);
  });

  test('is logged by the pattern of its route, and no element of a tensor is', async () => {
    await post('/v2/models/echo-float32/infer', row({ data: [777.25, 2, 3] }));
    await post('/v2/models/echo-float32/infer', row({ data: [777.25, 2, 'x'] }));
    await expect.poll(() => server.events.length).toBe(3);
    expect(server.events.map((event) => ('route' in event ? event.route : event.name))).toEqual([
      '/v2/models/:model/infer',
      'request.failed',
      '/v2/models/:model/infer',
    ]);
    expect(JSON.stringify(server.events)).not.toContain('777');
  });
});

describe('OIP-7 OIP-8 TM-5 a request that is wrong is 400, names what is wrong and repeats no value', () => {
  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{"inputs": [777 1]}', /not valid JSON; it breaks at character/],
    ['NaN as a word', '{"inputs": [{"name":"x","shape":[1,3],"datatype":"FP32","data":[NaN,1,2]}]}', /not valid JSON/],
    ['nothing', '', /not valid JSON/],
    ['a list', [], /must be a JSON object/],
    ['an id that is a number', { id: 7, ...row() }, /'id' must be a text/],
    ['no inputs', {}, /'inputs' must be a list/],
    ['an input of another name', row({ name: 'z' }), /has no input z; it takes x/],
    ['no input', { inputs: [] }, /takes the input x, which is not there/],
    ['another datatype', row({ datatype: 'FP64' }), /x: it has type float64; declared is float32/],
    ['another shape', row({ shape: [3, 1] }), /x: it has shape \[3, 1\]; declared is \[\?, 3\]/],
    ['a shape without its batch', row({ shape: [3] }), /x: it has shape \[3\]; declared is \[\?, 3\]/],
    ['a count that is not that of the shape', row({ data: [777, 2] }), /x has 2 elements; its shape \[1, 3\] has 3/],
    ['an empty batch', row({ shape: [0, 3], data: [] }), /its shape \[0, 3\] has no elements/],
    ['a free size', row({ shape: [-1, 3] }), /no shape of at most 32 whole numbers from 0/],
    ['a number beyond its type', row({ data: [777e300, 1, 1] }), /element \(0\) that is too great/],
    ['an infinite number', '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1e999,1,2]}]}', /too great/],
    ['a parameter that is an object', { ...row(), parameters: { a: {} } }, /The request has the parameter 'a'/],
    ['a parameter that is null', { ...row(), parameters: { a: null } }, /The request has the parameter 'a'/],
    ['parameters that are a list', { ...row(), parameters: [1] }, /has parameters that are no object/],
    [
      'a parameter of an extension',
      row({ parameters: { shared_memory_region: 'r' } }),
      /'shared_memory_region', of an extension/,
    ],
    ['a classification', { ...row(), outputs: [{ name: 'y', parameters: { classification: 2 } }] }, /'classification'/],
    ['outputs that are no list', { ...row(), outputs: { name: 'y' } }, /'outputs' must be a list/],
    ['an output without a name', { ...row(), outputs: ['y'] }, /outputs\[0\] must be an object with a name/],
    ['an output that there is not', { ...row(), outputs: [{ name: 'z' }] }, /has no output z; it gives y/],
    ['an output twice', { ...row(), outputs: [{ name: 'y' }, { name: 'y' }] }, /asked for twice/],
    ['a form that is no flag', { ...row(), parameters: { binary_data_output: 1 } }, /neither true nor false/],
  ])('%s', async (_, body, message) => {
    const answer = await post('/v2/models/echo-float32/infer', body);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/json; charset=utf-8']);
    expect(answer.body).toEqual({ error: expect.stringMatching(message) });
    expect(answer.body.error).not.toMatch(/777/);
  });

  test('lists in lists without end', async () => {
    for (const text of ['['.repeat(200_000), `${'['.repeat(100_000)}${']'.repeat(100_000)}`]) {
      const whole = await post('/v2/models/echo-float32/infer', text);
      expect([whole.status, typeof whole.body.error]).toEqual([400, 'string']);
      const integers = `{"inputs":[{"name":"x","shape":[1,3],"datatype":"INT64","data":${text},12345678901234567890]}]}`;
      expect((await post('/v2/models/echo-float32/infer', integers)).status).toBe(400);
    }
  });

  test('names that objects have by themselves', async () => {
    const text =
      '{"inputs":[{"name":"__proto__","shape":[1,3],"datatype":"FP32","data":[1,2,3],"parameters":{"__proto__":1}}]}';
    const answer = await post('/v2/models/echo-float32/infer', text);
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining('has no input __proto__')]);
    expect((await call('/v2/models/constructor')).status).toBe(404);
  });

  test('a body that is not UTF-8', async () => {
    const body = Buffer.from('{"id":"\xff"}', 'latin1');
    const headers = { 'Content-Type': 'application/json' };
    const answer = await call('/v2/models/echo-float32/infer', { method: 'POST', body, headers });
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining('UTF-8')]);
  });

  test('OIP-12 bytes that do not add up, and a head that is longer than the body', async () => {
    const head = (size: number) => ({
      inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: size } }],
    });
    const cases: [Answer, RegExp][] = [
      [await withBytes(head(12), new Uint8Array(13)), /13 bytes follow the JSON/],
      [await withBytes(head(12), new Uint8Array(11)), /only 11 are left/],
      [await withBytes(head(8), new Uint8Array(8)), /has 8 bytes of data; its shape/],
      [
        await withBytes(head(12), new Uint8Array(12), { 'Inference-Header-Content-Length': '100000' }),
        /says 100000 bytes/,
      ],
      [
        await withBytes(head(12), new Uint8Array(12), { 'Inference-Header-Content-Length': '1e3' }),
        /not a whole number/,
      ],
      [await withBytes(head(12), new Uint8Array(12), { 'Inference-Header-Content-Length': '0' }), /not valid JSON/],
    ];
    for (const [{ status, body }, message] of cases) {
      expect([status, body]).toEqual([400, { error: expect.stringMatching(message) }]);
    }
  });

  test.each<[string, Float32Array, RegExp]>([
    ['infinite', Float32Array.of(1, Number.NEGATIVE_INFINITY, 1), /element 1 is infinite/],
    ['NaN, where the manifest does not take it', Float32Array.of(1, 1, Number.NaN), /element 2 is NaN.*acceptsNaN/],
  ])('an element that is %s never reaches the model', async (_, data, message) => {
    let reached = false;
    fault.next = async () => {
      reached = true;
      return new Map();
    };
    const head = { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } }] };
    const json = Buffer.from(JSON.stringify(head));
    const { status, body } = await call('/v2/models/echo-float32/versions/1.0.0/infer', {
      method: 'POST',
      body: Buffer.concat([json, Buffer.from(data.buffer)]),
      headers: { 'Inference-Header-Content-Length': String(json.length) },
    });
    expect([status, body.error, reached]).toEqual([400, expect.stringMatching(message), false]);
  });

  test('FP16 that is NaN or infinite is told from its bits', async () => {
    const infer = (version: string, value: number) => {
      const head = { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP16', parameters: { binary_data_size: 6 } }] };
      const json = Buffer.from(JSON.stringify(head));
      const bytes = Buffer.from(Uint16Array.of(0, float16OfNumber(value), 0).buffer);
      const headers = { 'Inference-Header-Content-Length': String(json.length) };
      return call(`/v2/models/echo-float16/versions/${version}/infer`, {
        method: 'POST',
        body: Buffer.concat([json, bytes]),
        headers,
      });
    };
    expect((await infer('1.0.0', 65_504)).status).toBe(200);
    expect((await infer('1.0.0', Number.NaN)).body.error).toMatch(/element 1 is NaN/);
    expect((await infer('2.0.0', Number.POSITIVE_INFINITY)).body.error).toMatch(/element 1 is infinite/);
  });
});

describe('a model that takes NaN', () => {
  const head = {
    inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } }],
  };
  const bytes = Buffer.from(Float32Array.of(1, Number.NaN, 1).buffer);

  test('gets it, and gives NaN as bytes', async () => {
    const answer = await withBytes({ ...head, parameters: { binary_data_output: true } }, bytes);
    expect([answer.status, answer.bytes.subarray(-12)]).toEqual([200, bytes]);
  });

  test('an output that is NaN is not written as JSON, where it would be null', async () => {
    const { status, body } = await withBytes(head, bytes);
    expect([status, body.error]).toEqual([500, expect.stringMatching(/y: element 1 is NaN or infinite.*binary_data/)]);
  });
});

describe('a body of another type', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['what curl sends by itself', { 'Content-Type': 'application/x-www-form-urlencoded' }, /curl needs -H/],
    ['text', { 'Content-Type': 'text/plain' }, /text\/plain is not read here/],
    ['bytes without the header', { 'Content-Type': 'application/octet-stream' }, /needs the header Inference-Header/],
    ['compressed', { 'Content-Encoding': 'gzip' }, /compressed/],
  ])('%s is 415, with the way out', async (_, headers, message) => {
    const { status, body } = await post('/v2/models/echo-float32/infer', row(), headers);
    expect([status, body.error]).toEqual([415, expect.stringMatching(message)]);
  });

  test('one that is too long is 413', async () => {
    const { status, body } = await post('/v2/models/echo-float32/infer', ' '.repeat(maxProtocolBody + 1));
    expect([status, body.error]).toEqual([413, expect.stringContaining('1 MB')]);
  });
});

describe('OIP-7 an engine that fails', () => {
  test.each<[PredictionError | Error, number, string | null, RegExp]>([
    [new PredictionError('OVERLOADED', 'The queue is full.', { retryAfterSeconds: 2 }), 503, '2', /queue is full/],
    [new PredictionError('ENGINE_UNAVAILABLE', 'The process is gone.'), 503, '5', /process is gone/],
    [new PredictionError('DEADLINE_EXCEEDED', 'Too late.'), 504, null, /Too late/],
    [
      new PredictionError('INFERENCE_FAILED', 'It failed.', { issues: [{ message: 'It failed at Add.' }] }),
      500,
      null,
      /^It failed at Add\.$/,
    ],
    [new Error('secret 777'), 500, null, /^The server failed on this request.*The log has it as request/],
  ])('is told by its status and one text: %s', async (error, status, retryAfter, message) => {
    fault.next = () => Promise.reject(error);
    const answer = await post('/v2/models/echo-float32/infer', row());
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([status, retryAfter]);
    expect(answer.body).toEqual({ error: expect.stringMatching(message) });
    expect(answer.body).not.toHaveProperty('resourceType');
  });

  test('an output that the engine did not give is said, not left out', async () => {
    fault.next = async () => new Map([['other', tensorOf('float32', [1], [1])]]);
    const answer = await post('/v2/models/echo-float32/infer', row());
    expect([answer.status, answer.body.error]).toEqual([500, expect.stringContaining('did not give its output y')]);
  });

  test('that is late is given up, and the answer is 504', async () => {
    const hurried = await startProtocolServer(models, 50);
    fault.next = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new PredictionError('DEADLINE_EXCEEDED', 'It was late.')));
      });
    const answer = await fetch(`${hurried.url}/v2/models/echo-float32/infer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${protocolToken}` },
      body: JSON.stringify(row()),
    });
    expect([answer.status, await answer.json()]).toEqual([504, { error: 'It was late.' }]);
    await hurried.close();
  });

  test('gets its deadline, the lane behind the bedside, and hears that the caller has gone', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const gone = Promise.withResolvers<void>();
    fault.next = (_, { lane, answerBy, signal }) => {
      expect(lane).toBe('batch');
      expect(answerBy - performance.now()).toBeGreaterThan(0);
      signal.addEventListener('abort', () => gone.resolve());
      asked.resolve(signal);
      return new Promise(() => undefined);
    };
    const caller = new AbortController();
    const body = JSON.stringify(row());
    const headers = { 'Content-Type': 'application/json' };
    const calling = call('/v2/models/echo-float32/infer', { method: 'POST', body, headers, signal: caller.signal });
    const refused = expect(calling).rejects.toThrow();
    expect((await asked.promise).aborted).toBe(false);
    caller.abort();
    await refused;
    await gone.promise;
  });
});
