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

/** Said where there was no time for them. */
const tooLate: NoExplanation = { none: 'left out, for the answer would have come too late with them' };

/**
 * Explains where that is wanted and where the answer is still in time with it, by how long explanations of this model
 * version have taken so far. A first one, which nothing is known about, is begun where any time is left; one that is not done
 * when the answer is due is left to itself, and the answer goes out without it.
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
    return tooLate;
  }
  const measured = async (): Promise<Explanation | NoExplanation> => {
    const explanation = await work();
    time.took(performance.now() - startedMs);
    return explanation;
  };
  return answerBy === undefined ? await measured() : await dueBy(answerBy, measured());
}

async function dueBy(
  answerBy: number,
  work: Promise<Explanation | NoExplanation>,
): Promise<Explanation | NoExplanation> {
  let timer: NodeJS.Timeout | undefined;
  const due = new Promise<NoExplanation>((resolve) => {
    timer = setTimeout(() => resolve(tooLate), Math.max(0, answerBy - performance.now()));
  });
  try {
    return await Promise.race([work, due]);
  } finally {
    clearTimeout(timer);
  }
}
