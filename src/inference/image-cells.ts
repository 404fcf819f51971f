import type { ModelCell, ModelRow } from '../model-catalog/model-row.ts';
import type { InputForm } from '../model-catalog/model-tensors.ts';
import type { NumericData } from '../model-catalog/tensor.ts';
import { PredictionError } from '../platform/errors.ts';

type Rows = readonly ModelRow[];

/** What is wrong with the cell of an image: nothing else stands in it, and every number of it is looked at where it lies. */
export function imageMisfit({ columns }: InputForm, cell: ModelCell | undefined): string | undefined {
  if (!(cell instanceof Float32Array))
    return `is a ${typeof cell}, where the ${columns} numbers of an image are needed`;
  if (cell.length !== columns) return `has ${cell.length} numbers; the model takes ${columns}`;
  const at = firstNotFinite(cell);
  return at === undefined ? undefined : `has ${cell[at]} as its number ${at}, which is no finite float32`;
}

/** Where one number is not finite the sum is not, while that of any finite float32 that fit into memory is, as a double. */
function firstNotFinite(numbers: Float32Array): number | undefined {
  let [even, odd] = [0, 0];
  let at = 0;
  // Two sums, for each number waits for the one before it.
  for (; at + 1 < numbers.length; at += 2) {
    even += numbers[at] as number;
    odd += numbers[at + 1] as number;
  }
  if (at < numbers.length) even += numbers[at] as number;
  if (Number.isFinite(even) && Number.isFinite(odd)) return undefined;
  return numbers.findIndex((number) => !Number.isFinite(number));
}

/**
 * The images of rows one after the other, the last one repeated up to `count`; of one row its own array, which is not copied.
 * Throws INFERENCE_FAILED where one has another length than when it was looked at.
 * @param from which cell of a row it is
 */
export function imageData(
  parts: readonly Rows[],
  { count, from }: { readonly count: number; readonly from: number },
  columns: number,
): Float32Array<ArrayBuffer> {
  const cells = parts.flatMap((rows) => rows.map((row) => row[from]));
  const images = cells.filter(
    (cell) => cell instanceof Float32Array && cell.length === columns,
  ) as Float32Array<ArrayBuffer>[];
  const [first] = images;
  if (images.length !== cells.length || first === undefined)
    throw new PredictionError('INFERENCE_FAILED', 'The image of a call was changed while it waited.');
  if (count === 1) return first;
  const data = new Float32Array(count * columns);
  images.forEach((image, index) => {
    data.set(image, index * columns);
  });
  fillUp(data, parts, columns);
  return data;
}

/** The last row once more for each that is wanted beyond those of the calls. */
export function fillUp(data: NumericData, parts: readonly Rows[], columns: number): void {
  let at = columns * parts.reduce((rows, part) => rows + part.length, 0);
  for (const lastRow = at - columns; at < data.length; at += columns) data.copyWithin(at, lastRow, lastRow + columns);
}
