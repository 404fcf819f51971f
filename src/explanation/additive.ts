import { outcomeScore } from '../model-catalog/outcome-score.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Explanation } from './contribution.ts';
import { explainByOcclusion, type OcclusionRequest } from './occlusion.ts';

/** What a sum of whole points never misses. */
const tolerance = 1e-9;

/**
 * Contributions to a score that is a sum of what each feature gives: what putting the reference person's value in the
 * place of one changes. They are exact, and that the score is such a sum is checked on each subject.
 * Throws INFERENCE_FAILED where they do not add up to the difference of both scores: features then act on each other.
 */
export async function explainAdditive(request: OcclusionRequest): Promise<Explanation> {
  let subject: readonly number[] | undefined;
  const { contributions, bases } = await explainByOcclusion({
    ...request,
    run: async (rows) => {
      const outputs = await request.run(rows);
      [subject] = outputs;
      return outputs;
    },
  });
  return {
    contributions,
    bases: bases.map((base) => {
      const outcome = request.outcomes.find(({ id }) => id === base.outcome);
      const score = outcome === undefined ? Number.NaN : outcomeScore(outcome, subject ?? []);
      const sum = contributions
        .filter((each) => each.outcome === base.outcome)
        .reduce((total, { difference }) => total + difference, base.base ?? Number.NaN);
      const residual = score - sum;
      if (!(Math.abs(residual) <= tolerance * Math.max(1, Math.abs(score))))
        throw new PredictionError(
          'INFERENCE_FAILED',
          `The contributions to ${base.outcome} add up to ${sum}, but the score is ${score}: it is no sum of what each feature gives. Name another explanation.method: occlusion or permutation-shapley.`,
        );
      return { ...base, residual };
    }),
  };
}
