import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { bandsOf, isProbable, scoreRange } from '../../model-catalog/outcome-score.ts';
import { eventCurves } from './event-curves.ts';
import { classGroups, eventGroups, numberGroups } from './group-views.ts';
import { rankScores } from './labelled-scores.ts';
import { classFigures } from './measure-classes.ts';
import { discrimination, probabilityMeasures } from './measure-events.ts';
import { intervalCoverage, numberMeasures } from './measure-numbers.ts';
import { type Grouping, subgroups } from './subgroups.ts';
import { type Threshold, thresholdTable } from './threshold-table.ts';

/** Rows with a score and a truth, column by column. */
export interface EvaluatedRows {
  /** As the outcome has them: a probability, points, a value in the unit, the number of a class. */
  readonly scores: readonly number[];
  /** 1 and 0 for an event, else a value in the unit or the number of a class. */
  readonly truths: readonly number[];
  readonly groupings: readonly Grouping[];
}

export interface EvaluationSettings {
  readonly seed: number;
  readonly resamples: number;
  /** Rows, events and others that a group needs to have figures. */
  readonly fewest: number;
  /** That were asked for, beside the edges of the bands and the grid. */
  readonly thresholds: readonly number[];
}

type Figures = Pick<EvaluationReport, 'measures' | 'thresholds' | 'classes' | 'confusion' | 'curves' | 'subgroups'>;

/** Everything that is said about the rows of one outcome. */
export function evaluateOutcome(outcome: Outcome, rows: EvaluatedRows, settings: EvaluationSettings): Figures {
  switch (outcome.kind) {
    case 'measurement':
      return numberFigures(outcome, rows, settings);
    case 'class':
      return oneOfClasses(outcome, rows, settings);
    case 'probability':
    case 'survival':
    case 'finding':
    case 'points':
    case 'anomaly':
      return eventFigures(outcome, rows, settings);
  }
}

function eventFigures(outcome: Outcome, rows: EvaluatedRows, settings: EvaluationSettings): Figures {
  const isProbability = isProbable(outcome);
  const labelled = { scores: Float64Array.from(rows.scores), events: Uint8Array.from(rows.truths) };
  const ranked = rankScores(labelled);
  const thresholds = thresholdsOf(outcome, settings.thresholds);
  // Anomalies have no greatest value to make bins up to.
  const range = outcome.kind === 'anomaly' ? undefined : scoreRange(outcome);
  const curves = eventCurves(ranked, range, isProbability);
  // A grid of twenty thresholds in every group says nothing that anybody can take in.
  const declared = thresholds.filter(({ because }) => because !== grid).map(({ at }) => at);
  const view = eventGroups(labelled, isProbability, declared, settings.fewest);
  return {
    measures: {
      ...discrimination(ranked, settings),
      ...(isProbability ? probabilityMeasures(ranked, settings) : {}),
    },
    thresholds: thresholdTable(ranked, thresholds, isProbability, settings),
    ...(curves === undefined ? {} : { curves }),
    subgroups: rows.groupings.map((grouping) => subgroups(grouping, view)),
  };
}

function numberFigures(
  { interval }: Extract<Outcome, { kind: 'measurement' }>,
  { scores, truths, groupings }: EvaluatedRows,
  settings: EvaluationSettings,
): Figures {
  const pairs = { scores: Float64Array.from(scores), truths: Float64Array.from(truths) };
  const view = numberGroups(pairs, settings.fewest);
  return {
    measures: {
      ...numberMeasures(pairs, settings),
      ...(interval === undefined ? {} : { 'interval-coverage': intervalCoverage(pairs, interval.halfWidth) }),
    },
    subgroups: groupings.map((grouping) => subgroups(grouping, view)),
  };
}

function oneOfClasses(
  { classes }: Extract<Outcome, { kind: 'class' }>,
  rows: EvaluatedRows,
  settings: EvaluationSettings,
): Figures {
  const places = new Map(classes.map(({ number }, index) => [number, index]));
  const placesOf = (numbers: readonly number[]): Uint16Array =>
    Uint16Array.from(numbers, (number) => {
      const place = places.get(number);
      if (place === undefined) throw new RangeError(`${number} is the number of no class`);
      return place;
    });
  const pairs = { said: placesOf(rows.scores), truths: placesOf(rows.truths) };
  const view = classGroups(pairs, settings.fewest);
  const codes = classes.map(({ code }) => code);
  return {
    ...classFigures(pairs, codes, settings),
    subgroups: rows.groupings.map((grouping) => subgroups(grouping, view)),
  };
}

const grid = 'grid';
const gridOfProbabilities = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const mostPoints = 60;

/** Those that were asked for, where published bands begin or the model's own threshold lies, and a grid; from the lowest up, each once by that order. */
function thresholdsOf(outcome: Outcome, asked: readonly number[]): Threshold[] {
  const range = scoreRange(outcome);
  const found = [
    ...asked.map((at) => ({ at, because: 'asked for' })),
    ...(outcome.kind === 'anomaly' ? [{ at: outcome.threshold.value, because: 'threshold of the model' }] : []),
    ...bandsOf(outcome)
      .slice(1)
      .map(({ from, code }) => ({ at: from, because: `band ${code}` })),
    ...gridOf(outcome, range).map((at) => ({ at, because: grid })),
  ];
  const byThreshold = new Map<number, Threshold>();
  for (const threshold of found) if (!byThreshold.has(threshold.at)) byThreshold.set(threshold.at, threshold);
  return [...byThreshold.values()].sort((one, other) => one.at - other.at);
}

/** Every number of points, where they can be told in a table; usual probabilities at which somebody acts. */
function gridOf(outcome: Outcome, range: readonly [number, number] | undefined): readonly number[] {
  if (isProbable(outcome)) return gridOfProbabilities;
  if (outcome.kind !== 'points' || range === undefined) return [];
  const [least, most] = range;
  return most - least > mostPoints ? [] : Array.from({ length: most - least }, (_, index) => least + 1 + index);
}
