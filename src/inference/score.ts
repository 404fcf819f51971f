import type { FeatureScalar, FeatureValue } from '../features/feature-vector.ts';
import { columnValue, missingColumnValue, sequenceColumnValue } from '../model-catalog/column-value.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { scoreMisfit } from '../model-catalog/outcome-score.ts';
import { PredictionError } from '../platform/errors.ts';

type InputColumns = Manifest['tensors']['input']['columns'];

/**
 * One row of the input tensor: numbers after the transform of their column, yes and no as 1 and 0, codes as the manifest
 * encodes them, and what the map says of a value that is missing on purpose (NaN for one).
 * Throws INFERENCE_FAILED where a column has no value: eligibility must have been judged before.
 */
export function inputRow(columns: InputColumns, features: ReadonlyMap<string, FeatureValue>): number[] {
  return columns.map((column) => {
    const value = features.get(column.feature);
    const missing = value?.state === 'missing' && value.given ? missingColumnValue(column, value.given) : undefined;
    if (missing !== undefined) return missing;
    if (value === undefined || value.state === 'missing') {
      throw new PredictionError(
        'INFERENCE_FAILED',
        `Column ${column.feature} has no value; the model must not be run.`,
      );
    }
    // The length of a text is no value of it.
    if (value.state === 'observed' && value.text !== undefined) return finite(column, undefined);
    const steps = value.state === 'derived' ? value.steps : undefined;
    return steps === undefined ? encode(column, value.value) : finite(column, sequenceColumnValue(column, steps));
  });
}

/** The number that stands for a value in its column. Throws INFERENCE_FAILED for a code the manifest does not encode. */
export function encode(column: InputColumns[number], value: FeatureScalar): number {
  return finite(column, columnValue(column, value));
}

function finite(column: InputColumns[number], number: number | undefined): number {
  if (number === undefined || !Number.isFinite(number)) {
    throw new PredictionError('INFERENCE_FAILED', `Column ${column.feature} has no number for the value it was given.`);
  }
  return number;
}

/**
 * Runs the model on one row and reads the score of each wanted outcome: a probability, points, a value in the unit, or
 * the number of a class.
 * Throws INFERENCE_FAILED where the model fails or answers something that the outcome cannot be.
 */
export async function score(
  run: (rows: readonly (readonly number[])[]) => Promise<number[][]>,
  row: readonly number[],
  outcomes: readonly Outcome[],
): Promise<Map<string, number>> {
  const [output] = await run([row]);
  return new Map(
    outcomes.map((outcome) => {
      const { id, column } = outcome;
      const number = output?.[column];
      const misfit = scoreMisfit(outcome, number);
      if (number === undefined || misfit !== undefined) {
        throw new PredictionError('INFERENCE_FAILED', `The model's answer for ${id} is ${misfit}.`);
      }
      return [id, number];
    }),
  );
}
