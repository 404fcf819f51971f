import type { ExplanationMethod } from '../model-catalog/explanation-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Explanation } from './contribution.ts';
import type { Explainer, ExplainerRequest } from './create-explainer.ts';

/** No contributions, why in words for the reader of the result, and the error itself for the log. */
export interface NoExplanation {
  readonly none: string;
  readonly cause?: unknown;
}

/**
 * Step 4 of the path: contributions by the method the manifest names. It never fails the prediction: where the method
 * fails, or does not add up, the answer says that there are none and why.
 */
export async function explain(
  explainer: Explainer,
  method: ExplanationMethod['method'],
  request: ExplainerRequest,
): Promise<Explanation | NoExplanation> {
  try {
    const explanation = await explainer(request);
    if (explanation.contributions.length === 0) return { none: nothingCompared(request) };
    return explanation;
  } catch (cause) {
    const code = cause instanceof PredictionError ? cause.code : 'INTERNAL';
    return { none: `the explanation by ${method} failed (${code})`, cause };
  }
}

/** An image is compared with that of no reference person. */
function nothingCompared({ inputs }: ExplainerRequest): string {
  const imagesAlone = inputs.length > 0 && inputs.every((cell) => cell instanceof Float32Array);
  return imagesAlone
    ? 'the model reads images alone, and an image as a whole has no share'
    : 'the reference person of the model has none of its inputs';
}
