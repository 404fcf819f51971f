import { rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFhirsight } from '../../src/index.ts';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { createPlacedEngine } from '../../src/inference/placed-engine.ts';
import { readEngines } from '../../src/inference/read-engines.ts';
import { createRemoteEngine, type RemoteEngine } from '../../src/inference/remote/remote-engine.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { packageVersion } from '../../src/package-version.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { tensorOf } from '../support/arbitrary-tensor.ts';
import { copyModel, folderAt, type ModelFolder } from '../support/model-folder.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

/** The entrance in a whole server, before real models; and that server as the engine of another. */

const token = 'a-token-of-the-scenario';
const authorised = { Authorization: `Bearer ${token}` };
const kidney = [
  [70, 1, 25, 100],
  [55, 0, 42.5, 3.25],
];

let folder: ModelFolder;
let tokenFile: string;
let server: StartedFhirsight;
let engine: RemoteEngine;
beforeAll(async () => {
  folder = await copyModel('kfre-4');
  tokenFile = path.join(folder.modelsDir, 'token');
  await writeFile(tokenFile, `${token}\n`);
  await folderAt(folder.modelsDir, 'broken', '1.0.0').write('manifest.json', '{}');
  server = await startFhirsight({
    settings: { MODELS_DIR: folder.modelsDir, INFERENCE_PROTOCOL: 'on', INFERENCE_PROTOCOL_TOKEN_FILE: tokenFile },
  });
  engine = createRemoteEngine('other', {
    protocol: 'open-inference',
    url: server.url,
    allowPlainHttp: false,
    tokenFile,
    timeoutMs: 30_000,
    attempts: 1,
    binary: true,
    connections: 4,
    maxAnswerMb: 1,
  });
});
afterAll(async () => {
  await engine.close();
  await server.close();
  await folder[Symbol.asyncDispose]();
});

/** What a server answers that was made and not started. */
async function unstarted(settings: Record<string, string>, path: string): Promise<[number, unknown]> {
  const fhirsight = createFhirsight({ settings, logger: silentLogger });
  const listening = createServer(fhirsight.router);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  try {
    const answer = await fetch(`http://127.0.0.1:${(listening.address() as AddressInfo).port}${path}`);
    return [answer.status, await answer.json()];
  } finally {
    listening.close();
    listening.closeAllConnections();
    await fhirsight.close();
  }
}

