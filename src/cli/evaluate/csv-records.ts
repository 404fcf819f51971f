import { PredictionError } from '../../platform/errors.ts';

/** One record of a table, and the line on which it begins. */
export interface TableRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of CSV by RFC 4180, whatever its line ends: a cell in quotes may hold commas, quotes and lines. A byte order
 * mark at the beginning and empty lines are passed over.
 * Throws PARAMETER_INVALID with the line for quotes that do not close, and for text beside them.
 * @param name of the file, for messages
 */
export async function* csvRecords(chunks: AsyncIterable<string>, name: string): AsyncGenerator<TableRecord> {
  let [cell, cells, line, begin] = ['', [] as string[], 1, 1];
  let state: 'start' | 'plain' | 'quoted' | 'closing' = 'start';
  let isFirst = true;
  let afterReturn = false;
  const refuse = (what: string): PredictionError =>
    new PredictionError('PARAMETER_INVALID', `${name}, line ${begin}: ${what}`);
  const endCell = (): void => {
    cells.push(cell);
    cell = '';
    state = 'start';
  };
  for await (const chunk of chunks) {
    let position = isFirst && chunk.startsWith('\uFEFF') ? 1 : 0;
    isFirst &&= chunk === '';
    while (position < chunk.length) {
      const char = chunk[position] ?? '';
      position += 1;
      const isLineEnd = char === '\n' || char === '\r';
      if (char === '\n' && !afterReturn) line += 1;
      else if (char === '\r') line += 1;
      const secondHalf = char === '\n' && afterReturn;
      afterReturn = char === '\r';
      if (state === 'quoted') {
        if (char === '"') state = 'closing';
        else cell += char;
        continue;
      }
      if (secondHalf && state === 'start' && cells.length === 0) {
        begin = line;
        continue;
      }
      if (char === '"') {
        if (state === 'plain') throw refuse('a quote inside of a cell that does not begin with one.');
        if (state === 'closing') cell += '"';
        state = 'quoted';
      } else if (char === ',') endCell();
      else if (isLineEnd) {
        const isEmpty = cells.length === 0 && state === 'start';
        endCell();
        if (!isEmpty) yield { line: begin, cells };
        cells = [];
        begin = line;
      } else {
        if (state === 'closing') throw refuse('text behind a quote that closes.');
        state = 'plain';
        // To the next character that means something, in one go.
        const rest = /[",\r\n]/g;
        rest.lastIndex = position;
        const next = rest.exec(chunk)?.index ?? chunk.length;
        cell += chunk.slice(position - 1, next);
        position = next;
      }
    }
  }
  if (state === 'quoted') throw refuse('a quote does not close.');
  if (state !== 'start' || cells.length > 0) {
    endCell();
    yield { line: begin, cells };
  }
}
