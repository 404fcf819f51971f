import { type BootstrapSettings, bootstrapFigures } from './bootstrap.ts';
import type { Figure } from './figure.ts';
import { cutAt, type RankedScores } from './labelled-scores.ts';
import { netBenefit } from './net-benefit.ts';
import { proportion } from './wilson.ts';

/** A threshold, and where it comes from: the code of the published band that begins there, for one. */
export interface Threshold {
  readonly at: number;
  readonly because: string;
}

/** What an alert at or above a threshold does. */
export interface ThresholdRow {
  readonly threshold: number;
  readonly because: string;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  /** Sensitivity. */
  readonly recall: Figure;
  readonly specificity: Figure;
  /** Positive predictive value. */
  readonly precision: Figure;
  readonly negativePredictiveValue: Figure;
  readonly accuracy: Figure;
  readonly f1: Figure;
  /** How many of 100 rows have an alert. */
  readonly alertsPer100: number;
  /** Only where the threshold is a probability at which somebody would act. */
  readonly netBenefit?: Figure;
}

/** One row for each threshold, in their order. The intervals of F1 and net benefit are those of one bootstrap. */
export function thresholdTable(
  ranked: RankedScores,
  thresholds: readonly Threshold[],
  isProbability: boolean,
  settings: BootstrapSettings,
): ThresholdRow[] {
  const { events, eventCount, otherCount } = ranked;
  const rows = eventCount + otherCount;
  if (rows === 0) return [];
  const found = thresholds.map(({ at }) => cutAt(ranked.cuts, at));
  const hasBenefit = ({ at }: Threshold): boolean => isProbability && at > 0 && at < 1;
  // Of each threshold F1 and net benefit, by how many alerts are right and wrong.
  const valuesOf = (alerts: readonly (readonly [right: number, wrong: number])[], happened: number) => [
    ...alerts.map(([right, wrong]) => f1Score(right, wrong, happened - right)),
    ...thresholds.map((threshold, index) => {
      const [right, wrong] = alerts[index] ?? [0, 0];
      return hasBenefit(threshold) ? netBenefit(right, wrong, rows, threshold.at) : undefined;
    }),
  ];
  const intervals = bootstrapFigures(
    rows,
    valuesOf(
      found.map(({ truePositives, falsePositives }) => [truePositives, falsePositives]),
      eventCount,
    ),
    (counts) => {
      const { alerts, happened } = drawnAlerts(
        events,
        counts,
        found.map(({ end }) => end),
      );
      return valuesOf(alerts, happened);
    },
    settings,
  );
  return thresholds.map((threshold, index) => {
    const { truePositives, falsePositives, end } = found[index] ?? { truePositives: 0, falsePositives: 0, end: 0 };
    const trueNegatives = otherCount - falsePositives;
    const benefit = intervals[thresholds.length + index];
    return {
      threshold: threshold.at,
      because: threshold.because,
      truePositives,
      falsePositives,
      falseNegatives: eventCount - truePositives,
      trueNegatives,
      recall: proportion(truePositives, eventCount, 'no row has an event'),
      specificity: proportion(trueNegatives, otherCount, 'every row has an event'),
      precision: proportion(truePositives, end, 'no row has an alert'),
      negativePredictiveValue: proportion(trueNegatives, rows - end, 'every row has an alert'),
      accuracy: proportion(truePositives + trueNegatives, rows, 'no row'),
      f1: intervals[index] ?? { unavailable: 'there is neither an alert nor an event' },
      alertsPer100: (100 * end) / rows,
      ...(benefit === undefined ? {} : { netBenefit: benefit }),
    };
  });
}

/** 2TP / (2TP + FP + FN); undefined where there is neither an alert nor an event. */
export function f1Score(truePositives: number, falsePositives: number, falseNegatives: number): number | undefined {
  const all = 2 * truePositives + falsePositives + falseNegatives;
  return all === 0 ? undefined : (2 * truePositives) / all;
}

/** Of rows that were drawn again: right and wrong alerts up to each position of the ranking, and how many had an event. */
function drawnAlerts(
  events: Uint8Array,
  counts: Uint32Array,
  ends: readonly number[],
): { alerts: [right: number, wrong: number][]; happened: number } {
  const right = new Uint32Array(events.length + 1);
  const drawn = new Uint32Array(events.length + 1);
  for (let row = 0; row < events.length; row += 1) {
    const times = counts[row] ?? 0;
    drawn[row + 1] = (drawn[row] ?? 0) + times;
    right[row + 1] = (right[row] ?? 0) + times * (events[row] ?? 0);
  }
  return {
    alerts: ends.map((end) => [right[end] ?? 0, (drawn[end] ?? 0) - (right[end] ?? 0)]),
    happened: right[events.length] ?? 0,
  };
}