const infer = async (inputs: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/v2/models/kfre-4/infer`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...authorised, ...headers },
    body: JSON.stringify({ inputs }),
  });
  return { status: response.status, body: await response.json() };
};

test('gives the scores that the engine gives, whatever the caller accepts', async () => {
  const expected = await server.house.catalog.find('kfre-4').run(kidney);
  const inputs = [{ name: 'x', shape: [2, 4], datatype: 'FP64', data: kidney }];
  for (const accept of ['*/*', 'application/octet-stream', 'text/html']) {
    expect(await infer(inputs, { Accept: accept })).toEqual({
      status: 200,
      body: {
        model_name: 'kfre-4',
        model_version: '1.0.0',
        outputs: [{ name: 'risk', shape: [2, 4], datatype: 'FP64', data: expected.flat() }],
      },
    });
  }
});

test('this server as the engine of another gives the same bits', async () => {
  const session = await engine.open({ key: 'kfre-4@1.0.0', model: 'kfre-4' });
  const feeds = new Map([['x', tensorOf('float64', [2, 4], kidney.flat())]]);
  const expected = await server.house.catalog.find('kfre-4').run(kidney);
  expect((await session.run(feeds, ['risk'])).get('risk')).toEqual(tensorOf('float64', [2, 4], expected.flat()));
});

test('many callers at once each get their own rows, which the engine may run together', async () => {
  const session = await engine.open({ key: 'kfre-4@1.0.0', model: 'kfre-4' });
  const rows = Array.from({ length: 100 }, (_, call) => [20 + (call % 80), call % 2, 10 + call / 4, 0.5 + call]);
  const alone = await server.house.catalog.find('kfre-4').run(rows);
  const answers = await Promise.all(
    rows.map(async (row) => {
      const answer = await session.run(new Map([['x', tensorOf('float64', [1, 4], row)]]), ['risk']);
      return Array.from(answer.get('risk')?.data as Float64Array);
    }),
  );
  expect(answers).toEqual(alone);
});

describe('a model whose folder is here and whose graph runs there', () => {
  let here: ModelFolder;
  let placed: InferenceEngine;
  beforeEach(async () => {
    here = await copyModel('kfre-4');
  });
  afterEach(async () => {
    await placed.close();
    await here[Symbol.asyncDispose]();
  });
  const catalogOver = async (there: object): Promise<Catalog> => {
    const farm = { protocol: 'open-inference', url: server.url, tokenFile };
    const file = path.join(folder.modelsDir, 'engines.json');
    await writeFile(file, JSON.stringify({ engines: { farm }, models: { 'kfre-4': { engine: 'farm', ...there } } }));
    placed = createPlacedEngine(await readEngines(file), createOnnxEngine());
    return await loadCatalog({ modelsDir: here.modelsDir, engine: placed, clock: systemClock });
  };

  test('passes its golden cases there, and gives the same bits', async () => {
    const { list } = await catalogOver({ remoteVersion: '1.0.0' });
    const [model] = list();
    expect(model?.engine).toMatchObject({ place: 'remote', runtime: `fhirsight ${packageVersion()}` });
    expect(await model?.run(kidney)).toEqual(await server.house.catalog.find('kfre-4').run(kidney));
  });

  test('is served by a whole server, whose /models says where it runs; a slip in the file ends the start', async () => {
    const { list } = await catalogOver({});
    expect(list()).toHaveLength(1);
    const file = path.join(folder.modelsDir, 'engines.json');
    const settings = { MODELS_DIR: here.modelsDir, ENGINES_FILE: file };
    const other = await startFhirsight({ settings });
    try {
      const answer = await fetch(`${other.url}/models/kfre-4`);
      expect(await answer.json()).toMatchObject({ engine: { place: 'remote', device: { provider: 'remote' } } });
    } finally {
      await other.close();
    }
    await writeFile(file, JSON.stringify({ models: { 'kfre-44': { device: 'require-gpu' } } }));
    await expect(startFhirsight({ settings })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('/models/kfre-44: no folder of MODELS_DIR has this name. There are: kfre-4.'),
    });
  });

  test('is refused where the server has another one under that name: its golden cases fail there', async () => {
    await here.edit('golden/scalar-form.json', ({ cases }) => {
      for (const { expected } of cases) for (const outcome of Object.keys(expected)) expected[outcome] *= 0.9;
    });
    await here.seal();
    const { list, refused } = await catalogOver({});
    expect(list()).toEqual([]);
    expect(refused[0]).toMatchObject({
      error: { code: 'MODEL_INVALID' },
      reason: expect.stringContaining('golden case'),
    });
  });

  test('is refused where the server does not have it', async () => {
    const { refused } = await catalogOver({ remoteModel: 'kfre-5' });
    expect(refused[0]).toMatchObject({
      error: { code: 'ENGINE_UNAVAILABLE' },
      reason: expect.stringMatching(/There is no model kfre-5/),
    });
  });
});

test('a server with a folder that was refused is not ready, and its other models are', async () => {
  const asked = async (path: string) => {
    const response = await fetch(`${server.url}${path}`, { headers: authorised });
    return [response.status, await response.json()];
  };
  expect(await asked('/v2/health/ready')).toEqual([503, { ready: false }]);
  expect(await asked('/v2/models/kfre-4/ready')).toEqual([200, { name: 'kfre-4', ready: true }]);
  expect(await asked('/v2/models/broken/ready')).toEqual([503, { error: expect.stringContaining('refused') }]);
});

test('errors have the form of the protocol, also those from before its routes', async () => {
  expect(await infer([{ name: 'x', shape: [1, 3], datatype: 'FP64', data: [1, 2, 3] }])).toEqual({
    status: 400,
    body: { error: expect.stringContaining('declared is [?, 4]') },
  });
  expect(await infer([], { Authorization: 'Bearer none' })).toMatchObject({
    status: 401,
    body: { error: expect.any(String) },
  });
  // fetch names the host itself; a page that points a name of its own at this machine names another.
  const { port } = new URL(server.url);
  const foreign = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = request({ port, path: '/v2', headers: { ...authorised, Host: 'evil.example.org' } }, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject).end();
  });
  expect([foreign.status, Object.keys(JSON.parse(foreign.body))]).toEqual([403, ['error']]);
});

describe('a server', () => {
  test('that is not started yet says so in the form of the protocol', async () => {
    const settings = { INFERENCE_PROTOCOL: 'on', INFERENCE_PROTOCOL_TOKEN_FILE: tokenFile };
    expect(await unstarted(settings, '/v2/health/ready')).toEqual([
      503,
      { error: expect.stringContaining('starting') },
    ]);
  });

  test.each<[string, string | undefined, RegExp]>([
    ['without a token file', undefined, /on without INFERENCE_PROTOCOL_TOKEN_FILE/],
    ['with a token that is short', 'fifteen-letters', /at least 16 characters/],
    ['with a token of two words', 'two words in the token file', /without spaces/],
    ['with a file that is not there', '', /cannot be read \(ENOENT\)/],
  ])('%s does not start the entrance', async (_, content, message) => {
    const file = path.join(folder.modelsDir, 'other-token');
    if (content) await writeFile(file, content);
    const settings = {
      MODELS_DIR: folder.modelsDir,
      INFERENCE_PROTOCOL: 'on',
      ...(content === undefined ? {} : { INFERENCE_PROTOCOL_TOKEN_FILE: file }),
    };
    await expect(createFhirsight({ settings, logger: silentLogger }).start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
    await rm(file, { force: true });
  });

  test('whose entrance is off has nothing there', async () => {
    const [status, body] = await unstarted({}, '/v2');
    expect([status, body]).toEqual([404, expect.objectContaining({ resourceType: 'OperationOutcome' })]);
  });
});
