import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { csvOf, preventRows } from '../support/made-matrix.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('fhirsight evaluate', () => {
  it('writes the report as HTML and as JSON beside it, for its owner alone, and never over another one', async () => {
    const matrix = path.join(folder, 'test.csv');
    const out = path.join(folder, 'report.html');
    await writeFile(matrix, csvOf(preventRows(200, 9)));
    const args = [
      'evaluate',
      '--model',
      'prevent-base',
      '--outcome',
      'total-cvd-10y',
      '--file',
      matrix,
      '--label',
      'event',
    ];
    const done = await runFhirsight([...args, '--resamples', '100', '--out', out]);
    expect(done, done.stderr).toMatchObject({ code: 0, stdout: '' });
    expect(done.stderr).toContain('200 rows: 200 evaluated, 0 abstained');
    expect(done.stderr).toMatch(/^auroc: 0\.\d+ \(0\.\d+ to \d/m);
    const json = JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8'));
    expect(json).toMatchObject({ schema: 1, model: { id: 'prevent-base' }, data: { matrix: { name: 'test.csv' } } });
    expect(readFileSync(out, 'utf8')).toContain('Evaluation of prevent-base@1.0.0');
    expect(statSync(out).mode & 0o077).toBe(0);

    const again = await runFhirsight([...args, '--out', out]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('report.html exists');
  });

  it('leaves no file where the matrix is wrong', async () => {
    const matrix = path.join(folder, 'wrong.csv');
    await writeFile(matrix, 'a,b\n1,2\n');
    const out = path.join(folder, 'none.json');
    const done = await runFhirsight([
      'evaluate',
      '--model',
      'fib4',
      '--outcome',
      'fib-4',
      '--file',
      matrix,
      '--label',
      'b',
      '--out',
      out,
    ]);
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('lacks 4 of the 4 columns of the input of fib4@1.0.0');
    expect(existsSync(out)).toBe(false);
  });
});
