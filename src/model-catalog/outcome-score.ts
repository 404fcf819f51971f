import { PredictionError } from '../platform/errors.ts';
import { classOf } from './class-of.ts';
import type { AnomalyOutcome, Band, FindingOutcome, Outcome, OutcomeClass, RiskOutcome } from './outcome-schema.ts';
import { probabilityOf } from './probability-of.ts';
import { survivalCurve } from './survival-curve.ts';

/** UCUM unit of points of a score. */
export const pointsUnit = '{score}';

/** What a score is called: the published band that holds it, its side of a threshold, or its class. */
export type Level = Band | OutcomeClass;

/** Whether the score is the probability of an event: the result is then a RiskAssessment. */
export function isRisk(outcome: Outcome): outcome is RiskOutcome {
  return outcome.kind === 'probability' || outcome.kind === 'survival';
}

/** Whether the score is a probability: of an event to come, or that something is there now. */
export function isProbable(outcome: Outcome): outcome is RiskOutcome | FindingOutcome {
  return isRisk(outcome) || outcome.kind === 'finding';
}

/** The published bands of an outcome, lowest first; none where none are published, and none for a class. Of an anomaly the sides of its threshold. */
export function bandsOf(outcome: Outcome): readonly Band[] {
  if (outcome.kind === 'class') return [];
  return outcome.kind === 'anomaly' ? sidesOf(outcome) : (outcome.bands?.levels ?? []);
}

function sidesOf({ threshold: { value } }: AnomalyOutcome): readonly Band[] {
  return [
    { code: 'below-threshold', display: 'Below the threshold', from: 0, below: value },
    { code: 'at-or-above-threshold', display: 'At or above the threshold', from: value },
  ];
}

/** Where bands of an outcome, or its threshold, come from; undefined where there are none. */
export function bandSource(outcome: Outcome): string | undefined {
  if (outcome.kind === 'class') return undefined;
  if (outcome.kind !== 'anomaly') return outcome.bands?.citation;
  const { percentile, source } = outcome.threshold;
  return percentile === undefined ? source : `percentile ${percentile} of: ${source}`;
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
  switch (outcome.kind) {
    case 'class':
      return undefined;
    case 'probability':
    case 'survival':
    case 'finding':
      return [0, 1];
    case 'anomaly':
      return [0, Number.MAX_VALUE];
    case 'points':
    case 'measurement':
      return outcome.range;
  }
}

/** Why a number is no score of an outcome, as it follows "is"; undefined where it is one. */
export function scoreMisfit(outcome: Outcome, score: number | undefined): string | undefined {
  if (outcome.kind === 'class')
    return outcome.classes.some(({ number }) => number === score) ? undefined : 'none of its classes';
  if (outcome.kind === 'points' && !Number.isInteger(score)) return 'no whole number of points';
  const [least, most] = scoreRange(outcome) ?? [0, 0];
  if (score !== undefined && score >= least && score <= most) return undefined;
  if (isProbable(outcome)) return 'not a probability from 0 to 1';
  return outcome.kind === 'anomaly' ? 'not a number from 0' : `not a number from ${least} to ${most}`;
}

/**
 * The score that a row of the outputs gives for an outcome, after all that its manifest says is done to the numbers of the
 * graph: a probability (of a curve that at its horizon), points, a value in the unit, the number of a class, or an anomaly. A
 * text on why there is none, as it follows "is".
 */
export function readScore(outcome: Outcome, row: readonly number[]): number | string {
  const found = unchecked(outcome, row);
  return typeof found === 'string' ? found : (scoreMisfit(outcome, found) ?? (found as number));
}

function unchecked(outcome: Outcome, row: readonly number[]): number | string | undefined {
  switch (outcome.kind) {
    case 'probability':
    case 'finding':
      return probabilityOf(outcome, row);
    case 'survival': {
      const curve = survivalCurve(outcome, row);
      return typeof curve === 'string' ? curve : curve.find(({ at }) => at === outcome.horizon)?.risk;
    }
    case 'points':
    case 'measurement':
    case 'anomaly':
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
  if (outcome.kind === 'survival') return outcome.times.map(({ column }) => column);
  if (outcome.kind !== 'class') return [outcome.column];
  return outcome.column === undefined ? outcome.classes.flatMap(({ column }) => column ?? []) : [outcome.column];
}
