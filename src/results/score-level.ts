import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { type Level, levelAt, levelsOf } from '../model-catalog/outcome-score.ts';
import { PredictionError } from '../platform/errors.ts';

/**
 * The published band that holds an unrounded score, or its class; undefined where none is published.
 * Throws RESULT_INVALID where some are declared and none holds it: a score without its band would read as one that has
 * none.
 */
export function scoreLevel(outcome: Outcome, score: number): Level | undefined {
  const level = levelAt(outcome, score);
  if (level === undefined && levelsOf(outcome).length > 0) {
    throw new PredictionError(
      'RESULT_INVALID',
      `No band or class of outcome ${outcome.id} holds the score; those of the manifest must cover all that the model can give.`,
    );
  }
  return level;
}
