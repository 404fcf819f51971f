import type { OutcomeBase, Scale } from '../explanation/contribution.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { pointsUnit } from '../model-catalog/outcome-score.ts';
import { smallestPlainPercent, toPercent } from './percent.ts';
import { unitText } from './unit-text.ts';

/** How much one input moved a score, in the unit that its reader knows. */
export interface ContributionAmount {
  /** 0 where it is too small to be told. */
  readonly value: number;
  /** As a reader writes it. */
  readonly unit: string;
  /** UCUM. */
  readonly code: string;
}

/**
 * @param scale what the difference is counted in
 * @param difference of scores as the model gives them (of probabilities, for one), of log-odds, or of a margin
 */
export function contributionAmount(outcome: Outcome, scale: Scale, difference: number): ContributionAmount {
  // Never percentage points: what a log-odds is of them depends on where it begins.
  if (scale === 'log-odds') return { value: toldAtAll(difference), unit: 'log-odds', code: '1' };
  if (scale === 'margin') return { value: toldAtAll(difference), unit: "on the model's own scale", code: '1' };
  switch (outcome.kind) {
    case 'probability':
    case 'survival':
    case 'finding':
      return { value: percentagePoints(difference), unit: 'percentage points', code: '%' };
    case 'points':
      return { value: difference, unit: Math.abs(difference) === 1 ? 'point' : 'points', code: pointsUnit };
    case 'measurement':
      return { value: toldAtAll(difference), unit: unitText(outcome.unit), code: outcome.unit };
    case 'anomaly':
      return { value: toldAtAll(difference), unit: '', code: '1' };
    case 'class':
      throw new RangeError(`the difference of two classes of ${outcome.id} is no amount`);
  }
}

/** `+2.10 percentage points`, `−1 point`, `+0.42 log-odds`, or `none`. */
export function contributionText(outcome: Outcome, scale: Scale, difference: number): string {
  const { value, unit } = contributionAmount(outcome, scale, difference);
  if (value === 0) return 'none';
  const sign = value > 0 ? '+' : '−';
  const size = Math.abs(value);
  const number = Number.isInteger(size) && outcome.kind === 'points' ? String(size) : size.toFixed(2);
  return `${size < 0.01 ? `${sign}less than 0.01` : `${sign}${number}`} ${unit}`.trimEnd();
}

/** What the contributions to an outcome are counted in and from. Throws RangeError for one that has none. */
export function baseOf({ bases }: { readonly bases: readonly OutcomeBase[] }, outcome: string): OutcomeBase {
  const base = bases.find((each) => each.outcome === outcome);
  if (base === undefined) throw new RangeError(`the contributions to ${outcome} start from nothing`);
  return base;
}

/** A difference of probabilities in percentage points; 0 where it is smaller than a millionth of one. */
function percentagePoints(difference: number): number {
  return toldAtAll(toPercent(difference));
}

/** What JSON would write with an exponent is nothing. */
function toldAtAll(amount: number): number {
  return Math.abs(amount) < smallestPlainPercent ? 0 : amount;
}
