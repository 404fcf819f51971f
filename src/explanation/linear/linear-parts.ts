import { PredictionError } from '../../platform/errors.ts';
import type { PartsOfRow } from '../explain-margin.ts';
import { halfBit } from '../float32.ts';
import type { OneColumn } from '../graph/margin.ts';

/**
 * What the parts of a linear margin are on average, and what moved them for one subject. Each part is made of one column, and moves by
 * what that column differs from its mean: that is its Shapley value where columns vary on their own (interventional).
 * @param row the model row
 * @param means of its columns
 * Throws INFERENCE_FAILED for a column that is no number: nothing can be said of a missing value then.
 */
export function linearParts(
  columns: readonly OneColumn[],
  row: readonly number[],
  means: readonly number[],
): PartsOfRow {
  const at = (numbers: readonly number[], { from, scale, offset }: OneColumn): number => {
    const number = scale * (numbers[from] ?? Number.NaN) + offset;
    if (Number.isFinite(number)) return number;
    throw new PredictionError(
      'INFERENCE_FAILED',
      `Column ${from} of the model row is no number; a linear model has no contribution for it.`,
    );
  };
  const [values, expected] = [row, means].map((numbers) => columns.map((column) => at(numbers, column))) as [
    number[],
    number[],
  ];
  return {
    expected,
    rounding: values.map((value) => columns.length * halfBit * Math.abs(value)),
    moved: columns.map(({ from }, part) => ({
      column: from,
      part,
      difference: (values[part] as number) - (expected[part] as number),
    })),
  };
}
