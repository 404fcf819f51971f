import type { Band, MeasurementOutcome, Outcome } from '../model-catalog/outcome-schema.ts';
import { bandAt, bandsOf, isRisk } from '../model-catalog/outcome-score.ts';
import { durationText } from './duration.ts';
import { shiftDecimal } from './percent.ts';
import { riskText } from './risk-text.ts';
import { unitText } from './unit-text.ts';

const mostDecimals = 12;

/**
 * A score as a reader should meet it: `14.7 % (147 in 1,000) over 10 years`, `5 points (0 to 20)`,
 * `77.9 mL/min/1.73 m² (90 % prediction interval 67.6 to 88.2, split conformal)`, the name of the class, or `4.2 (threshold 3.5)`.
 * @param score unrounded
 */
export function scoreText(outcome: Outcome, score: number): string {
  if (isRisk(outcome)) return `${riskText(score, outcome.bands?.levels)} over ${durationText(outcome.horizon)}`;
  const ahead = outcome.horizon === undefined ? '' : `, for the next ${durationText(outcome.horizon)}`;
  switch (outcome.kind) {
    case 'finding':
      return `${riskText(score, outcome.bands?.levels)}${ahead}`;
    case 'points':
      return `${pointsText(score)} (${outcome.range[0]} to ${outcome.range[1]})${ahead}`;
    case 'measurement':
      return `${`${decimalText(score, outcome.decimals, bandsOf(outcome))} ${unitText(outcome.unit)}`.trimEnd()}${intervalText(outcome, score)}${ahead}`;
    case 'anomaly':
      return `${decimalText(score, outcome.decimals, bandsOf(outcome))} (threshold ${outcome.threshold.value})${ahead}`;
    case 'class':
      return `${outcome.classes.find(({ number }) => number === score)?.display ?? score}${ahead}`;
  }
}

/** Where the measured value is expected, as often as it says. */
function intervalText({ interval, decimals }: MeasurementOutcome, score: number): string {
  if (interval === undefined) return '';
  const [low, high] = [score - interval.halfWidth, score + interval.halfWidth].map((edge) => edge.toFixed(decimals));
  const coverage = shiftDecimal(String(interval.coverage), 2);
  return ` (${coverage} % prediction interval ${low} to ${high}, ${interval.method.replace('-', ' ')})`;
}

function pointsText(points: number): string {
  return points === 1 ? '1 point' : `${points} points`;
}

/** With the decimals wanted, or as many more as it takes to stay on its side of every band edge. */
function decimalText(value: number, wanted: number, bands: readonly Band[]): string {
  const band = bandAt(bands, value);
  for (let decimals = wanted; decimals <= mostDecimals; decimals++) {
    const text = value.toFixed(decimals);
    if (bandAt(bands, Number(text)) === band) return text;
  }
  return String(value);
}
