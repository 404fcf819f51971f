import type { FeatureScalar } from '../features/feature-vector.ts';
import type { InputColumn } from '../model-catalog/column-value.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { outcomeScore } from '../model-catalog/outcome-score.ts';
import type { Contribution, Explanation } from './contribution.ts';
import type { RowWithoutPart } from './input-parts.ts';
import { runInChunks } from './run-in-chunks.ts';

export interface OcclusionRequest {
  /** In the order of the input tensor. */
  readonly columns: readonly InputColumn[];
  /** Turns a feature's value into the number of its column; the same function that made `inputs`. */
  readonly encode: (column: InputColumn, value: FeatureScalar) => number | string;
  /** This subject's row of the inputs. */
  readonly inputs: ModelRow;
  /** The reference person: a value per feature that may be occluded. */
  readonly reference: Readonly<Record<string, FeatureScalar>>;
  /** Rows of this subject that lack a part of an input; see input-parts.ts. */
  readonly parts?: readonly RowWithoutPart[];
  /** Runs the model; see LoadedModel.run. */
  readonly run: RunRows;
  /** The outcomes to explain. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Contribution of each feature by occlusion: how much the score falls when the feature alone is replaced by the
 * reference person's, and of each part of an input: how much it falls without that part. One row for the subject, one for the reference person, and one per feature;
 * features that the reference person does not have, or that are no input of the model, are not occluded. A feature derived
 * from another (eGFR from creatinine) is occluded by itself, as the model sees it.
 * Throws INFERENCE_FAILED where the model gives no score that an outcome can have.
 */
export async function explainByOcclusion(request: OcclusionRequest): Promise<Explanation> {
  const { columns, encode, inputs, reference, run, outcomes, parts = [] } = request;
  const features = [...new Set(columns.map(({ feature }) => feature))].filter((name) => Object.hasOwn(reference, name));
  const replaced = (isReplaced: (feature: string) => boolean): ModelRow =>
    columns.map((column, index) => {
      const value = isReplaced(column.feature) ? reference[column.feature] : undefined;
      return value === undefined ? (inputs[index] ?? Number.NaN) : encode(column, value);
    });
  const [subject, person, ...occluded] = await runInChunks(run, [
    inputs,
    replaced((feature) => Object.hasOwn(reference, feature)),
    ...features.map((feature) => replaced((each) => each === feature)),
    ...parts.map(({ row }) => row),
  ]);
  const explained: Pick<Contribution, 'feature' | 'part'>[] = [
    ...features.map((feature) => ({ feature })),
    ...parts.map(({ feature, part }) => ({ feature, part })),
  ];
  return {
    contributions: explained.flatMap((each, row) =>
      outcomes.map((outcome) => ({
        ...each,
        outcome: outcome.id,
        difference: outcomeScore(outcome, subject ?? []) - outcomeScore(outcome, occluded[row] ?? []),
      })),
    ),
    bases: outcomes.map((outcome) => ({
      outcome: outcome.id,
      scale: 'score',
      ...(features.length === 0 ? {} : { base: outcomeScore(outcome, person ?? []) }),
    })),
  };
}
