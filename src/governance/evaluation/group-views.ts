import { auroc, aurocArea } from './auroc.ts';
import { differenceName, differenceOf, differenceOfProportions, ratioOfRatios } from './difference.ts';
import { aroundValue, type Figure } from './figure.ts';
import { cutAt, type LabelledScores, rankScores } from './labelled-scores.ts';
import { calibrationInTheLarge, recalibration } from './logistic-recalibration.ts';
import type { PairedClasses } from './measure-classes.ts';
import { observedToExpected } from './measure-events.ts';
import type { PairedNumbers } from './measure-numbers.ts';
import type { GroupView } from './subgroups.ts';
import { proportion } from './wilson.ts';

/**
 * Groups of an outcome with events: AUROC, calibration where the score is a probability, and recall and false alarms at the
 * thresholds that matter (equalised odds, Hardt 2016).
 * @param fewest events and other rows that a group needs
 */
export function eventGroups(
  rows: LabelledScores,
  isProbability: boolean,
  thresholds: readonly number[],
  fewest: number,
): GroupView {
  const pick = (positions: Uint32Array) =>
    rankScores({
      scores: Float64Array.from(positions, (row) => rows.scores[row] ?? Number.NaN),
      events: Uint8Array.from(positions, (row) => rows.events[row] ?? 0),
    });
  const rates = (positions: Uint32Array): [string, Figure][] => {
    const { cuts, eventCount, otherCount } = pick(positions);
    return thresholds.flatMap((at): [string, Figure][] => {
      const { truePositives, falsePositives } = cutAt(cuts, at);
      return [
        [`recall at ${at}`, proportion(truePositives, eventCount, 'no row has an event')],
        [`false-positive-rate at ${at}`, proportion(falsePositives, otherCount, 'every row has an event')],
      ];
    });
  };
  return {
    events: (positions) => positions.reduce((sum, row) => sum + (rows.events[row] ?? 0), 0),
    tooFew(positions) {
      const { eventCount, otherCount } = pick(positions);
      if (eventCount < fewest) return `${eventCount} events, fewer than ${fewest}`;
      return otherCount < fewest ? `${otherCount} rows without an event, fewer than ${fewest}` : undefined;
    },
    measures(positions) {
      const ranked = pick(positions);
      return {
        auroc: auroc(ranked),
        ...(isProbability
          ? {
              'calibration-intercept': recalibration(ranked).intercept,
              'observed-expected-ratio': observedToExpected(ranked),
            }
          : {}),
        ...Object.fromEntries(rates(positions)),
      };
    },
    differences(group, rest) {
      const [here, there] = [pick(group), pick(rest)];
      const others = new Map(rates(rest));
      return {
        auroc: areaDifference(aurocArea(here), aurocArea(there)),
        ...(isProbability
          ? {
              'calibration-intercept': interceptDifference(here, there),
              [differenceName('observed-expected-ratio')]: ratioOfRatios(
                observedToExpected(here),
                observedToExpected(there),
              ),
            }
          : {}),
        ...Object.fromEntries(
          rates(group).map(([name, figure]) => {
            const other = others.get(name) ?? { unavailable: 'there are no other rows' };
            return [name, differenceOfProportions(figure, other)];
          }),
        ),
      };
    },
  };
}

/** Groups of a measurement: mean absolute error and bias, with intervals of the mean. */
export function numberGroups({ scores, truths }: PairedNumbers, fewest: number): GroupView {
  const errors = (positions: Uint32Array): number[] =>
    Array.from(positions, (row) => (scores[row] ?? Number.NaN) - (truths[row] ?? Number.NaN));
  const each = (positions: Uint32Array) => ({
    mae: mean(errors(positions).map(Math.abs)),
    bias: mean(errors(positions)),
  });
  return {
    events: () => undefined,
    tooFew: ({ length }) => (length < fewest ? `${length} rows, fewer than ${fewest}` : undefined),
    measures(positions) {
      const { mae, bias } = each(positions);
      return {
        mae: aroundValue(mae.value, mae.standardError, 'wald'),
        bias: aroundValue(bias.value, bias.standardError, 'wald'),
      };
    },
    differences(group, rest) {
      const [here, there] = [each(group), each(rest)];
      return { mae: differenceOf(here.mae, there.mae, 'wald'), bias: differenceOf(here.bias, there.bias, 'wald') };
    },
  };
}

/** Groups of a class: how often it was right. */
export function classGroups({ said, truths }: PairedClasses, fewest: number): GroupView {
  const accuracy = (positions: Uint32Array): Figure =>
    proportion(
      positions.reduce((right, row) => right + Number(said[row] === truths[row]), 0),
      positions.length,
      'no row',
    );
  return {
    events: () => undefined,
    tooFew: ({ length }) => (length < fewest ? `${length} rows, fewer than ${fewest}` : undefined),
    measures: (positions) => ({ accuracy: accuracy(positions) }),
    differences: (group, rest) => ({ accuracy: differenceOfProportions(accuracy(group), accuracy(rest)) }),
  };
}

function areaDifference(one: ReturnType<typeof aurocArea>, other: ReturnType<typeof aurocArea>): Figure {
  if (one?.variance === undefined || other?.variance === undefined)
    return { unavailable: 'fewer than two events or fewer than two other rows' };
  // An area without an interval has no uncertainty to add: the difference would look as sure as the other area alone.
  if (one.variance === 0 || other.variance === 0)
    return {
      unavailable:
        'the scores separate the group or the other rows perfectly, or not at all: the variance of DeLong is 0',
    };
  return differenceOf(
    { value: one.value, standardError: Math.sqrt(one.variance) },
    { value: other.value, standardError: Math.sqrt(other.variance) },
    'delong',
  );
}

function interceptDifference(one: ReturnType<typeof rankScores>, other: ReturnType<typeof rankScores>): Figure {
  const [here, there] = [calibrationInTheLarge(one), calibrationInTheLarge(other)];
  if (here === undefined || there === undefined)
    return { unavailable: 'there is no calibration intercept of the group, or of the other rows' };
  return differenceOf(here, there, 'wald');
}

function mean(numbers: readonly number[]): { value: number; standardError: number } {
  const value = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const squares = numbers.reduce((sum, number) => sum + (number - value) ** 2, 0);
  return { value, standardError: Math.sqrt(squares / (numbers.length - 1) / numbers.length) };
}
