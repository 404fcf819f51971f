import type { Outcome } from '../outcome-schema.ts';
import { readScore } from '../outcome-score.ts';

/** What is wrong with the score of an outcome in a row of outputs, as it follows "the model"; undefined where nothing is. */
export function scoreFault(outcome: Outcome, output: readonly number[]): string | undefined {
  const score = readScore(outcome, output);
  return typeof score === 'number' ? undefined : `gives for ${outcome.id} what is ${score}`;
}
