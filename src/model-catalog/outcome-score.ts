import type { Band, Outcome, OutcomeClass } from './outcome-schema.ts';

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
