import { PredictionError } from '../platform/errors.ts';
import { classOf } from './class-of.ts';
import type { Band, Outcome, OutcomeClass } from './outcome-schema.ts';
import { probabilityOf } from './probability-of.ts';

/** UCUM unit of points of a score. */
export const pointsUnit = '{score}';

/** What a score is called: the published band that holds it, or its class. */
export type Level = Band | OutcomeClass;

/** The published bands of an outcome, lowest first; none where none are published, and none for a class. */
export function bandsOf(outcome: Outcome): readonly Band[] {
  return outcome.kind === 'class' ? [] : (outcome.bands?.levels ?? []);
}

/** All that a score of the outcome can be called; cards are declared by their codes. */
export function levelsOf(outcome: Outcome): readonly Level[] {
  return outcome.kind === 'class' ? outcome.classes : bandsOf(outcome);
}

/** `from` is inclusive, `below` exclusive; the highest band has no end. */
export function bandAt(levels: readonly Band[], score: number): Band | undefined {
  return levels.find(({ from, below }) => score >= from && (below === undefined || score < below));
}

/** What an unrounded score is called; undefined where nothing is published, or the score is none of the outcome. */
export function levelAt(outcome: Outcome, score: number): Level | undefined {
  if (outcome.kind === 'class') return outcome.classes.find(({ number }) => number === score);
  return bandAt(bandsOf(outcome), score);
}

/** The least and the greatest score an outcome can have; undefined for a class. */
export function scoreRange(outcome: Outcome): readonly [number, number] | undefined {
  if (outcome.kind === 'class') return undefined;
  return outcome.kind === 'probability' ? [0, 1] : outcome.range;
}

/** Why a number is no score of an outcome, as it follows "is"; undefined where it is one. */
export function scoreMisfit(outcome: Outcome, score: number | undefined): string | undefined {
  if (outcome.kind === 'class')
    return outcome.classes.some(({ number }) => number === score) ? undefined : 'none of its classes';
  if (outcome.kind === 'points' && !Number.isInteger(score)) return 'no whole number of points';
  const [least, most] = outcome.kind === 'probability' ? [0, 1] : outcome.range;
  if (score !== undefined && score >= least && score <= most) return undefined;
  return outcome.kind === 'probability' ? 'not a probability from 0 to 1' : `not a number from ${least} to ${most}`;
}

/**
 * The score that a row of the outputs gives for an outcome, after all that its manifest says is done to the numbers of the
 * graph: a probability, points, a value in the unit, or the number of a class. A text on why there is none, as it follows "is".
 */
export function readScore(outcome: Outcome, row: readonly number[]): number | string {
  const found = unchecked(outcome, row);
  return typeof found === 'string' ? found : (scoreMisfit(outcome, found) ?? (found as number));
}

function unchecked(outcome: Outcome, row: readonly number[]): number | string | undefined {
  switch (outcome.kind) {
    case 'probability':
      return probabilityOf(outcome, row);
    case 'points':
    case 'measurement':
      return row[outcome.column];
    case 'class': {
      const said = classOf(outcome, row);
      return typeof said === 'string' ? said : said.number;
    }
  }
}

/** See `readScore`. Throws INFERENCE_FAILED where the row gives no score that the outcome can have. */
export function outcomeScore(outcome: Outcome, row: readonly number[]): number {
  const score = readScore(outcome, row);
  if (typeof score === 'number') return score;
  throw new PredictionError('INFERENCE_FAILED', `The model's answer for ${outcome.id} is ${score}.`);
}

/** The columns of the outputs that an outcome reads as its own, which no other outcome reads. */
export function ownColumns(outcome: Outcome): readonly number[] {
  if (outcome.kind !== 'class') return [outcome.column];
  return outcome.column === undefined ? outcome.classes.flatMap(({ column }) => column ?? []) : [outcome.column];
}
