import { cutAt, type RankedScores } from './labelled-scores.ts';

/**
 * True positives per row, less the false ones at the odds of the threshold (Vickers and Elkin, Med Decis Making 2006;26:565):
 * who acts at a probability of 1 in 10 accepts nine false alerts for a right one.
 * @param threshold above 0 and below 1
 */
export function netBenefit(truePositives: number, falsePositives: number, rows: number, threshold: number): number {
  return (truePositives - falsePositives * (threshold / (1 - threshold))) / rows;
}

/** Net benefit of acting by the model, and of acting on everybody; of acting on nobody it is 0. */
export interface DecisionPoint {
  readonly threshold: number;
  readonly model: number;
  readonly everybody: number;
}

/** The decision curve at 0.01, 0.02 … 0.99; none without rows. */
export function decisionCurve({ cuts, eventCount, otherCount }: RankedScores): DecisionPoint[] {
  const rows = eventCount + otherCount;
  if (rows === 0) return [];
  return Array.from({ length: 99 }, (_, index) => {
    const threshold = (index + 1) / 100;
    const { truePositives, falsePositives } = cutAt(cuts, threshold);
    return {
      threshold,
      model: netBenefit(truePositives, falsePositives, rows, threshold),
      everybody: netBenefit(eventCount, otherCount, rows, threshold),
    };
  });
}
