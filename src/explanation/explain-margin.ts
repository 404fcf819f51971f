import { PredictionError } from '../platform/errors.ts';
import type { Contribution, OutcomeBase, Scale } from './contribution.ts';
import { linked, type Margin } from './graph/margin.ts';

/** The margin of one outcome: which column of which output of the graph it is, and where that lies in an output row. */
export interface OutcomeMargin {
  readonly outcome: string;
  readonly margin: Margin;
  /** Column of the output tensor. */
  readonly column: number;
  /** The same in a row of all outputs. */
  readonly place: number;
  readonly scale: Scale;
}

/** What the parts of a margin are for one subject, and what stands for them on average. */
export interface PartsOfRow {
  /** By part. */
  readonly values: ArrayLike<number>;
  /** By part. */
  readonly expected: ArrayLike<number>;
  /** How much each column of the model row moved each part, by column of the row. */
  readonly moved: readonly { readonly column: number; readonly part: number; readonly difference: number }[];
}

/** What the base and all contributions together may miss, as a share of the margin and of 1: some bits of a float32. */
const tolerance = 1e-6;

/**
 * The contributions of the columns to one outcome in the scale of its margin, grouped by feature.
 * @param featureOf feature of each column of the model row
 * @param output the row that the model itself gave
 * Throws INFERENCE_FAILED where they do not add up to what the model gave: then they would explain another model.
 */
export function explainMargin(
  { outcome, margin, column, place, scale }: OutcomeMargin,
  { values, expected, moved }: PartsOfRow,
  featureOf: readonly string[],
  output: readonly number[],
): { contributions: Contribution[]; base: OutcomeBase } {
  const weights = columnWeights(margin, column);
  const marginOf = (parts: ArrayLike<number>): number => weights.constant + dot(weights.parts, parts);
  const byFeature = new Map(featureOf.map((feature) => [feature, 0]));
  for (const { column: from, part, difference } of moved) {
    const feature = featureOf[from] as string;
    byFeature.set(feature, (byFeature.get(feature) as number) + (weights.parts[part] as number) * difference);
  }
  const base = marginOf(expected);
  const total = [...byFeature.values()].reduce((sum, difference) => sum + difference, base);
  const residual = (output[place] ?? Number.NaN) - scored(margin, column, values, total, marginOf(values));
  if (!(Math.abs(residual) <= tolerance * Math.max(1, Math.abs(total))))
    throw new PredictionError(
      'INFERENCE_FAILED',
      `The contributions to ${outcome} miss the model's own output by ${residual}; allowed is ${tolerance} of it. The method may not fit what the graph does: name another one in explanation.method, occlusion or permutation-shapley.`,
    );
  const contributions = [...byFeature].map(([feature, difference]) => ({ feature, outcome, difference }));
  return { contributions, base: { outcome, scale, base, residual } };
}

/** Of two classes behind a softmax the difference of both margins are the log-odds. */
function columnWeights(
  { weights, constants, links }: Margin,
  column: number,
): { readonly parts: Float64Array; readonly constant: number } {
  const [own, constant] = [weights[column], constants[column]];
  if (own === undefined || constant === undefined) throw new RangeError(`the margin has no column ${column}`);
  if (links[0] !== 'softmax' || weights.length !== 2) return { parts: own, constant };
  const other = 1 - column;
  return {
    parts: own.map((weight, part) => weight - (weights[other]?.[part] ?? Number.NaN)),
    constant: constant - (constants[other] ?? Number.NaN),
  };
}

/** What the links make of the margins, with `total` in the place of the margin `own` that is explained. */
function scored(
  { weights, constants, links }: Margin,
  column: number,
  values: ArrayLike<number>,
  total: number,
  own: number,
): number {
  const margins = weights.map((row, each) => (constants[each] as number) + dot(row, values));
  margins[column] = (margins[column] as number) + (total - own);
  // The other class of two has the opposite margin, and moves with it.
  if (links[0] === 'logistic' && links.includes('share') && margins.length === 2)
    margins[1 - column] = -(margins[column] as number);
  return linked(links, margins)[column] ?? Number.NaN;
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number);
  return sum;
}
