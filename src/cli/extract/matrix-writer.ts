import type { FileHandle } from 'node:fs/promises';
import type { Cell, MatrixColumn } from './matrix-columns.ts';

/** Writes rows to a file that stays open; each promise resolves when the file has taken what it must, so that no more is held. */
export interface MatrixWriter {
  /** @param cells in the order of the columns */
  write(cells: readonly Cell[]): Promise<void>;
  /** Writes what is left. */
  end(): Promise<void>;
}

export type OpenMatrixWriter = (handle: FileHandle, columns: readonly MatrixColumn[]) => MatrixWriter;
