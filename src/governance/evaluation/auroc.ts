import { aroundValue, type Figure } from './figure.ts';
import { oneKindOnly, type RankedScores } from './labelled-scores.ts';

/** Area under the ROC curve and the variance of its estimate. */
export interface Area {
  readonly value: number;
  /** Undefined with fewer than two events or two others. */
  readonly variance: number | undefined;
}

/**
 * How often an event has a higher score than another row has, ties counting half, with the variance of DeLong, DeLong and
 * Clarke-Pearson (Biometrics 1988;44:837) by the ranks of Sun and Xu (IEEE Signal Process Lett 2014;21:1389): one sorting
 * instead of all pairs. Undefined where there are no events, or nothing else.
 */
export function aurocArea(ranked: RankedScores): Area | undefined {
  const { cuts, eventCount: m, otherCount: n } = ranked;
  if (m === 0 || n === 0) return undefined;
  // Ties have one share: of an event, that of others below it; of another row, that of events above it.
  const shares = cuts.map(({ truePositives, falsePositives }, index) => {
    const above = cuts[index - 1] ?? { truePositives: 0, falsePositives: 0 };
    const events = truePositives - above.truePositives;
    const others = falsePositives - above.falsePositives;
    const ofEvent = (n - falsePositives + others / 2) / n;
    const ofOther = (above.truePositives + events / 2) / m;
    return { events, others, ofEvent, ofOther };
  });
  const value = shares.reduce((sum, { events, ofEvent }) => sum + events * ofEvent, 0) / m;
  if (m < 2 || n < 2) return { value, variance: undefined };
  let [ofEvents, ofOthers] = [0, 0];
  for (const { events, others, ofEvent, ofOther } of shares) {
    ofEvents += events * (ofEvent - value) ** 2;
    ofOthers += others * (ofOther - value) ** 2;
  }
  return { value, variance: ofEvents / (m - 1) / m + ofOthers / (n - 1) / n };
}

/** The area as a figure. Where every event lies above every other row, the method has no interval, and says so. */
export function auroc(ranked: RankedScores): Figure {
  const area = aurocArea(ranked);
  if (area === undefined) return { unavailable: oneKindOnly(ranked) ?? 'no row has a score and a label' };
  const { value, variance } = area;
  if (variance === undefined) return { value, noInterval: 'fewer than two events or fewer than two other rows' };
  if (variance === 0)
    return { value, noInterval: 'the scores separate the rows perfectly, or not at all: the variance of DeLong is 0' };
  return aroundValue(value, Math.sqrt(variance), 'delong', [0, 1]);
}
