import { aroundValue, type Figure } from './figure.ts';
import { oneKindOnly, type RankedScores } from './labelled-scores.ts';

/** Calibration in the large and the spread of the probabilities. */
export interface Recalibration {
  /** How much must be added to each logit: 0 is right, above 0 the probabilities are too low. With the slope held at 1. */
  readonly intercept: Figure;
  /** By what each logit must be multiplied: 1 is right, below 1 the probabilities are too extreme. */
  readonly slope: Figure;
}

/** An estimate and its standard error, from the information of Fisher. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

const mostSteps = 100;
const enough = 1e-12;

/**
 * Logistic regression of what happened on the logit of the probability (Cox 1958; Van Calster, J Clin Epidemiol
 * 2016;74:167), by Newton's method, with intervals of Wald. Nothing is cut off: a probability of 0 or 1 has no logit, and
 * then there is no figure.
 */
export function recalibration(ranked: RankedScores): Recalibration {
  const reason = noLogits(ranked);
  if (reason !== undefined) return { intercept: { unavailable: reason }, slope: { unavailable: reason } };
  const intercept = interceptOf(ranked);
  return {
    intercept:
      intercept === undefined
        ? { unavailable: 'the estimate does not settle' }
        : aroundValue(intercept.value, intercept.standardError, 'wald'),
    slope: slopeOf(ranked),
  };
}

/** Calibration in the large as an estimate; undefined where there is none. */
export function calibrationInTheLarge(ranked: RankedScores): Estimate | undefined {
  return noLogits(ranked) === undefined ? interceptOf(ranked) : undefined;
}

function noLogits(ranked: RankedScores): string | undefined {
  const { scores } = ranked;
  const one = oneKindOnly(ranked);
  if (one !== undefined) return one;
  const without = scores.reduce((count, score) => count + Number(score <= 0 || score >= 1), 0);
  return without === 0 ? undefined : `${without} of ${scores.length} rows have a score of 0 or 1, which has no logit`;
}

function interceptOf({ scores, events }: RankedScores): Estimate | undefined {
  const logits = scores.map(logit);
  let value = 0;
  for (let step = 0; step < mostSteps; step += 1) {
    let [gradient, information] = [0, 0];
    for (let row = 0; row < logits.length; row += 1) {
      const risk = logistic(value + (logits[row] ?? 0));
      gradient += (events[row] ?? 0) - risk;
      information += risk * (1 - risk);
    }
    const change = gradient / information;
    if (!Number.isFinite(change)) return undefined;
    if (Math.abs(change) <= enough * (1 + Math.abs(value))) return { value, standardError: 1 / Math.sqrt(information) };
    // A step that is too long is what makes Newton's method run away.
    value += Math.max(-4, Math.min(4, change));
  }
  return undefined;
}

function slopeOf(ranked: RankedScores): Figure {
  const { scores, events, cuts } = ranked;
  if (cuts.length < 2) return { unavailable: 'all rows have the same score' };
  if (isSeparated(ranked))
    return { unavailable: 'a score separates all events from all other rows: the slope is infinite' };
  const logits = scores.map(logit);
  let [a, b] = [0, 1];
  for (let step = 0; step < mostSteps; step += 1) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 0, 0, 0];
    for (let row = 0; row < logits.length; row += 1) {
      const at = logits[row] ?? 0;
      const risk = logistic(a + b * at);
      const left = (events[row] ?? 0) - risk;
      const weight = risk * (1 - risk);
      ga += left;
      gb += left * at;
      haa += weight;
      hab += weight * at;
      hbb += weight * at * at;
    }
    const determinant = haa * hbb - hab * hab;
    const da = (hbb * ga - hab * gb) / determinant;
    const db = (haa * gb - hab * ga) / determinant;
    if (!Number.isFinite(da) || !Number.isFinite(db)) break;
    if (Math.abs(da) + Math.abs(db) <= enough * (1 + Math.abs(a) + Math.abs(b)))
      return aroundValue(b, Math.sqrt(haa / determinant), 'wald');
    const shorter = Math.min(1, 4 / Math.max(Math.abs(da), Math.abs(db)));
    a += shorter * da;
    b += shorter * db;
  }
  return { unavailable: 'the estimate does not settle' };
}

/** Whether the events lie all on one side of a score, and all other rows on the other (a score may be of both). */
function isSeparated({ cuts, eventCount, otherCount }: RankedScores): boolean {
  return cuts.some(({ truePositives, falsePositives }, index) => {
    const before = cuts[index - 1] ?? { truePositives: 0, falsePositives: 0 };
    return (
      (before.falsePositives === 0 && truePositives === eventCount) ||
      (before.truePositives === 0 && falsePositives === otherCount)
    );
  });
}

function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
