import type { Explanation } from '../model-catalog/explanation-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Contribution } from './contribution.ts';
import { explainByOcclusion, type OcclusionRequest } from './occlusion.ts';

/** No contributions, why in words for the reader of the result, and the error itself for the log. */
export interface NoExplanation {
  readonly none: string;
  readonly cause?: unknown;
}

export interface ExplanationRequest extends Omit<OcclusionRequest, 'reference'> {
  readonly explanation: Explanation;
}

/**
 * Step 4 of the path: contributions by the method the manifest names. It never fails the prediction: where the method
 * fails, the answer says that there are none and why.
 */
export async function explain({
  explanation,
  ...request
}: ExplanationRequest): Promise<Contribution[] | NoExplanation> {
  try {
    const contributions = await explainByOcclusion({ ...request, reference: explanation.reference });
    if (contributions.length === 0) return { none: 'the reference person of the model has none of its inputs' };
    return contributions;
  } catch (cause) {
    const code = cause instanceof PredictionError ? cause.code : 'INTERNAL';
    return { none: `the explanation by ${explanation.method} failed (${code})`, cause };
  }
}
