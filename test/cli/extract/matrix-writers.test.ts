import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { csvMatrix } from '../../../src/cli/extract/csv-matrix.ts';
import type { Cell, ColumnType, MatrixColumn } from '../../../src/cli/extract/matrix-columns.ts';
import { openMatrixFile } from '../../../src/cli/extract/matrix-file.ts';
import type { OpenMatrixWriter } from '../../../src/cli/extract/matrix-writer.ts';
import { parquetMatrix } from '../../../src/cli/extract/parquet-matrix.ts';
import { csvRows, readParquet } from '../../support/make-matrix.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-matrix-'));
afterAll(() => rmSync(folder, { recursive: true }));

const types: readonly ColumnType[] = ['text', 'number', 'whole-number', 'boolean', 'instant'];
const columns: readonly MatrixColumn[] = types.map((type) => ({ name: type, type, read: () => undefined }));

async function write(open: OpenMatrixWriter, name: string, rows: Iterable<readonly Cell[]>): Promise<string> {
  const out = path.join(folder, name);
  const file = await openMatrixFile(out, true);
  const writer = open(file.handle, columns);
  for (const row of rows) await writer.write(row);
  await writer.end();
  await file.commit();
  return out;
}

const cells = fc.tuple(
  fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  fc.option(fc.double({ noNaN: true }), { nil: undefined }),
  fc.option(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { nil: undefined }),
  fc.option(fc.boolean(), { nil: undefined }),
  fc.option(fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }), {
    nil: undefined,
  }),
);

describe('a matrix in CSV', () => {
  it('gives every double back bit by bit, and every text whatever stands in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 20 }), async (rows) => {
        const read = csvRows(readFileSync(await write(csvMatrix, 'any.csv', rows), 'utf8'));
        expect(read).toHaveLength(rows.length);
        for (const [index, [text = '', number, whole, yes, at]] of rows.entries()) {
          const row = read[index];
          const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
          expect(row?.text).toBe(harmless);
          expect(Object.is(Number(row?.number), number) || (row?.number === '' && number === undefined)).toBe(true);
          expect(row?.['whole-number']).toBe(whole === undefined ? '' : String(whole));
          expect(row?.boolean).toBe(yes === undefined ? '' : String(yes));
          expect(row?.instant).toBe(at === undefined ? '' : at.toISOString());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a logical id as it is, also one that begins with a hyphen: others join by it', async () => {
    const file = await openMatrixFile(path.join(folder, 'ids.csv'), true);
    const writer = csvMatrix(file.handle, [{ name: 'subject', type: 'text', read: () => undefined }]);
    await writer.write(['-abc']);
    await writer.write(['=cmd']);
    await writer.end();
    await file.commit();
    expect(readFileSync(path.join(folder, 'ids.csv'), 'utf8')).toBe("subject\r\n-abc\r\n'=cmd\r\n");
  });

  it('gives a text of a record back when one apostrophe is taken off, whatever it begins with', async () => {
    const texts = [
      '=1+1',
      "'=1+1",
      "'s better",
      '- fever\n- "cough", chills\r\n',
      '\u{1f642} ok',
      '@home',
      "''",
      'plain',
      '',
    ];
    const file = await openMatrixFile(path.join(folder, 'texts.csv'), true);
    const writer = csvMatrix(file.handle, [{ name: 'note', type: 'free-text', read: () => undefined }]);
    for (const text of texts) await writer.write([text]);
    await writer.end();
    await file.commit();
    const cells = csvRows(readFileSync(path.join(folder, 'texts.csv'), 'utf8')).map(({ note = '' }) => note);
    expect(cells.filter((cell) => /^[=+\-@\t\r\n]/.test(cell))).toEqual([]);
    expect(cells.map((cell) => cell.replace(/^'/, ''))).toEqual(texts);
  });

  it('never lets what somebody sent run in a spreadsheet', async () => {
    const file = await write(csvMatrix, 'formula.csv', [['=HYPERLINK("http://x")', -1.5, 0, true, undefined]]);
    expect(readFileSync(file, 'utf8')).toBe(
      `text,number,whole-number,boolean,instant\r\n"'=HYPERLINK(""http://x"")",-1.5,0,true,\r\n`,
    );
  });
});

describe('a matrix in Parquet', () => {
  it('gives every double back bit by bit, -0 beside 0, and nothing where there was nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 20 }), async (rows) => {
        const read = await readParquet(await write(parquetMatrix, 'any.parquet', rows));
        expect(read).toHaveLength(rows.length);
        for (const [index, [text, number, whole, yes, at]] of rows.entries()) {
          const row = read[index] ?? {};
          expect(row.text ?? undefined).toBe(text?.toWellFormed());
          expect(Object.is(row.number ?? undefined, number)).toBe(true);
          expect(row['whole-number'] ?? undefined).toBe(whole);
          expect(row.boolean ?? undefined).toBe(yes);
          expect((row.instant as Date | undefined)?.getTime()).toBe(at?.getTime());
        }
      }),
      { numRuns: 100 },
    );
  });

  it('keeps 0 and -0 apart in a column that repeats them', async () => {
    const rows = Array.from({ length: 200 }, (_, index): Cell[] => ['a', index % 2 === 0 ? 0 : -0, 1, true, undefined]);
    const read = await readParquet(await write(parquetMatrix, 'zero.parquet', rows));
    expect(read.filter(({ number }, index) => !Object.is(number, index % 2 === 0 ? 0 : -0))).toEqual([]);
  });

  it('is written row group by row group, in order, over many of them', async () => {
    const many = 10_000;
    const rows = function* (): Generator<Cell[]> {
      for (let index = 0; index < many; index += 1)
        yield [`Observation/${index}`, index / 3, index, index % 2 === 0, new Date(index * 1000)];
    };
    const read = await readParquet(await write(parquetMatrix, 'many.parquet', rows()));
    expect(read).toHaveLength(many);
    expect(read.every(({ text, number }, index) => text === `Observation/${index}` && number === index / 3)).toBe(true);
  });

  it('of no rows has the columns all the same', async () => {
    expect(await readParquet(await write(parquetMatrix, 'none.parquet', []))).toEqual([]);
  });
});

