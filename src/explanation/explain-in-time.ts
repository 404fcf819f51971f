import type { Explanation } from './contribution.ts';
import type { NoExplanation } from './explain.ts';
import type { RunningTime } from './running-time.ts';

/** What a caller says of the contributions. */
export interface ExplanationWish {
  /** False: none are wanted. */
  readonly explain?: boolean;
  /** When the answer is due, on the clock of performance.now() in milliseconds. */
  readonly answerBy?: number;
}

/**
 * Explains where that is wanted and where the answer is still in time with it, by how long explanations of this model
 * version have taken so far. A first one, which nothing is known about, is begun where any time is left.
 */
export async function explainInTime(
  { explain, answerBy }: ExplanationWish,
  time: RunningTime,
  work: () => Promise<Explanation | NoExplanation>,
): Promise<Explanation | NoExplanation> {
  if (explain === false) return { none: 'not asked for' };
  const startedMs = performance.now();
  const expectedMs = time.expectedMs() ?? 0;
  if (answerBy !== undefined && startedMs + expectedMs > answerBy) {
    time.leftOut();
    return { none: 'left out, for the answer would have come too late with them' };
  }
  const explanation = await work();
  time.took(performance.now() - startedMs);
  return explanation;
}
