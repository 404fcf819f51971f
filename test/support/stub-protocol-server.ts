import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer before it is sent; a fault may change all of it. */
export interface StubAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface StubFault {
  /** The end of the path; absent: inferences. */
  readonly path?: string;
  /** Number of requests it still affects; absent: all. */
  times?: number;
  readonly does:
    | 'hang' // takes the request and never answers
    | 'trickle' // sends the first half and then nothing
    | 'cut-before' // closes the connection without an answer
    | 'cut-within' // sends the first half and closes the connection
    | ((answer: StubAnswer, head: InferHead) => StubAnswer | Promise<StubAnswer>);
}

/** The JSON of an answer to an inference. */
export interface InferHead {
  model_name?: unknown;
  model_version?: unknown;
  id?: unknown;
  outputs: Record<string, unknown>[];
}

export interface StubProtocolServer {
  readonly url: string;
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  readonly faults: StubFault[];
  /** What `GET /v2` and the metadata of the model say; may be changed. */
  readonly server: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  close(): Promise<void>;
}

const columns = 2;

/**
 * A server of the Open Inference Protocol with one model, `double`: FP32 rows of 2 columns, `y` twice `x` and `n` (INT64) the
 * number of each row. Written without the code that is tested.
 * @param port of one that was there before
 */
export async function startStubProtocolServer(port = 0): Promise<StubProtocolServer> {
  const requests: StubProtocolServer['requests'] = [];
  const faults: StubFault[] = [];
  const about = { name: 'stub', version: '1.2', extensions: ['binary_tensor_data'] };
  const metadata = {
    name: 'double',
    versions: ['7'],
    platform: 'stub',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, columns] }],
    outputs: [
      { name: 'y', datatype: 'FP32', shape: [-1, columns] },
      { name: 'n', datatype: 'INT64', shape: [-1, 1] },
    ],
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    requests.push({ method: request.method ?? '', path, headers: request.headers });
    const fault = faults.find(({ path: end = '/infer', times }) => times !== 0 && path.endsWith(end));
    if (fault?.times !== undefined) fault.times -= 1;
    const does = fault?.does;
    if (does === 'hang') return;
    if (does === 'cut-before') {
      request.socket.destroy();
      return;
    }
    const [good, head] = answerOf(path, request.headers, Buffer.concat(chunks));
    const { status, headers, body } = typeof does === 'function' ? await does(good, head) : good;
    response.writeHead(status, { 'content-length': body.length, ...headers });
    if (does !== 'cut-within' && does !== 'trickle') {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, body.length / 2), () => {
      if (does === 'cut-within') request.socket.destroy();
    });
  };

  const answerOf = (path: string, headers: IncomingMessage['headers'], body: Buffer): [StubAnswer, InferHead] => {
    const json = (value: unknown, status = 200): [StubAnswer, InferHead] => [
      { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) },
      { outputs: [] },
    ];
    if (path === '/v2') return json(about);
    if (path.endsWith('/ready')) return json({ name: 'double', ready: true });
    if (path.endsWith('/infer')) return infer(headers, body);
    return path === '/v2/models/double' || path === '/v2/models/double/versions/7'
      ? json(metadata)
      : json({ error: 'no such model' }, 404);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    faults,
    server: about,
    metadata,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function infer(headers: IncomingMessage['headers'], body: Buffer): [StubAnswer, InferHead] {
  const length = Number(headers['inference-header-content-length'] ?? body.length);
  const asked = JSON.parse(body.subarray(0, length).toString()) as {
    id: string;
    inputs: { shape: [number, number]; data?: number[] }[];
    outputs: { name: 'y' | 'n'; parameters?: { binary_data?: boolean } }[];
  };
  const [input] = asked.inputs;
  const rows = input?.shape[0] ?? 0;
  const values =
    input?.data ?? Array.from({ length: rows * columns }, (_, index) => body.readFloatLE(length + index * 4));
  const parts: Buffer[] = [];
  const outputs = asked.outputs.map(({ name, parameters }) => {
    const data = name === 'y' ? values.map((value) => value * 2) : Array.from({ length: rows }, (_, row) => row);
    const form = { name, datatype: name === 'y' ? 'FP32' : 'INT64', shape: [rows, name === 'y' ? columns : 1] };
    if (parameters?.binary_data !== true) return { ...form, data };
    const bytes = Buffer.alloc(data.length * (name === 'y' ? 4 : 8));
    for (const [index, value] of data.entries()) {
      if (name === 'y') bytes.writeFloatLE(value, index * 4);
      else bytes.writeBigInt64LE(BigInt(value), index * 8);
    }
    parts.push(bytes);
    return { ...form, parameters: { binary_data_size: bytes.length } };
  });
  const head: InferHead = { model_name: 'double', model_version: '7', id: asked.id, outputs };
  return [rendered(head, parts), head];
}

/** An answer with that JSON and what follows it. */
export function rendered(head: InferHead, parts: readonly Buffer[] = []): StubAnswer {
  const json = Buffer.from(JSON.stringify(head));
  const headers: Record<string, string> =
    parts.length === 0
      ? { 'content-type': 'application/json' }
      : { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(json.length) };
  return { status: 200, headers, body: Buffer.concat([json, ...parts]) };
}
