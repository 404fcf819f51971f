import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { inputColumns, inputTensors, outputTensors } from '../model-catalog/model-tensors.ts';
import type { GraphInput } from './graph/trace-margin.ts';

/** The inputs of the graph that a model row fills one after the other. */
export function graphInputs(manifest: Manifest): GraphInput[] {
  let from = 0;
  return inputTensors(manifest).map(({ name, type, columns, shape = [columns.length] }) => {
    const input = { name, type, from, columns: columns.length, isMatrix: shape.length === 1 };
    from += columns.length;
    return input;
  });
}

/** The output of the graph that a column of an output row lies in, and which column of it. */
export function graphOutput(manifest: Manifest, place: number): { readonly name: string; readonly column: number } {
  let column = place;
  for (const { name, columns } of outputTensors(manifest)) {
    if (column < columns) return { name, column };
    column -= columns;
  }
  throw new RangeError(`the model has no output column ${place}`);
}

/** The feature of each column of the model row. */
export function featuresOfColumns(manifest: Manifest): string[] {
  return inputColumns(manifest).map(({ feature }) => feature);
}
