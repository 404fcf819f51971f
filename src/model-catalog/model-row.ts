/**
 * One cell of a model row: a number, a text for inputs of strings only, or all numbers of an image, in row-major order. An array
 * is not to be changed while a row holds it.
 */
export type ModelCell = number | string | Float32Array;

/** One row of all inputs of a model, in the order of `inputColumns`. */
export type ModelRow = readonly ModelCell[];

/** Rows in, rows out: for each the numbers of all declared outputs, in the order of `outputTensors`. */
export type RunRows = (rows: readonly ModelRow[]) => Promise<number[][]>;
