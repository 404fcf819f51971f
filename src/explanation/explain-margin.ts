import { PredictionError } from '../platform/errors.ts';
import type { Contribution, OutcomeBase, Scale } from './contribution.ts';
import type { Margin } from './graph/margin.ts';

/** The margin of one outcome: which column of which output of the graph it is, and where that lies in an output row. */
export interface OutcomeMargin {
  readonly outcome: string;
  readonly margin: Margin;
  /** Column of the output tensor. */
  readonly column: number;
  /** The same in a row of all outputs. */
  readonly place: number;
  readonly scale: Scale;
  /** See ToldScale. */
  readonly less?: number;
}

/** What moved the parts of a margin for one subject, and from where. */
export interface PartsOfRow {
  /** What stands for each part on average. */
  readonly expected: ArrayLike<number>;
  /** By part: by how much the model's own sum, in float32, may miss it. */
  readonly rounding: ArrayLike<number>;
  /** How much each column of the model row moved each part, by column of the row. */
  readonly moved: readonly { readonly column: number; readonly part: number; readonly difference: number }[];
}

/** What the base and all contributions together may miss, as a share of the margin and of 1: some bits of a float32. */
const tolerance = 1e-6;

/** Where a probability moves less than this with the log-odds, a float32 of it says too little of them. */
const leastSlope = 1e-4;

/**
 * The contributions of the columns to one outcome in the scale of its margin, grouped by feature. Whether they add up is
 * looked at in that scale too; of a probability so near 0 or 1 that its margin cannot be told from it, only that the sum
 * gives the same probability, and there is no residual then.
 * @param featureOf feature of each column of the model row
 * @param output the row that the model itself gave
 * Throws INFERENCE_FAILED where they do not add up to what the model gave: then they would explain another model.
 */
export function explainMargin(
  of: OutcomeMargin,
  { expected, rounding, moved }: PartsOfRow,
  featureOf: readonly string[],
  output: readonly number[],
): { contributions: Contribution[]; base: OutcomeBase } {
  const { outcome, scale } = of;
  const weights = columnWeights(of);
  const byFeature = new Map(featureOf.map((feature) => [feature, 0]));
  for (const { column: from, part, difference } of moved) {
    const feature = featureOf[from] as string;
    byFeature.set(feature, (byFeature.get(feature) as number) + (weights.parts[part] as number) * difference);
  }
  const base = weights.constant + dot(weights.parts, expected);
  const total = [...byFeature.values()].reduce((sum, difference) => sum + difference, base);
  const allowed = tolerance * Math.max(1, Math.abs(total)) + dot(weights.parts.map(Math.abs), rounding);
  const residual = missed(of, output, total, allowed);
  const contributions = [...byFeature].map(([feature, difference]) => ({ feature, outcome, difference }));
  return { contributions, base: { outcome, scale, base, ...(residual === undefined ? {} : { residual }) } };
}

/** What the sum misses of the margin that the model's own output stands for; undefined where it stands for none. */
function missed(
  { outcome, margin, place, column, less }: OutcomeMargin,
  output: readonly number[],
  total: number,
  allowed: number,
): number | undefined {
  const own = output[place] ?? Number.NaN;
  if (margin.links.length === 0) {
    const other = less === undefined ? 0 : (output[place - column + less] ?? Number.NaN);
    const given = own - other;
    return within(outcome, given - total, allowed + tolerance * Math.abs(other));
  }
  // Behind each link that is explained stands the logistic function of the margin.
  const slope = own * (1 - own);
  if (slope < leastSlope) {
    within(outcome, own - 1 / (1 + Math.exp(-total)), tolerance + allowed * leastSlope);
    return undefined;
  }
  return within(outcome, Math.log(own) - Math.log1p(-own) - total, allowed + tolerance / slope);
}

function within(outcome: string, residual: number, allowed: number): number {
  if (Math.abs(residual) <= allowed) return residual;
  throw new PredictionError(
    'INFERENCE_FAILED',
    `The contributions to ${outcome} miss the model's own output by ${residual}; allowed is ${allowed}. The method may not fit what the graph does: name another one in explanation.method, occlusion or permutation-shapley.`,
  );
}

/** Of two classes behind a softmax the difference of both margins are the log-odds. */
function columnWeights({ margin, column, less }: OutcomeMargin): {
  readonly parts: Float64Array;
  readonly constant: number;
} {
  const { weights, constants } = margin;
  const [own, constant] = [weights[column], constants[column]];
  if (own === undefined || constant === undefined) throw new RangeError(`the margin has no column ${column}`);
  if (less === undefined) return { parts: own, constant };
  return {
    parts: own.map((weight, part) => weight - (weights[less]?.[part] ?? Number.NaN)),
    constant: constant - (constants[less] ?? Number.NaN),
  };
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number);
  return sum;
}
