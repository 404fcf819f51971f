import type { FeatureScalar } from '../features/feature-vector.ts';
import type { InputColumn } from '../model-catalog/column-value.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Contribution } from './contribution.ts';

export interface OcclusionRequest {
  /** In the order of the input tensor. */
  readonly columns: readonly InputColumn[];
  /** Turns a feature's value into the number of its column; the same function that made `inputs`. */
  readonly encode: (column: InputColumn, value: FeatureScalar) => number | string;
  /** This subject's row of the inputs. */
  readonly inputs: ModelRow;
  /** The reference person: a value per feature that may be occluded. */
  readonly reference: Readonly<Record<string, FeatureScalar>>;
  /** Runs the model; see LoadedModel.run. */
  readonly run: RunRows;
  /** The outcomes to explain, with the output column that holds each score. */
  readonly outcomes: readonly { readonly id: string; readonly column: number }[];
}

/**
 * Contribution of each feature by occlusion: how much the score falls when the feature alone is replaced by the
 * reference person's. One run of the model, one row for the subject and one per feature; features that the reference
 * person does not have, or that are no input of the model, are not occluded. A feature derived from another (eGFR from
 * creatinine) is occluded by itself, as the model sees it.
 * Throws INFERENCE_FAILED where the model gives no finite number.
 */
export async function explainByOcclusion(request: OcclusionRequest): Promise<Contribution[]> {
  const { columns, encode, inputs, reference, run, outcomes } = request;
  const features = [...new Set(columns.map(({ feature }) => feature))].filter((name) => Object.hasOwn(reference, name));
  const rows = features.map((feature) =>
    columns.map((column, index) => {
      const value = column.feature === feature ? reference[feature] : undefined;
      return value === undefined ? (inputs[index] ?? Number.NaN) : encode(column, value);
    }),
  );
  const [subject, ...occluded] = await run([inputs, ...rows]);
  return features.flatMap((feature, row) =>
    outcomes.map(({ id, column }) => ({
      feature,
      outcome: id,
      difference: scoreAt(subject, column) - scoreAt(occluded[row], column),
    })),
  );
}

function scoreAt(row: readonly number[] | undefined, column: number): number {
  const value = row?.[column];
  if (value === undefined || !Number.isFinite(value)) {
    throw new PredictionError(
      'INFERENCE_FAILED',
      `The model gave no finite number in output column ${column} for an occluded row.`,
    );
  }
  return value;
}
