import { csvCell, csvIdCell } from '../../entrances/cohort/csv-cell.ts';
import type { Cell } from './matrix-columns.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';

const bytesAtOnce = 64 * 1024;

/** CSV by RFC 4180 with a head, UTF-8. A number reads back as the very same double. */
export const csvMatrix: OpenMatrixWriter = (handle, columns) => {
  const isId = columns.map(({ name }) => name === 'subject' || name === 'encounter');
  let held = `${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`;
  const flush = async (): Promise<void> => {
    await handle.appendFile(held);
    held = '';
  };
  return {
    async write(cells) {
      held += `${cells.map((cell, index) => (isId[index] === true ? csvIdCell(cell as string | undefined) : textOf(cell))).join(',')}\r\n`;
      if (held.length >= bytesAtOnce) await flush();
    },
    end: flush,
  };
};

function textOf(cell: Cell): string {
  return csvCell(cell instanceof Date ? cell.toISOString() : cell);
}
