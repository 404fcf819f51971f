import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { PredictionError } from '../../platform/errors.ts';
import type { TableRecord } from './csv-records.ts';
import type { TableFile } from './table-file.ts';

const rowsAtOnce = 4096;

/** A Parquet file as text, as CSV would have it; a row group at a time. Throws PARAMETER_INVALID for one that is none. */
export async function openParquet(file: string, option: string): Promise<TableFile> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file)) digest.update(chunk);
  const sha256 = digest.digest('hex');
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer).catch((cause: unknown) => {
    throw new PredictionError('PARAMETER_INVALID', `${option} ${file} is no Parquet file.`, { cause });
  });
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const rows = Number(metadata.num_rows);
  const records = async function* (): AsyncGenerator<TableRecord> {
    for (let rowStart = 0; rowStart < rows; rowStart += rowsAtOnce) {
      const rowEnd = Math.min(rows, rowStart + rowsAtOnce);
      const read = await parquetReadObjects({ file: buffer, metadata, rowStart, rowEnd });
      for (const [index, row] of read.entries())
        yield { line: rowStart + index + 1, cells: columns.map((name) => cellOf(row[name])) };
    }
  };
  return { name: path.basename(file), columns, records: records(), sha256: () => sha256 };
}

/** A number reads back as the very same double. */
function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}
