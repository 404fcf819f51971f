import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, Observation, OperationOutcome } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FhirsightProcess, startFhirsightProcess } from '../support/fhirsight-process.ts';

/** Mounts a small file system, so it needs root. */
let mount: string;
beforeEach(() => {
  mount = mkdtempSync(path.join(tmpdir(), 'fhirsight-full-server-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', mount]);
});
afterEach(() => {
  execFileSync('umount', ['--lazy', mount]);
  rmSync(mount, { recursive: true });
});

const fhirJson = { 'content-type': 'application/fhir+json' };

/** Leaves `freeMb` on the small file system. */
async function fillDisk(freeMb: number): Promise<void> {
  const space = await statfs(mount);
  await writeFile(path.join(mount, 'filler'), Buffer.alloc(space.bavail * space.bsize - freeMb * 1024 * 1024));
}

function observation(id: string): Observation {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'synthetic' },
    subject: { reference: 'Patient/sample-0001' },
    effectiveDateTime: '2026-01-01T00:00:00Z',
    note: [{ text: randomBytes(24_000).toString('base64') }],
  };
}

function put(server: FhirsightProcess, id: string): Promise<Response> {
  const body = JSON.stringify(observation(id));
  return fetch(`${server.fhir}/Observation/${id}`, { method: 'PUT', headers: fhirJson, body });
}

function predict(server: FhirsightProcess, writeBack: boolean): Promise<Response> {
  const parameter = [
    { name: 'model', valueString: 'prevent-base' },
    { name: 'writeBack', valueBoolean: writeBack },
  ];
  const body = JSON.stringify({ resourceType: 'Parameters', parameter });
  return fetch(`${server.fhir}/Patient/sample-0001/$predict`, { method: 'POST', headers: fhirJson, body });
}

/** Writes one resource after another until one is refused. @returns what was acknowledged, and the refusal */
async function writeUntilRefused(server: FhirsightProcess): Promise<{ kept: string[]; refusal: Response }> {
  const kept: string[] = [];
  for (let n = 1; n < 5_000; n++) {
    const answer = await put(server, `filling-${n}`);
    if (answer.status !== 201) return { kept, refusal: answer };
    await answer.arrayBuffer();
    kept.push(`filling-${n}`);
  }
  throw new Error('the disk was never full');
}

async function storedIds(server: FhirsightProcess): Promise<string[]> {
  const ids: string[] = [];
  let next: string | undefined = `${server.fhir}/Observation?patient=sample-0001&date=2026-01-01&_count=200`;
  while (next !== undefined) {
    const page = (await (await fetch(next)).json()) as Bundle;
    for (const { resource } of page.entry ?? []) if (resource?.id?.startsWith('filling-')) ids.push(resource.id);
    next = page.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return ids.sort();
}

it.each([
  { space: 'more rows', freeMb: 4, readStatuses: [200] },
  // The engine ends where its write-ahead log has no space; until there is some, nothing can be read.
  { space: 'the write-ahead log', freeMb: 12, readStatuses: [200, 503] },
])(
  'answers writes with 503 no-store where $space finds no space, goes on running, loses nothing, and writes again once there is some',
  async ({ freeMb, readStatuses }) => {
    const env = { DATA_DIR: path.join(mount, 'data'), SAMPLE_PATIENTS: '1' };
    const server = await startFhirsightProcess(env);
    try {
      expect((await predict(server, false)).status).toBe(200);
      await fillDisk(freeMb);
      const { kept, refusal } = await writeUntilRefused(server);
      expect(kept.length).toBeGreaterThan(2);
      expect(refusal.status).toBe(503);
      expect(refusal.headers.get('retry-after')).toBe('5');
      const outcome = (await refusal.json()) as OperationOutcome;
      expect(outcome.issue[0]).toMatchObject({ severity: 'error', code: 'no-store' });
      expect(outcome.issue[0]?.diagnostics).toContain('Free space');

      // Later writes are refused as well, in some way that passes by itself; the process stays.
      for (const answer of [await put(server, 'filling-refused'), await predict(server, true)]) {
        expect(answer.status).toBe(503);
        expect(((await answer.json()) as OperationOutcome).issue[0]?.code).toMatch(/^(no-store|transient)$/);
      }
      const read = await fetch(`${server.fhir}/Patient/sample-0001`);
      expect(readStatuses).toContain(read.status);
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
      expect((await fetch(`${server.url}/models`)).status).toBe(200);
      expect((await fetch(`${server.fhir}/metadata`)).status).toBe(200);

      rmSync(path.join(mount, 'filler'));
      await expect.poll(async () => (await put(server, 'filling-after')).status, { timeout: 30_000 }).toBe(201);
      const stored = await storedIds(server);
      expect(stored).toEqual(expect.arrayContaining(kept));
      expect(stored).not.toContain('filling-refused');
      expect((await predict(server, true)).status).toBe(200);
      expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });

      const again = await startFhirsightProcess(env);
      expect(await storedIds(again)).toEqual(stored);
      expect((await again.stop('SIGTERM')).code).toBe(0);
    } finally {
      server.child.kill('SIGKILL');
    }
  },
  180_000,
);

it('says that the disk is full, and exits 1, where there is none for a first start', async () => {
  await fillDisk(8);
  const started = startFhirsightProcess({ DATA_DIR: path.join(mount, 'data') });
  await expect(started).rejects.toThrow(/STORAGE_FULL: No space is left for the database/);
});
