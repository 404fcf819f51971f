import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Real inputs with expected values, beside the project; not part of it. */
export const casesDir = path.resolve(import.meta.dirname, '../../../shared/cases');

/** True where the cases lie beside the project. CI must have them; elsewhere their tests are left out. */
export const casesPresent = existsSync(casesDir) || process.env.CI !== undefined;

/** Reads a CSV file of the cases (RFC 4180 quoting) into one object per row. Throws where the cases are absent. */
export function readCsv(relativePath: string): Record<string, string>[] {
  const file = path.join(casesDir, relativePath);
  if (!existsSync(file)) throw new Error(`${file} is absent: the cases must lie in ../shared/cases beside the project`);
  const [header = [], ...rows] = parseCsv(readFileSync(file, 'utf8'));
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])));
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ',') {
      row.push(field);
      field = '';
    } else if (char === '\n') {
      row.push(field.replace(/\r$/, ''));
      rows.push(row);
      row = [];
      field = '';
    } else field += char;
  }
  if (field !== '' || row.length > 0) rows.push([...row, field]);
  return rows.filter((cells) => cells.length > 1 || cells[0] !== '');
}
