import { auroc } from './auroc.ts';
import { averagePrecision, noPrecision } from './average-precision.ts';
import { type BootstrapSettings, bootstrapFigures } from './bootstrap.ts';
import { expectedCalibrationError } from './calibration-curve.ts';
import { checked, type Figure, z95 } from './figure.ts';
import { oneKindOnly, type RankedScores } from './labelled-scores.ts';
import { recalibration } from './logistic-recalibration.ts';
import { probabilityLoss } from './probability-loss.ts';
import { proportion } from './wilson.ts';

/** Figures by the name that a model card has for them. */
export type Measures = Readonly<Record<string, Figure>>;

/** How well any score tells events from other rows: prevalence, AUROC and average precision. */
export function discrimination(ranked: RankedScores, settings: BootstrapSettings): Measures {
  const { eventCount, otherCount } = ranked;
  const rows = eventCount + otherCount;
  const [precision] = bootstrapFigures(
    rows,
    [averagePrecision(ranked)],
    (counts) => [averagePrecision(ranked, counts)],
    settings,
  );
  return {
    prevalence: proportion(eventCount, rows, 'no row has a score and a label'),
    auroc: auroc(ranked),
    'average-precision': precision ?? { unavailable: noPrecision(ranked) },
  };
}

/** How far probabilities are right: losses and calibration. */
export function probabilityMeasures(ranked: RankedScores, settings: BootstrapSettings): Measures {
  const { scores, events } = ranked;
  const loss = probabilityLoss(ranked);
  if (loss === undefined) {
    const none: Figure = { unavailable: 'no row has a score and a label' };
    return Object.fromEntries(probabilityNames.map((name) => [name, none]));
  }
  const logLoss = Number.isFinite(loss.logLoss) ? loss.logLoss : undefined;
  const [brier, scaled, log] = bootstrapFigures(
    scores.length,
    [loss.brier, loss.scaledBrier, logLoss],
    (counts) => {
      const drawn = probabilityLoss(ranked, counts);
      return [drawn?.brier, drawn?.scaledBrier, drawn?.logLoss];
    },
    settings,
  );
  const { intercept, slope } = recalibration(ranked);
  const refuted = scores.reduce((count, score, row) => count + Number(score === 1 - (events[row] ?? 0)), 0);
  return {
    brier: present(brier),
    'scaled-brier': scaled ?? { unavailable: oneKindOnly(ranked) ?? 'the prevalence is 0 or 1' },
    'log-loss': log ?? { unavailable: `${refuted} rows had a probability of 0 of what happened: the loss is infinite` },
    'calibration-intercept': intercept,
    'calibration-slope': slope,
    'expected-calibration-error': calibrationError(ranked),
    'observed-expected-ratio': observedToExpected(ranked),
  };
}

const probabilityNames = [
  'brier',
  'scaled-brier',
  'log-loss',
  'calibration-intercept',
  'calibration-slope',
  'expected-calibration-error',
  'observed-expected-ratio',
] as const;

function calibrationError(ranked: RankedScores): Figure {
  const value = expectedCalibrationError(ranked);
  if (value === undefined) return { unavailable: 'no row has a score and a label' };
  return checked({ value, noInterval: 'rows that are drawn again always look worse calibrated than they are' });
}

/**
 * Events that were seen for each one that was expected, with the interval of its logarithm (Debray, BMJ 2017;356:i6460).
 */
export function observedToExpected({ scores, eventCount, otherCount }: RankedScores): Figure {
  const rows = eventCount + otherCount;
  const expected = scores.reduce((sum, score) => sum + score, 0);
  if (expected === 0) return { unavailable: 'no event was expected' };
  const value = eventCount / expected;
  if (eventCount === 0) return { value, noInterval: 'no row has an event' };
  if (otherCount === 0) return { value, noInterval: 'every row has an event' };
  const spread = Math.exp(z95 * Math.sqrt((1 - eventCount / rows) / eventCount));
  return checked({ value, interval: { low: value / spread, high: value * spread, method: 'log-wald' } });
}

function present(figure: Figure | undefined): Figure {
  if (figure === undefined) throw new RangeError('a figure that was computed has none');
  return figure;
}