describe('the file of a matrix', () => {
  it('has its name only when it is whole, and is for its owner alone', async () => {
    const out = path.join(folder, 'whole.csv');
    const file = await openMatrixFile(out, false);
    await file.handle.appendFile('a');
    expect(readdirSync(folder)).not.toContain('whole.csv');
    await file.commit();
    expect(readFileSync(out, 'utf8')).toBe('a');
    expect(statSync(out).mode & 0o077).toBe(0);
  });

  it('that is given up leaves nothing', async () => {
    const before = readdirSync(folder);
    const file = await openMatrixFile(path.join(folder, 'half.csv'), false);
    await file.handle.appendFile('a');
    await file.discard();
    expect(readdirSync(folder)).toEqual(before);
  });

  it('never replaces another one unasked, not even one that came meanwhile', async () => {
    const out = path.join(folder, 'there.csv');
    const file = await openMatrixFile(out, false);
    writeFileSync(out, 'theirs');
    await expect(file.commit()).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    await file.discard();
    await expect(openMatrixFile(out, false)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringContaining('--force'),
    });
    expect(readFileSync(out, 'utf8')).toBe('theirs');
    const forced = await openMatrixFile(out, true);
    await forced.commit();
    expect(readFileSync(out, 'utf8')).toBe('');
  });

  it.each([
    ['a folder that is not there', 'none/there.csv', 'ENOENT'],
    ['a folder', '.', 'is a folder'],
  ])('is refused in %s', async (_, name, says) => {
    await expect(openMatrixFile(path.join(folder, name), true)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringContaining(says),
    });
  });
});
