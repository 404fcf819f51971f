import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import { calibrationGroups, isotonicCurve } from './calibration-curve.ts';
import { oneKindOnly, type RankedScores } from './labelled-scores.ts';
import { decisionCurve } from './net-benefit.ts';
import { thinCurve } from './thin-curve.ts';

type Curves = NonNullable<EvaluationReport['curves']>;

const bins = 20;

/** The curves of an outcome with events; undefined where there is nothing to tell apart. */
export function eventCurves(
  ranked: RankedScores,
  range: readonly [number, number] | undefined,
  isProbability: boolean,
): Curves | undefined {
  if (oneKindOnly(ranked) !== undefined) return undefined;
  const { cuts, eventCount, otherCount } = ranked;
  return {
    roc: thinCurve([
      { falsePositiveRate: 0, recall: 0 },
      ...cuts.map((cut) => ({
        falsePositiveRate: cut.falsePositives / otherCount,
        recall: cut.truePositives / eventCount,
      })),
    ]),
    precisionRecall: thinCurve(
      cuts.map((cut) => ({ recall: cut.truePositives / eventCount, precision: cut.truePositives / cut.end })),
    ),
    ...(isProbability
      ? {
          calibration: { groups: calibrationGroups(ranked), isotonic: thinCurve(isotonicCurve(ranked)) },
          decision: decisionCurve(ranked),
        }
      : {}),
    histogram: histogram(ranked, range),
  };
}

/** Twenty bins of equal width; the last one holds its upper end too. Without a range, from the least score to the greatest. */
function histogram(
  { scores, events }: RankedScores,
  range: readonly [number, number] | undefined,
): Curves['histogram'] {
  const [from, to] = range ?? [scores.at(-1) ?? 0, scores[0] ?? 0];
  const width = (to - from) / bins || 1;
  const found = Array.from({ length: bins }, (_, index) => ({
    from: from + index * width,
    to: from + (index + 1) * width,
    events: 0,
    others: 0,
  }));
  for (const [row, score] of scores.entries()) {
    const bin = found[Math.min(bins - 1, Math.floor((score - from) / width))];
    if (bin === undefined) continue;
    if (events[row] === 1) bin.events += 1;
    else bin.others += 1;
  }
  return found;
}
