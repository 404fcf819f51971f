import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { PredictionError } from '../../platform/errors.ts';
import { csvRecords, type TableRecord } from './csv-records.ts';

/** A table that is read once, from its beginning to its end. */
export interface TableFile {
  /** Without its folders. */
  readonly name: string;
  readonly columns: readonly string[];
  /** Record by record, each with a cell for each column, as text; empty where there is nothing. */
  readonly records: AsyncIterable<TableRecord>;
  /** SHA-256 (hex) of its bytes; of CSV, only when all records were read. */
  sha256(): string;
}

/**
 * Opens a CSV or Parquet file. Throws PARAMETER_INVALID for one that cannot be read, has no head, names a column twice, or
 * (while it is read) has a line of another length.
 * @param option that names it, for messages
 */
export async function openTable(file: string, option: string): Promise<TableFile> {
  if (!existsSync(file)) throw new PredictionError('PARAMETER_INVALID', `${option} ${file} does not exist.`);
  if (!file.endsWith('.parquet')) return await openCsv(file, option);
  const { openParquet } = await import('./parquet-table.ts');
  return withColumns(await openParquet(file, option), file, option);
}

async function openCsv(file: string, option: string): Promise<TableFile> {
  const digest = createHash('sha256');
  const said = `${option} ${file}`;
  const records = csvRecords(textOf(file, digest, said), said);
  const head = await records.next();
  if (head.done)
    throw new PredictionError('PARAMETER_INVALID', `${said} is empty: it begins with a head that names its columns.`);
  const columns = head.value.cells;
  let whole: string | undefined;
  const rows = async function* (): AsyncGenerator<TableRecord> {
    for await (const record of records) {
      if (record.cells.length !== columns.length)
        throw new PredictionError(
          'PARAMETER_INVALID',
          `${said}, line ${record.line}: ${record.cells.length} cells under ${columns.length} headings.`,
        );
      yield record;
    }
    whole = digest.digest('hex');
  };
  const sha256 = (): string => {
    if (whole === undefined) throw new RangeError(`${file} was not read to its end`);
    return whole;
  };
  return withColumns({ name: path.basename(file), columns, records: rows(), sha256 }, file, option);
}

function withColumns(table: TableFile, file: string, option: string): TableFile {
  const twice = table.columns.find((name, index) => table.columns.indexOf(name) !== index);
  if (twice === undefined) return table;
  throw new PredictionError('PARAMETER_INVALID', `${option} ${file}: the column '${twice}' stands there twice.`);
}

async function* textOf(file: string, digest: ReturnType<typeof createHash>, said: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    for await (const chunk of createReadStream(file)) {
      digest.update(chunk);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (cause) {
    if (cause instanceof PredictionError || !(cause instanceof Error)) throw cause;
    const because =
      cause instanceof TypeError ? 'it is not UTF-8' : 'code' in cause ? String(cause.code) : cause.message;
    throw new PredictionError('PARAMETER_INVALID', `${said} cannot be read (${because}).`, { cause });
  }
}
