import type { Calibration, Link } from './post-processing-schema.ts';

/** What makes a probability of the numbers of a row. */
export interface ProbabilityColumn {
  readonly column: number;
  readonly link?: Link;
  readonly calibration?: Calibration;
}

/**
 * The probability that a row of the outputs gives, after link and calibration. NaN where the row lacks a column, or holds no
 * probability where there is no link to make one: nothing is clipped into 0..1.
 */
export function probabilityOf({ column, link, calibration }: ProbabilityColumn, row: readonly number[]): number {
  const value = row[column] ?? Number.NaN;
  if (link === undefined) return calibrated(calibration, asProbability(value), () => logOdds(value));
  if (link === 'sigmoid') {
    const scaled = value / temperatureOf(calibration);
    return calibrated(calibration, sigmoid(scaled), () => value);
  }
  const numbers = link.softmax.map((each) => (row[each] ?? Number.NaN) / temperatureOf(calibration));
  const own = link.softmax.indexOf(column);
  const others = numbers.filter((_, index) => index !== own);
  return calibrated(
    calibration,
    softmax(numbers)[own] ?? Number.NaN,
    () => (numbers[own] ?? Number.NaN) - logSumExp(others),
  );
}

/** @param z the log-odds before calibration, where Platt's method asks for them */
function calibrated(calibration: Calibration | undefined, probability: number, z: () => number): number {
  if (Number.isNaN(probability)) return Number.NaN;
  switch (calibration?.method) {
    case 'platt':
      return sigmoid(calibration.slope * z() + calibration.intercept);
    case 'isotonic':
      return interpolated(calibration, probability);
    // Its division is done before the link.
    case 'temperature':
    case undefined:
      return probability;
  }
}

function temperatureOf(calibration: Calibration | undefined): number {
  return calibration?.method === 'temperature' ? calibration.temperature : 1;
}

/** Each number as its share of all, by exponents; the greatest is taken off, so that none is infinite. */
export function softmax(numbers: readonly number[]): number[] {
  const greatest = Math.max(...numbers);
  const weights = numbers.map((number) => Math.exp(number - greatest));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Without a number that is infinite or loses all digits, whatever its sign. */
function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const small = Math.exp(z);
  return small / (1 + small);
}

function logOdds(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

function logSumExp(numbers: readonly number[]): number {
  const greatest = Math.max(...numbers);
  return greatest + Math.log(numbers.reduce((sum, number) => sum + Math.exp(number - greatest), 0));
}

function asProbability(value: number): number {
  return value >= 0 && value <= 1 ? value : Number.NaN;
}

/** Straight lines between the points, and their ends beyond them, as scikit-learn's IsotonicRegression(out_of_bounds='clip'). */
function interpolated({ x, y }: Extract<Calibration, { method: 'isotonic' }>, value: number): number {
  const above = x.findIndex((each) => each >= value);
  const [high, top] = [x[above], y[above]];
  if (high === undefined || top === undefined) return y.at(-1) ?? Number.NaN;
  const [low, bottom] = [x[above - 1], y[above - 1]];
  if (low === undefined || bottom === undefined || high === value) return top;
  return bottom + ((top - bottom) * (value - low)) / (high - low);
}
