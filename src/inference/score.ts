import type { FeatureScalar, FeatureValue } from '../features/feature-vector.ts';
import {
  columnValue,
  type InputColumn,
  missingColumnValue,
  sequenceColumnValue,
} from '../model-catalog/column-value.ts';
import type { ModelCell, ModelRow, RunRows } from '../model-catalog/model-row.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { outcomeScore } from '../model-catalog/outcome-score.ts';
import { type ScoreDetail, scoreDetail } from '../model-catalog/score-detail.ts';
import { PredictionError } from '../platform/errors.ts';

/**
 * One row of the inputs: numbers after the transform of their column, yes and no as 1 and 0, codes as the manifest encodes
 * them or as they are, the words of a text, the numbers of an image in one array, and what the map says of a value that is missing on purpose (NaN for one).
 * Throws INFERENCE_FAILED where a column has no value: eligibility must have been judged before.
 */
export function inputRow(columns: readonly InputColumn[], features: ReadonlyMap<string, FeatureValue>): ModelCell[] {
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
    // Its value is how long it is, or how many frames there are.
    if (value.state === 'observed' && value.text !== undefined) return value.text.content;
    if (value.state === 'observed' && value.image !== undefined) return value.image.tensor;
    const steps = value.state === 'derived' ? value.steps : undefined;
    return steps === undefined ? encode(column, value.value) : known(column, sequenceColumnValue(column, steps));
  });
}

/** What stands for a value in its column. Throws INFERENCE_FAILED for a code that the column does not encode, as it does others. */
export function encode(column: InputColumn, value: FeatureScalar): number | string {
  return known(column, columnValue(column, value));
}

function known(column: InputColumn, value: number | string | undefined): number | string {
  if (typeof value === 'string' || Number.isFinite(value)) return value as number | string;
  throw new PredictionError('INFERENCE_FAILED', `Column ${column.feature} has no number for the value it was given.`);
}

/** What a model says of the outcomes that it was asked about, by their ids. */
export interface Scores {
  /** See `outcomeScore`. */
  readonly scores: ReadonlyMap<string, number>;
  /** Of outcomes about which more is said than the score. */
  readonly details: ReadonlyMap<string, ScoreDetail>;
  /** The numbers of all declared outputs that they were read from. */
  readonly output: readonly number[];
}

/**
 * Runs the model on one row and reads the score of each wanted outcome: a probability, points, a value in the unit, the
 * number of a class, or an anomaly; and what else it says of them.
 * Throws INFERENCE_FAILED where the model fails or answers something that the outcome cannot be.
 */
export async function score(run: RunRows, row: ModelRow, outcomes: readonly Outcome[]): Promise<Scores> {
  const [output = []] = await run([row]);
  const scores = new Map<string, number>();
  const details = new Map<string, ScoreDetail>();
  for (const outcome of outcomes) {
    scores.set(outcome.id, outcomeScore(outcome, output));
    const detail = scoreDetail(outcome, output);
    if (detail !== undefined) details.set(outcome.id, detail);
  }
  return { scores, details, output };
}
