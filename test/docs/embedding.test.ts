import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blocksOf, root } from '../support/markdown-blocks.ts';

const documentedPort = '3000';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-embedding-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' ? address?.port : address);
}

test('the app of docs/integrator.md serves fhirsight below its path, and ends by itself after SIGTERM', async () => {
  const [block] = blocksOf('docs/integrator.md').filter(({ mark }) => mark?.name === 'run');
  const port = await freePort();
  const app = (block?.text ?? '')
    .replaceAll(documentedPort, port)
    .replace("'express'", `'${import.meta.resolve('express')}'`)
    .replace("'fhirsight'", `'${pathToFileURL(path.join(root, 'src/index.ts')).href}'`)
    .replace("'risk-data'", `'${path.join(folder, 'risk-data')}'`);
  const file = path.join(folder, 'app.mjs');
  await writeFile(file, app);
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        if (/^ready$/m.test(output)) resolve();
      });
    }
  });
  try {
    await Promise.race([
      ready,
      ended.then(() => {
        throw new Error(`the app ended before it was ready:\n${output}`);
      }),
    ]);
    const fhir = `http://127.0.0.1:${port}/risk/fhir/R4`;
    const made = await fetch(`${fhir}/Patient`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Patient', gender: 'female', birthDate: '1970-01-01' }),
    });
    expect(made.status).toBe(201);
    const location = made.headers.get('location') ?? '';
    expect(location.startsWith(`${fhir}/Patient/`)).toBe(true);
    const answer = await fetch(`${location.split('/_history/')[0]}/$predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'model', valueString: 'prevent-base' }] }),
    });
    expect([answer.status, ((await answer.json()) as { resourceType: string }).resourceType]).toEqual([
      422,
      'OperationOutcome',
    ]);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
});
