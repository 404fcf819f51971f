import { setImmediate as turn } from 'node:timers/promises';
import { type BasicType, ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import { encodeNestedValues } from 'hyparquet-writer/src/dremel.js';
import { schemaPathResolver } from 'hyparquet-writer/src/schema.js';
import type { Cell, ColumnType } from './matrix-columns.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';

/** Rows of one row group: what is held of the matrix at any time. */
const rowsAtOnce = 4096;
const pageBytes = 1_048_576;

const basicTypes: Readonly<Record<ColumnType, BasicType>> = {
  text: 'STRING',
  'free-text': 'STRING',
  number: 'DOUBLE',
  'whole-number': 'INT32',
  boolean: 'BOOLEAN',
  instant: 'TIMESTAMP',
};

/**
 * Parquet, row group by row group. The library writes a whole row group in one go; here its parts do so one column after
 * the other, and the file takes each before the next is encoded: other work comes in between, and no more than one row group
 * is held. Of those before, only their places stay, about a kilobyte for each column.
 */
export const parquetMatrix: OpenMatrixWriter = (handle, columns) => {
  const buffer = new ByteWriter();
  const schema = schemaFromColumnData({
    columnData: columns.map(({ name, type }) => ({ name, type: basicTypes[type], data: [], nullable: true })),
  });
  const file = new ParquetWriter({ writer: buffer, schema, createdBy: 'fhirsight', statistics: false });
  const pathOf = schemaPathResolver(schema);
  let held: Cell[][] = columns.map(() => []);
  let rows = 0;

  const flush = async (): Promise<void> => {
    const bytes = buffer.getBytes();
    for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
    buffer.index = 0;
  };

  const writeGroup = async (): Promise<void> => {
    const begin = buffer.offset;
    const chunks: (typeof file.row_groups)[number]['columns'] = [];
    for (const [index, { name, type }] of columns.entries()) {
      const treePath = pathOf([name]);
      const schemaPath = treePath.map(({ element }) => element);
      const element = schemaPath.at(-1);
      if (element === undefined) throw new Error(`there is no column ${name}`);
      const written = writeColumn({
        writer: buffer,
        column: {
          columnName: name,
          element,
          schemaPath,
          codec: 'SNAPPY',
          compressors: file.compressors,
          stats: false,
          pageSize: pageBytes,
          columnIndex: false,
          offsetIndex: false,
          // A dictionary would take -0 for 0.
          ...(type === 'number' ? { encoding: 'PLAIN' as const } : {}),
        },
        pageData: encodeNestedValues(treePath, held[index] ?? []),
      });
      chunks.push(written.chunk);
      await flush();
      await turn();
    }
    const bytes = chunks.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n);
    file.num_rows += BigInt(rows);
    file.row_groups.push({
      columns: chunks,
      total_byte_size: bytes,
      num_rows: BigInt(rows),
      total_compressed_size: BigInt(buffer.offset - begin),
    });
    held = columns.map(() => []);
    rows = 0;
  };

  return {
    async write(cells) {
      for (const [index, column] of held.entries()) column.push(cells[index]);
      rows += 1;
      if (rows === rowsAtOnce) await writeGroup();
    },
    async end() {
      if (rows > 0) await writeGroup();
      await file.finish();
      await flush();
    },
  };
};
