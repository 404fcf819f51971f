import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvRecords } from '../../../src/cli/evaluate/csv-records.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function read(text: string, size = 3): Promise<{ line: number; cells: readonly string[] }[]> {
  const found = [];
  for await (const record of csvRecords(inChunks(text, size), 'rows.csv')) found.push(record);
  return found;
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

describe('a CSV file (RFC 4180)', () => {
  it('is read back as it was written, wherever its chunks end', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '1'), maxLength: 6 });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom('\r\n', '\n', '\r'),
        fc.integer({ min: 1, max: 9 }),
        async (rows, end, size) => {
          const text = rows.map((cells) => `${cells.map(quoted).join(',')}${end}`).join('');
          expect((await read(text, size)).map(({ cells }) => cells)).toEqual(rows);
        },
      ),
    );
  });

  it('says on which line a record begins, after a cell with lines of its own', async () => {
    const records = await read('a,b\r\n"one\r\ntwo",2\r\n\r\n3,4');
    expect(records.map(({ line }) => line)).toEqual([1, 2, 5]);
  });

  it('loses its byte order mark', async () => {
    expect((await read('\uFEFFa,b\n'))[0]?.cells).toEqual(['a', 'b']);
  });

  it.each([
    ['a,"b\n1,2', 'line 1: a quote does not close'],
    ['a,b\n1,"2"3', 'line 2: text behind a quote that closes'],
    ['a,b\n1,2"3"', 'line 2: a quote inside of a cell'],
  ])('is refused with the line where its quotes are wrong: %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
