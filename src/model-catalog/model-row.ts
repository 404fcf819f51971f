/** One row of all inputs of a model, in the order of `inputColumns`; texts for inputs of strings only. */
export type ModelRow = readonly (number | string)[];

/** Rows in, rows out: for each the numbers of all declared outputs, in the order of `outputTensors`. */
export type RunRows = (rows: readonly ModelRow[]) => Promise<number[][]>;
