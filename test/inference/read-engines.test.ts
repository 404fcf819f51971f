import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placementOf, readEngines, refuseUnknownModels } from '../../src/inference/read-engines.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-engines-'));
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (content: unknown) => {
  const file = path.join(folder, 'engines.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readEngines(file);
};
const farm = { protocol: 'open-inference', url: 'https://farm.example.org/triton/' };

test('without a file every model runs here, on the CPU, in this process or thread', async () => {
  const engines = await readEngines(undefined);
  expect(placementOf(engines, 'prevent-base')).toEqual({ device: 'cpu', isolated: false });
  expect(placementOf(engines, 'constructor')).toEqual({ device: 'cpu', isolated: false });
  expect(() => refuseUnknownModels(engines, new Set())).not.toThrow();
});

test('a file is read with its defaults, and its token file lies beside it', async () => {
  const engines = await read({
    engines: { farm: { ...farm, tokenFile: 'token' } },
    models: {
      ab: {},
      'chest-xray': { engine: 'farm', remoteModel: 'xray', remoteVersion: '3' },
      mine: { engine: 'farm' },
      dense: { device: 'require-gpu' },
      foreign: { isolation: 'process' },
    },
  });
  expect(engines.remote).toEqual({
    farm: {
      protocol: 'open-inference',
      url: 'https://farm.example.org/triton',
      allowPlainHttp: false,
      tokenFile: path.join(folder, 'token'),
      timeoutMs: 5_000,
      attempts: 2,
      binary: true,
      connections: 16,
      maxAnswerMb: 32,
    },
  });
  expect(placementOf(engines, 'chest-xray')).toEqual({ remote: { engine: 'farm', model: 'xray', version: '3' } });
  expect(placementOf(engines, 'mine')).toEqual({ remote: { engine: 'farm', model: 'mine' } });
  expect(placementOf(engines, 'dense')).toEqual({ device: 'require-gpu', isolated: false });
  expect(placementOf(engines, 'foreign')).toEqual({ device: 'cpu', isolated: true });
  expect(placementOf(engines, 'other')).toEqual({ device: 'cpu', isolated: false });
});

describe('a file with a fault ends the start and says where', () => {
  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /is not JSON in UTF-8/],
    ['another field', { engine: {} }, /the top level has the unknown field 'engine'/],
    [
      'another protocol',
      { engines: { farm: { ...farm, protocol: 'grpc' } } },
      /\/engines\/farm\/protocol has a value that is not allowed/,
    ],
    [
      'an engine without url',
      { engines: { farm: { protocol: 'open-inference' } } },
      /\/engines\/farm lacks the field 'url'/,
    ],
    ['an engine with a name that is none', { engines: { 'Farm 1': farm } }, /\/engines has the name 'Farm 1'/],
    [
      'a URL that is none',
      { engines: { farm: { ...farm, url: 'farm:8000' } } },
      /farm\/url must be an absolute http or https URL/,
    ],
    [
      'a URL with a password',
      { engines: { farm: { ...farm, url: 'https://a:b@farm' } } },
      /a token belongs into tokenFile/,
    ],
    [
      'a URL that goes into the protocol',
      { engines: { farm: { ...farm, url: 'https://farm/v2/' } } },
      /without .*\/v2/,
    ],
    [
      'plain http to another machine',
      { engines: { farm: { ...farm, url: 'http://farm' } } },
      /anybody between can read them/,
    ],
    ['no time', { engines: { farm: { ...farm, timeoutMs: 0 } } }, /farm\/timeoutMs must be >= 10/],
    [
      'an engine that is not declared',
      { engines: { farm }, models: { ab: { engine: 'frm' } } },
      /\/models\/ab\/engine 'frm' is not declared. Declared are: farm/,
    ],
    [
      'a device with an engine',
      { engines: { farm }, models: { ab: { engine: 'farm', device: 'cpu' } } },
      /Remove device and isolation/,
    ],
    [
      'a process with an engine',
      { engines: { farm }, models: { ab: { engine: 'farm', isolation: 'process' } } },
      /Remove device and isolation/,
    ],
    [
      'a name elsewhere without an engine',
      { models: { ab: { remoteModel: 'b' } } },
      /names a model elsewhere and no engine/,
    ],
    [
      'a device that is none',
      { models: { ab: { device: 'gpu' } } },
      /\/models\/ab\/device has a value that is not allowed/,
    ],
    ['an isolation that is none', { models: { ab: { isolation: 'vm' } } }, /\/models\/ab\/isolation has a value/],
  ])('%s', async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('no file', async () => {
    await expect(readEngines(path.join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^ENGINES_FILE .*none\.json cannot be read \(ENOENT\)/),
    });
  });

  test('a model that has no folder, which would run elsewhere than it should', async () => {
    const engines = await read({ models: { 'prevent-bse': { device: 'require-gpu' } } });
    expect(() => refuseUnknownModels(engines, new Set(['prevent-base', 'kfre-4']))).toThrow(
      /\/models\/prevent-bse: no folder of MODELS_DIR has this name. There are: kfre-4, prevent-base/,
    );
    expect(() => refuseUnknownModels(engines, new Set(['prevent-bse']))).not.toThrow();
  });
});

test('a token never crosses a network in the clear, also where http to another machine is allowed', async () => {
  const secret = { ...farm, tokenFile: 'token', allowPlainHttp: true };
  await expect(read({ engines: { farm: { ...secret, url: 'http://farm' } } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/\/engines\/farm\/url sends the token of tokenFile over http to another machine/),
  });
  for (const url of ['http://[::1]:8000', 'http://127.0.0.1:8000', 'http://localhost:8000', 'https://farm'])
    expect((await read({ engines: { farm: { ...secret, url } } })).remote.farm?.tokenFile).toBe(
      path.join(folder, 'token'),
    );
});

test('http to another machine may be allowed', async () => {
  const { remote } = await read({ engines: { farm: { ...farm, url: 'http://farm', allowPlainHttp: true } } });
  expect(remote.farm?.url).toBe('http://farm');
  expect((await read({ engines: { farm: { ...farm, url: 'http://[::1]:8000' } } })).remote.farm?.url).toBe(
    'http://[::1]:8000',
  );
});
