import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';

let folder: string;
let server: FhirsightProcess;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-devices-'));
  await mkdir(path.join(folder, 'models'));
  for (const id of ['news2', 'lace', 'meld3'])
    await symlink(path.join(root, 'models', id), path.join(folder, 'models', id));
  const models = { news2: { device: 'prefer-gpu' }, lace: { device: 'require-gpu' } };
  await writeFile(path.join(folder, 'engines.json'), JSON.stringify({ models }));
  server = await startFhirsightProcess({
    DATA_DIR: path.join(folder, 'data'),
    MODELS_DIR: path.join(folder, 'models'),
    ENGINES_FILE: path.join(folder, 'engines.json'),
    // A machine without devices, whatever it has.
    VK_ICD_FILENAMES: '/nowhere/driver.json',
    CUDA_VISIBLE_DEVICES: '',
  });
});
afterAll(async () => {
  await server.stop('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

const logged = (event: string) =>
  server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line.event === event);

describe('a server whose site wants GPUs, on a machine without', () => {
  test('serves a model that prefers one, on the CPU, and warns of it', async () => {
    expect(logged('model.device-fallback')).toMatchObject([
      { level: 'warn', model: expect.stringMatching(/^news2@/), reason: expect.stringContaining('webgpu: ') },
    ]);
    const { engine } = (await (await fetch(`${server.url}/models/news2`)).json()) as { engine: unknown };
    expect(engine).toMatchObject({
      device: { policy: 'prefer-gpu', provider: 'cpu', fallback: expect.stringContaining('cuda: ') },
    });
  });

  test('refuses a model that requires one, says why in the log, and serves the others', async () => {
    expect(logged('model.refused')).toMatchObject([
      {
        folder: expect.stringContaining('lace'),
        error: { code: 'MODEL_NOT_READY', message: expect.stringMatching(/requires a GPU.*fhirsight doctor/) },
      },
    ]);
    expect((await fetch(`${server.url}/models/lace`)).status).toBe(503);
    expect((await fetch(`${server.url}/models/meld3`)).status).toBe(200);
  });
});
