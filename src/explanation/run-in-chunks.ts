import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';

/** Rows of one run of the model: a small piece of the work of an engine that others use too. */
const rowsOfRun = 1024;

/** The outputs of many rows, some at a time, in their order. */
export async function runInChunks(run: RunRows, rows: readonly ModelRow[]): Promise<number[][]> {
  const outputs: number[][] = [];
  for (let from = 0; from < rows.length; from += rowsOfRun)
    outputs.push(...(await run(rows.slice(from, from + rowsOfRun))));
  return outputs;
}
