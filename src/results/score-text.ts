import type { Band, Outcome } from '../model-catalog/outcome-schema.ts';
import { bandAt, bandsOf } from '../model-catalog/outcome-score.ts';
import { durationText } from './duration.ts';
import { riskText } from './risk-text.ts';
import { unitText } from './unit-text.ts';

const mostDecimals = 12;

/**
 * A score as a reader should meet it: `14.7 % (147 in 1,000) over 10 years`, `5 points (0 to 20)`,
 * `77.9 mL/min/1.73 m²`, or the name of the class.
 * @param score unrounded
 */
export function scoreText(outcome: Outcome, score: number): string {
  if (outcome.kind === 'probability') {
    return `${riskText(score, outcome.bands?.levels)} over ${durationText(outcome.horizon)}`;
  }
  const ahead = outcome.horizon === undefined ? '' : `, for the next ${durationText(outcome.horizon)}`;
  switch (outcome.kind) {
    case 'points':
      return `${pointsText(score)} (${outcome.range[0]} to ${outcome.range[1]})${ahead}`;
    case 'measurement':
      return `${`${decimalText(score, outcome.decimals, bandsOf(outcome))} ${unitText(outcome.unit)}`.trimEnd()}${ahead}`;
    case 'class':
      return `${outcome.classes.find(({ number }) => number === score)?.display ?? score}${ahead}`;
  }
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
