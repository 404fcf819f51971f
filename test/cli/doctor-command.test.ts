import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Examination } from '../../src/cli/doctor/examine.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { freePort } from '../support/free-port.ts';

/** A machine without devices, whatever it has. */
const noDevices = { VK_ICD_FILENAMES: '/nowhere/driver.json', CUDA_VISIBLE_DEVICES: '' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('fhirsight doctor', () => {
  test('tells another program what there is and what is missing, and exits 0 where nothing more is wanted', async () => {
    const { code, stdout, stderr } = await runFhirsight(['doctor', '--json', '--policy', 'cpu'], noDevices);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = JSON.parse(stdout) as Examination;
    expect(found).toMatchObject({
      healthy: true,
      node: { version: process.version },
      runtime: { version: '1.30.0', compiled: expect.arrayContaining(['cpu']) },
      policies: [{ policy: 'cpu', met: true }],
    });
    expect(found.providers.map(({ provider }) => provider)).toEqual(['cuda', 'tensorrt', 'webgpu']);
    for (const { works, reason, wayOut } of found.providers) {
      expect({ works, reason }).toEqual({ works: false, reason: expect.any(String) });
      expect(wayOut).not.toEqual([]);
    }
  });

  test('exits 1 where ENGINES_FILE requires a GPU and none works, and says for which model and what adds one', async () => {
    const file = path.join(folder, 'engines.json');
    const models = { news2: { device: 'require-gpu' }, meld3: { device: 'prefer-gpu' }, lace: { device: 'cpu' } };
    await writeFile(file, JSON.stringify({ models }));
    const { code, stdout, stderr } = await runFhirsight(['doctor'], { ...noDevices, ENGINES_FILE: file });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('cpu         can be met: the CPU runs the model (lace)');
    expect(stdout).toContain(
      'prefer-gpu  can be met: no GPU works: the CPU runs the model, and its report says so (meld3)',
    );
    expect(stdout).toContain('require-gpu CANNOT be met: no GPU works: the model is refused (news2)');
    expect(stdout).toContain('script/install.js --onnxruntime-node-install');
  });

  test('exits 1 where a server of IMAGING_FILE does not answer, and says which and why', async () => {
    const file = path.join(folder, 'imaging.json');
    const url = `http://127.0.0.1:${await freePort()}/dicom-web`;
    await writeFile(file, JSON.stringify({ servers: { pacs: { url } } }));
    const asked = ['doctor', '--policy', 'cpu', '--json'];
    const { code, stdout, stderr } = await runFhirsight(asked, { ...noDevices, IMAGING_FILE: file });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      healthy: false,
      policies: [{ policy: 'cpu', met: true }],
      imageServers: [
        { name: 'pacs', base: url, answers: false, reason: expect.stringContaining('refused the connection') },
      ],
    });
  });

  test('exits 2 for a policy that there is not, and probes nothing', async () => {
    const { code, stdout, stderr } = await runFhirsight(['doctor', '--policy', 'gpu']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("--policy is one of cpu, prefer-gpu, require-gpu, not 'gpu'.");
  });
});
