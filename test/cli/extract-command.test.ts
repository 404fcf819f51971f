import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseExtractOptions } from '../../src/cli/extract/extract-options.ts';
import { runFhirsight, spawnFhirsight, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { csvRows, readParquet } from '../support/make-matrix.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-extract-'));
let data: TestDataDir;
let settings: Readonly<Record<string, string>>;
beforeAll(async () => {
  data = await createTestDataDir();
  settings = { ...data.settings, MODELS_DIR: await someModels(['prevent-base']) };
  const loaded = await runFhirsight(
    ['sample', '--patients', '12', '--reference-date', '2026-03-01', '--load'],
    settings,
  );
  expect(loaded.code, loaded.stderr).toBe(0);
}, 120_000);
afterAll(async () => {
  await data.remove();
  await rm(folder, { recursive: true });
});

const fileOf = (name: string): string => path.join(folder, name);
const common = ['extract', '--model', 'prevent-base', '--as-of', '2026-03-01'];

describe('fhirsight extract', () => {
  it('writes the same matrix from its own data and through the server that holds them', async () => {
    const args = [...common, '--cohort', 'all'];
    const alone = await runFhirsight([...args, '--out', fileOf('alone.csv')], settings);
    expect(alone, alone.stderr).toMatchObject({ code: 0, stdout: '' });
    expect(alone.stderr).toContain('12 rows: ');
    expect(alone.stderr).toContain(' cells of ');

    const server = await startFhirsightProcess(settings);
    onTestFinished(() => void server.child.kill('SIGKILL'));
    const there = await runFhirsight([...args, '--out', fileOf('there.csv')], settings);
    expect(there.code, there.stderr).toBe(0);
    expect(readFileSync(fileOf('there.csv'), 'utf8')).toBe(readFileSync(fileOf('alone.csv'), 'utf8'));
    const parquet = await runFhirsight([...args, '--out', fileOf('there.parquet')], settings);
    expect(parquet.code, parquet.stderr).toBe(0);
    const rows = csvRows(readFileSync(fileOf('alone.csv'), 'utf8'));
    expect((await readParquet(fileOf('there.parquet'))).map(({ subject }) => subject)).toEqual(
      rows.map(({ subject }) => subject),
    );

    // Another server, and its patients are named by its address.
    const abroad = await runFhirsight([...args, '--out', fileOf('abroad.csv')], {
      DATA_DIR: fileOf('unused'),
      FHIR_BASE_URL: server.fhir,
    });
    expect(abroad.code, abroad.stderr).toBe(0);
    const local = (text: string): string => text.replaceAll(`${server.fhir}/`, '');
    expect(csvRows(local(readFileSync(fileOf('abroad.csv'), 'utf8')))).toEqual(rows);
    await server.stop('SIGTERM');
  }, 120_000);

  it('exits 1 where a row failed, and the file has the others', async () => {
    writeFileSync(fileOf('list.txt'), 'sample-0001\nnobody\n');
    const out = fileOf('failed.csv');
    const ended = await runFhirsight([...common, '--cohort', fileOf('list.txt'), '--out', out], settings);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('failed SUBJECT_UNKNOWN: 1');
    expect(csvRows(readFileSync(out, 'utf8')).map(({ subject }) => subject)).toEqual(['sample-0001', 'nobody']);
  });

  it('leaves an existing file as it is, unless it is told to replace it', async () => {
    writeFileSync(fileOf('list.txt'), 'sample-0001\n');
    const out = fileOf('mine.csv');
    writeFileSync(out, 'mine');
    const args = [...common, '--cohort', fileOf('list.txt'), '--out', out];
    const refused = await runFhirsight(args, settings);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('exists. Name another file, or replace it with --force.');
    expect(readFileSync(out, 'utf8')).toBe('mine');
    const forced = await runFhirsight([...args, '--force'], settings);
    expect(forced.code, forced.stderr).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^subject,as_of,/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves no file, whole or half, when it is stopped by %s',
    async (signal) => {
      const own = mkdtempSync(path.join(folder, 'stopped-'));
      const list = fileOf('long.csv');
      const lines = Array.from({ length: 50_000 }, () => 'sample-0001,2026-03-01').join('\n');
      writeFileSync(list, `subject,as_of\n${lines}\n`);
      const out = path.join(own, 'matrix.csv');
      const child = spawnFhirsight(['extract', '--model', 'prevent-base', '--cohort', list, '--out', out], settings);
      let printed = '';
      child.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString('utf8');
      });
      const ended = once(child, 'close');
      const given = new AbortController();
      ended.then(() => given.abort());
      // The second change is a write: rows are under way.
      let changes = 0;
      for await (const { filename } of watch(own, { signal: given.signal })) {
        expect(filename).toMatch(/^\.matrix\.csv\.\d+\.partial$/);
        changes += 1;
        if (changes === 3) break;
      }
      child.kill(signal);
      expect(await ended, printed).toEqual([1, null]);
      expect(printed).toContain('SHUTTING_DOWN: The extraction was stopped. No file was written.');
      expect(readdirSync(own)).toEqual([]);
    },
    60_000,
  );

  it('searches another server as its profile says, and stops at a profile that is wrong', async () => {
    const profile = fileOf('profile.json');
    writeFileSync(profile, '{"pages": 10}');
    const wrong = await runFhirsight([...common, '--cohort', 'all', '--out', fileOf('profiled.csv')], {
      DATA_DIR: fileOf('unused'),
      FHIR_BASE_URL: 'http://127.0.0.1:9/fhir',
      FHIR_SERVER_PROFILE: profile,
    });
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('profile.json');
    expect(wrong.stderr).toContain('pages');
  });

  it('exits 1 for a model that is not served, and leaves no file', async () => {
    const own = mkdtempSync(path.join(folder, 'unknown-'));
    const args = ['extract', '--model', 'none', '--cohort', 'all', '--as-of', '2026-03-01'];
    const ended = await runFhirsight([...args, '--out', path.join(own, 'm.csv')], settings);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('MODEL_UNKNOWN: There is no model none');
    expect(readdirSync(own)).toEqual([]);
  });
});

