import {
  elementCount,
  type NumericData,
  numericData,
  shapeText,
  type Tensor,
  type Tensors,
} from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { RowForm } from './row-form.ts';

/** Tensors whose first sizes count rows. What is of one call alone stays as it is, whatever its sizes count. */
export const tensorRows: RowForm<Tensors, Tensors> = {
  count: ([...tensors]) => tensors[0]?.[1].dims[0] ?? 0,
  join: (inputs, rows) => (rows === undefined ? (inputs[0] ?? new Map()) : joinRows(inputs, rows)),
  split: (outputs, rows, from) => (from === undefined ? outputs : sliceRows(outputs, from, from + rows)),
  slice: sliceRows,
  merge: joinRows,
};

/** Rows `from` to `to` of every tensor; a view where the data are numbers. */
export function sliceRows(tensors: Tensors, from: number, to: number): Tensors {
  return new Map([...tensors].map(([name, tensor]) => [name, sliceTensor(tensor, from, to)]));
}

/**
 * The rows of all parts one after the other, filled up with the last row to `rows`. The parts have the same names, types and
 * sizes but for the first, which counts rows; else INFERENCE_FAILED.
 */
export function joinRows(parts: readonly Tensors[], rows: number): Tensors {
  const [first = new Map<string, Tensor>()] = parts;
  return new Map(
    [...first.keys()].map((name) => [
      name,
      joinTensors(
        parts.flatMap((part) => part.get(name) ?? []),
        rows,
      ),
    ]),
  );
}

function sliceTensor(tensor: Tensor, from: number, to: number): Tensor {
  const [, ...rest] = tensor.dims;
  const width = elementCount(rest);
  const dims = [to - from, ...rest];
  return tensor.type === 'string'
    ? { ...tensor, dims, data: tensor.data.slice(from * width, to * width) }
    : { ...tensor, dims, data: tensor.data.subarray(from * width, to * width) };
}

function joinTensors(parts: readonly Tensor[], rows: number): Tensor {
  const [first] = parts;
  if (first === undefined) throw new RangeError('there are no tensors to join');
  const [, ...rest] = first.dims;
  const width = elementCount(rest);
  const dims = [rows, ...rest];
  refuseMisfits(parts, first, rest);
  if (first.type === 'string') {
    const data = parts.flatMap((part) => part.data as readonly string[]);
    const last = data.slice(data.length - width);
    while (data.length < rows * width) data.push(...last);
    return { ...first, dims, data };
  }
  const data = numericData(first.type, rows * width);
  let at = 0;
  for (const part of parts) {
    copyInto(data, part.data as NumericData, at);
    at += part.data.length;
  }
  const lastRow = at - width;
  for (; at < data.length; at += width) data.copyWithin(at, lastRow, lastRow + width);
  return { ...first, dims, data };
}

/** Throws INFERENCE_FAILED: a part of another width would move all that come after it into the rows of others. */
function refuseMisfits(parts: readonly Tensor[], first: Tensor, rest: readonly number[]): void {
  for (const { type, dims, data } of parts) {
    const fits =
      type === first.type && dims.length === rest.length + 1 && rest.every((size, at) => dims[at + 1] === size);
    if (fits && data.length === elementCount(dims)) continue;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `The rows of a run do not fit together: ${type} ${shapeText(dims)} beside ${first.type} ${shapeText(first.dims)}.`,
    );
  }
}

/** Both are of one element type, by the contract of `joinRows`. */
function copyInto(target: NumericData, part: NumericData, at: number): void {
  (target as Float64Array).set(part as Float64Array, at);
}
