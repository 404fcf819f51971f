import { inputTensors } from '../../model-catalog/model-tensors.ts';
import { elementCount } from '../../model-catalog/tensor.ts';
import type { MatrixModel } from './matrix-rows.ts';

/** What the tensors of the rows of one slice may take; two slices are under way, see `matrixRows`. */
const imageBytesOfSlice = 2 ** 26;

/** How many rows are made at once: fewer where the images of a row take much memory, and one at least. */
export function rowsAtOnce({ manifest }: Pick<MatrixModel, 'manifest'>, sliceSize: number): number {
  const bytes = inputTensors(manifest).reduce(
    (sum, { image, shape }) =>
      sum + (image === undefined ? 0 : Float32Array.BYTES_PER_ELEMENT * elementCount(shape ?? [])),
    0,
  );
  return bytes === 0 ? sliceSize : Math.max(1, Math.min(sliceSize, Math.floor(imageBytesOfSlice / bytes)));
}