describe('the command line of extract', () => {
  const full = { model: 'prevent-base', cohort: 'all', 'as-of': '2026-03-01', out: 'unused.csv' };

  it.each([
    [{ ...full, model: undefined }, 'extract needs --model (or --draft), --cohort and --out'],
    [{ ...full, draft: 'some-folder' }, 'extract takes --model or --draft, not both'],
    [{ ...full, model: 'prevent-base@' }, '--model is ID or ID@VERSION'],
    [{ ...full, model: 'a@1@2' }, '--model is ID or ID@VERSION'],
    [{ ...full, out: 'matrix.xlsx' }, '--out ends with .csv or .parquet'],
    [{ ...full, 'as-of': undefined }, 'none was given'],
    [{ ...full, anchor: 'encounter-start' }, 'more was given'],
    [{ ...full, 'as-of': 'yesterday' }, 'asOf takes a date'],
    [{ ...full, 'as-of': undefined, anchor: 'discharge' }, '--anchor is encounter-start or encounter-end'],
    [{ ...full, class: 'IMP' }, '--class goes with --anchor'],
    [
      { ...full, 'as-of': undefined, anchor: 'encounter-end', class: 'a|b|c' },
      '--class is a code (IMP) or system|code',
    ],
    [{ ...full, cohort: 'none.csv' }, 'none.csv cannot be read (ENOENT)'],
  ])('%j is refused', async (options, says) => {
    const args = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
    await expect(parseExtractOptions(args, () => 'UTC')).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringContaining(says),
    });
  });

  it.each([
    ['subject,as_of\na,2026-03-01\n', ['--as-of', '2026-03-01'], 'more was given'],
    ['subject,encounter\na,e\n', ['--anchor', 'encounter-end'], 'leave the column encounter out'],
  ])('with two as-of or encounters for one row is refused (%j, %j)', async (list, when, says) => {
    writeFileSync(fileOf('list.csv'), list);
    const args = ['--model', 'm', '--cohort', fileOf('list.csv'), '--out', 'unused.csv', ...when];
    await expect(parseExtractOptions(args, () => 'UTC')).rejects.toThrow(says);
  });

  it('with what it does not know exits 2 and shows what it knows', async () => {
    const { code, stdout, stderr } = await runFhirsight(['extract', '--everybody'], { DATA_DIR: fileOf('none') });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--everybody');
  });
});
