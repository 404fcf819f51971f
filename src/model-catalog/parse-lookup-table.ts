import type { AddressDefinition } from './address-schema.ts';
import { repeatedKeys } from './lint/repeated-keys.ts';

/** Rows of a table as they stand in its file, with the place of each for a message. */
export interface TableRow {
  readonly key: string;
  readonly value: string | number;
  /** `line 3` of a CSV, or the key of a JSON object. */
  readonly place: string;
}

type Columns = NonNullable<AddressDefinition['lookup']>['columns'];

/**
 * Reads a table of a model folder.
 * @throws SyntaxError that says what is wrong with the file
 */
export function parseLookupTable(file: string, bytes: Uint8Array, columns: Columns): TableRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError('is not UTF-8');
  }
  return file.endsWith('.json') ? jsonRows(text, columns) : csvRows(text, columns);
}

function jsonRows(text: string, columns: Columns): TableRow[] {
  if (columns !== undefined) throw new SyntaxError('is JSON, which has no columns; leave `columns` out');
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof table !== 'object' || table === null || Array.isArray(table))
    throw new SyntaxError('must be a JSON object: a value by each key');
  const [twice] = repeatedKeys(text);
  if (twice !== undefined) throw new SyntaxError(`has the key ${twice.path} twice, again in line ${twice.line}`);
  return Object.entries(table).map(([key, value]: [string, unknown]) => {
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new SyntaxError(`has neither a number nor a text for ${key}`);
    return { key, value, place: key };
  });
}

function csvRows(text: string, columns: Columns): TableRow[] {
  if (columns === undefined) throw new SyntaxError('is CSV; `columns` must say which of its columns are read');
  const [header, ...records] = csvRecords(text);
  const position = (name: string): number => {
    const at = header?.fields.indexOf(name) ?? -1;
    if (at < 0 || header?.fields.indexOf(name, at + 1) !== -1)
      throw new SyntaxError(`needs exactly one column ${name}; its header is ${header?.fields.join(',') ?? 'missing'}`);
    return at;
  };
  const [keyAt, valueAt] = [position(columns.key), position(columns.value)];
  return records.map(({ fields, line }) => {
    const place = `line ${line}`;
    if (fields.length !== header?.fields.length)
      throw new SyntaxError(`has ${fields.length} fields in ${place}, but ${header?.fields.length} in the header`);
    return { key: fields[keyAt] ?? '', value: fields[valueAt] ?? '', place };
  });
}

/** Records of RFC 4180: fields between commas, in quotes where they hold a comma, a quote (doubled) or a line break. */
function csvRecords(text: string): { fields: string[]; line: number }[] {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const records: { fields: string[]; line: number }[] = [];
  let fields: string[] = [];
  let line = 1;
  let startsAt = 1;
  while (field.lastIndex < text.length || fields.length > 0) {
    const found = field.exec(text);
    if (found === null) throw new SyntaxError(`is no CSV in line ${line}: a quote stands where none may stand`);
    const [all, quoted, plain, end] = found;
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    line += all.split('\n').length - 1;
    if (end === ',') continue;
    records.push({ fields, line: startsAt });
    fields = [];
    startsAt = line;
    if (end === '') break;
  }
  return records;
}
