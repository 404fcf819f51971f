import { csvCell } from '../../entrances/cohort/csv-cell.ts';
import type { Cell } from './matrix-columns.ts';
import type { OpenMatrixWriter } from './matrix-writer.ts';

const bytesAtOnce = 64 * 1024;

/** CSV by RFC 4180 with a head, UTF-8. A number reads back as the very same double. */
export const csvMatrix: OpenMatrixWriter = (handle, columns) => {
  let held = lineOf(columns.map(({ name }) => name));
  const flush = async (): Promise<void> => {
    await handle.appendFile(held);
    held = '';
  };
  return {
    async write(cells) {
      held += lineOf(cells);
      if (held.length >= bytesAtOnce) await flush();
    },
    end: flush,
  };
};

function lineOf(cells: readonly Cell[]): string {
  return `${cells.map((cell) => csvCell(cell instanceof Date ? cell.toISOString() : cell)).join(',')}\r\n`;
}
