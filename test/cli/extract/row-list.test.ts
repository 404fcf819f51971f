import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkRowList, readRowList } from '../../../src/cli/extract/row-list.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = path.join(folder, 'rows.csv');
  writeFileSync(file, text);
  return file;
}

async function rowsOf(text: string, timeZone = 'UTC') {
  return await Array.fromAsync(readRowList(fileOf(text), timeZone));
}

describe('a list of rows', () => {
  it('is ids, one on a line, with or without the type', async () => {
    expect(await rowsOf('a\r\nPatient/b\n\n c \n')).toEqual([{ subject: 'a' }, { subject: 'b' }, { subject: 'c' }]);
  });

  it('is a table whose head names subject, as_of and encounter in any order, a byte order mark before it or not', async () => {
    expect(
      await rowsOf('\uFEFFas_of,"subject",encounter\r\n2026-03-01T08:00:00+01:00,a,Encounter/e\r\n"2026-03-01",b,\r\n'),
    ).toEqual([
      { subject: 'a', asOf: new Date('2026-03-01T07:00:00Z'), encounter: 'e' },
      { subject: 'b', asOf: new Date('2026-03-01T23:59:59.999Z') },
    ]);
  });

  it('reads a date as the end of that day at the site', async () => {
    const [row] = await rowsOf('subject,as_of\na,2026-03-01\n', 'Europe/Berlin');
    expect(row?.asOf).toEqual(new Date('2026-03-01T22:59:59.999Z'));
  });

  it.each([
    ['subject,as_of\na,2026-03-01\nb,\n', 'line 3: as_of must be a date'],
    ['subject,as_of\na,2026-03\n', 'line 2: as_of must be a date'],
    ['subject,as_of\na,2026-03-01T08:00:00\n', 'line 2: as_of must be a date'],
    ['subject,as_of\na\n', 'line 2: 1 cells under 2 headings'],
    ['subject\na,b\n', 'line 2: 2 cells under 1 headings'],
    ['patient,as_of\na,2026-03-01\n', 'line 1: a table begins with a head that names the column subject'],
    ['subject,asof\na,2026-03-01\n', "line 1: there is no column 'asof'"],
    ['subject,subject\na,b\n', 'line 1: the column subject stands there twice'],
    ['a\nb c\n', 'line 2: subject must be the logical id of a Patient'],
    ['subject\nEncounter/a\n', 'line 2: subject must be the logical id of a Patient'],
    ['subject\n"a\n', 'line 2: quotes that do not close'],
    ['subject,encounter\na,e f\n', 'line 2: encounter must be the logical id of a Encounter'],
    ['subject,as_of\n', 'lists nobody'],
    ['', 'lists nobody'],
  ])('%j is refused with its line, for a line that is passed over is a patient who is left out', async (text, says) => {
    await expect(checkRowList(fileOf(text), 'UTC')).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringContaining(says),
    });
  });

  it('that cannot be read is refused, and says which', async () => {
    await expect(checkRowList(path.join(folder, 'none.csv'), 'UTC')).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringMatching(/none\.csv cannot be read \(ENOENT\)/),
    });
    await expect(checkRowList(folder, 'UTC')).rejects.toMatchObject({ message: expect.stringContaining('EISDIR') });
  });
});
