import type { FeatureScalar } from '../features/feature-vector.ts';
import type { InputColumn } from '../model-catalog/column-value.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { outcomeScore } from '../model-catalog/outcome-score.ts';
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
  /** The outcomes to explain. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Contribution of each feature by occlusion: how much the score falls when the feature alone is replaced by the
 * reference person's. One run of the model, one row for the subject and one per feature; features that the reference
 * person does not have, or that are no input of the model, are not occluded. A feature derived from another (eGFR from
 * creatinine) is occluded by itself, as the model sees it.
 * Throws INFERENCE_FAILED where the model gives no score that an outcome can have.
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
    outcomes.map((outcome) => ({
      feature,
      outcome: outcome.id,
      difference: outcomeScore(outcome, subject ?? []) - outcomeScore(outcome, occluded[row] ?? []),
    })),
  );
}
