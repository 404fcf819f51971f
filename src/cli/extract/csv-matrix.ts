import { csvCell, csvIdCell, csvTextCell } from '../../http/csv-cell.ts';
import type { Cell, MatrixColumn } from './matrix-columns.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';

const bytesAtOnce = 64 * 1024;

/** CSV by RFC 4180 with a head, UTF-8. A number reads back as the very same double. */
export const csvMatrix: OpenMatrixWriter = (handle, columns) => {
  const writers = columns.map(writerOf);
  let held = `${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`;
  const flush = async (): Promise<void> => {
    await handle.appendFile(held);
    held = '';
  };
  return {
    async write(cells) {
      held += `${cells.map((cell, index) => (writers[index] ?? textOf)(cell)).join(',')}\r\n`;
      if (held.length >= bytesAtOnce) await flush();
    },
    end: flush,
  };
};

function writerOf({ name, type }: MatrixColumn): (cell: Cell) => string {
  if (name === 'subject' || name === 'encounter') return (cell) => csvIdCell(cell as string | undefined);
  return type === 'free-text' ? (cell) => csvTextCell(cell as string | undefined) : textOf;
}

function textOf(cell: Cell): string {
  return csvCell(cell instanceof Date ? cell.toISOString() : cell);
}
