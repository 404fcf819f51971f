import { classOf } from './class-of.ts';
import type { Outcome } from './outcome-schema.ts';
import { type CurvePoint, survivalCurve } from './survival-curve.ts';

/** What a row of the outputs says of an outcome beside its score. */
export interface ScoreDetail {
  /** Of the class that is the score, 0..1. */
  readonly classProbability?: number;
  /** Of a survival outcome: all its points, earliest first. */
  readonly curve?: readonly CurvePoint[];
}

/** undefined where the score says all. The row must give a score, see `outcomeScore`. */
export function scoreDetail(outcome: Outcome, row: readonly number[]): ScoreDetail | undefined {
  if (outcome.kind === 'survival') {
    const curve = survivalCurve(outcome, row);
    return typeof curve === 'string' ? undefined : { curve };
  }
  if (outcome.kind !== 'class') return undefined;
  const said = classOf(outcome, row);
  if (typeof said === 'string' || said.probability === undefined) return undefined;
  return { classProbability: said.probability };
}
