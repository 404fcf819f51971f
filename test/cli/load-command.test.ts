import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ndjsonResources } from '../../src/cli/load/ndjson-resources.ts';
import { transactionsOf } from '../../src/cli/load/transactions-of.ts';
import { imagingStudy } from '../support/build-imaging-study.ts';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import { runFhirsight, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { someModels } from '../support/some-models.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-load-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function ndjson(...lines: readonly (string | object)[]): string {
  const file = path.join(folder, `${files++}.ndjson`);
  writeFileSync(file, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return file;
}

const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });

async function chunks(file: string) {
  return await Array.fromAsync(transactionsOf(ndjsonResources(file)), ({ lines, count, transaction }) => ({
    lines,
    count,
    urls: transaction.entry?.map(({ request }) => request?.url),
  }));
}

describe('an NDJSON file as transactions', () => {
  it('puts each resource under its own id, passes empty lines over, and counts lines from 1', async () => {
    const found = await chunks(ndjson(patient('a'), '', { resourceType: 'Observation', id: 'a' }));
    expect(found).toEqual([{ lines: [1, 3], count: 2, urls: ['Patient/a', 'Observation/a'] }]);
  });

  it('begins a new one for a resource that is there twice, so that the later line stays', async () => {
    const found = await chunks(ndjson(patient('a'), patient('b'), patient('a')));
    expect(found.map(({ urls }) => urls)).toEqual([['Patient/a', 'Patient/b'], ['Patient/a']]);
  });

  it('holds at most 200 resources and a megabyte, and one larger resource by itself', async () => {
    const many = Array.from({ length: 401 }, (_, index) => patient(String(index)));
    expect((await chunks(ndjson(...many))).map(({ count }) => count)).toEqual([200, 200, 1]);
    const large = (id: string) => patient(id, { text: { div: 'x'.repeat(1_100_000) } });
    expect((await chunks(ndjson(patient('a'), large('b'), patient('c')))).map(({ count }) => count)).toEqual([1, 1, 1]);
  });

  it.each([
    ['{"resourceType":"Patient","id":', 'line 2 is not JSON'],
    ['[]', 'line 2 is no FHIR resource: it has no resourceType'],
    ['"Patient"', 'line 2 is no FHIR resource'],
    ['{"resourceType":"Patient"}', 'line 2 has no id, under which it would be stored'],
  ])('refuses the line %s and names it', async (line, says) => {
    await expect(chunks(ndjson(patient('a'), line))).rejects.toThrow(says);
  });

  it('refuses a file that is not there by its name', async () => {
    await expect(chunks(path.join(folder, 'none.ndjson'))).rejects.toThrow(/none\.ndjson cannot be read \(ENOENT\)/);
  });
});

describe('fhirsight load', () => {
  const env = { DATA_DIR: path.join(folder, 'data'), MODELS_DIR: '', SAMPLE_PATIENTS: '0' };
  beforeAll(async () => {
    env.MODELS_DIR = await someModels(['prevent-base']);
    await fillDataDir(env.DATA_DIR);
  });

  const study = imagingStudy({ subject: { reference: 'Patient/c' } });

  it('stores by itself and through the server that holds the data, says what was refused, and replaces what is there', async () => {
    const alone = await runFhirsight(['load', ndjson(patient('a', { gender: 'female' }), patient('b'))], env);
    expect(alone).toMatchObject({ code: 0, stdout: '' });
    expect(alone.stderr).toContain('2 resources of a file are stored.');

    const server = await startFhirsightProcess(env);
    try {
      const there = await runFhirsight(
        ['load', ndjson(patient('a', { gender: 'male' })), ndjson(patient('c'), study)],
        env,
      );
      expect(there.stderr).toContain('3 resources of 2 files are stored.');
      const read = async (id: string) => await (await fetch(`${server.url}/fhir/R4/Patient/${id}`)).json();
      expect(await read('a')).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
      expect(await read('b')).toMatchObject({ id: 'b' });
      const found = await fetch(
        `${server.url}/fhir/R4/ImagingStudy?started=ge2026-01-01&modality=DX&subject=Patient/c`,
      );
      expect(await found.json()).toMatchObject({ entry: [{ resource: { id: study.id } }] });

      const bad = ndjson(patient('d'), patient('e', { gender: 7 }));
      const refused = await runFhirsight(['load', ndjson(patient('f')), bad], env);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(
        /^WRITE_REJECTED: .*lines 1 to 2 were refused: 400: .*gender.* The 1 resources before them are stored\.$/m,
      );
      expect(await read('d')).toMatchObject({ resourceType: 'OperationOutcome' });
    } finally {
      await server.stop('SIGTERM');
    }
  }, 120_000);
});
