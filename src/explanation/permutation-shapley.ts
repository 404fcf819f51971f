import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { outcomeScore } from '../model-catalog/outcome-score.ts';
import type { Contribution, Explanation } from './contribution.ts';
import { randomOrders } from './random-orders.ts';

export interface PermutationRequest {
  /** Feature of each column of the model row. */
  readonly featureOf: readonly string[];
  /** This subject's model row. */
  readonly inputs: ModelRow;
  /** Rows that stand for a value that is not known; at least one. */
  readonly background: readonly (readonly number[])[];
  /** How many orders of the features, at least 2, and what they are drawn from. */
  readonly permutations: number;
  readonly seed: number;
  readonly run: RunRows;
  readonly outcomes: readonly Outcome[];
}

/** Rows made at a time; the model runs as many. */
const rowsOfRun = 1024;

/**
 * Shapley values of the features, estimated from orders of them: each feature in turn takes the subject's value, and what
 * the mean score over the background changes is its share; then the same in the opposite order (antithetic pairs), as the
 * `shap` library does. All columns of a feature change together. In each order the shares add up to the score less the mean
 * score of the background, so their means do too. The standard error is that of the pairs.
 * Throws INFERENCE_FAILED where the model gives no finite number.
 * @see https://doi.org/10.1016/j.cor.2008.04.004
 */
export async function explainByPermutations(request: PermutationRequest): Promise<Explanation> {
  const { featureOf, permutations, seed, outcomes } = request;
  const features = [...new Set(featureOf)];
  const pairs = randomOrders(features.length, permutations, seed).map((order) => [order, order.toReversed()]);
  const coalitions = pairs
    .flat()
    .map((order) => order.slice(0, -1).map((_, step) => new Set(order.slice(0, step + 1))));
  const none = new Set<number>();
  const all = new Set(features.keys());
  const scores = await coalitionScores(request, features, [none, all, ...coalitions.flat()]);
  const [ofNone, ofAll, ...ofSome] = scores as [number[], number[], ...number[][]];

  const contributions: Contribution[] = [];
  const bases = outcomes.map((outcome, which) => {
    // By pair, then by feature.
    const shares = pairs.map(() => new Float64Array(features.length));
    let next = 0;
    for (const [pair, orders] of pairs.entries()) {
      for (const order of orders) {
        let before = ofNone[which] as number;
        for (const [step, feature] of order.entries()) {
          const after = (step === order.length - 1 ? ofAll[which] : ofSome[next++]?.[which]) as number;
          const share = shares[pair] as Float64Array;
          share[feature] = (share[feature] as number) + (after - before) / 2;
          before = after;
        }
      }
    }
    features.forEach((feature, index) => {
      const found = shares.map((share) => share[index] as number);
      contributions.push({ feature, outcome: outcome.id, ...meanAndError(found) });
    });
    const base = ofNone[which] as number;
    const sum = contributions
      .filter((each) => each.outcome === outcome.id)
      .reduce((total, { difference }) => total + difference, base);
    return { outcome: outcome.id, scale: 'score' as const, base, residual: (ofAll[which] as number) - sum };
  });
  return { contributions, bases };
}

/** Mean score over the background of each coalition: the features that have the subject's value. By coalition, then by outcome. */
async function coalitionScores(
  { featureOf, inputs, background, run, outcomes }: PermutationRequest,
  features: readonly string[],
  coalitions: readonly ReadonlySet<number>[],
): Promise<number[][]> {
  const place = new Map(features.map((feature, index) => [feature, index]));
  const indexOf = featureOf.map((feature) => place.get(feature) as number);
  const count = background.length;
  const sums = coalitions.map(() => outcomes.map(() => 0));
  const total = coalitions.length * count;
  for (let from = 0; from < total; from += rowsOfRun) {
    const to = Math.min(total, from + rowsOfRun);
    const rows = Array.from({ length: to - from }, (_, index) => {
      const at = from + index;
      const coalition = coalitions[Math.floor(at / count)];
      const other = background[at % count];
      return inputs.map((own, column) =>
        coalition?.has(indexOf[column] as number) === true ? own : (other?.[column] ?? Number.NaN),
      );
    });
    const outputs = await run(rows);
    for (let at = from; at < to; at++) {
      const sum = sums[Math.floor(at / count)] as number[];
      outcomes.forEach((outcome, which) => {
        sum[which] = (sum[which] as number) + outcomeScore(outcome, outputs[at - from] ?? []) / count;
      });
    }
  }
  return sums;
}

function meanAndError(found: readonly number[]): { difference: number; standardError: number } {
  const difference = found.reduce((sum, each) => sum + each, 0) / found.length;
  const squares = found.reduce((sum, each) => sum + (each - difference) ** 2, 0);
  return { difference, standardError: Math.sqrt(squares / (found.length - 1) / found.length) };
}
