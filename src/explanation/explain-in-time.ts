import { PredictionError } from '../platform/errors.ts';
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
 * when the answer is due is told to end, for nobody waits for it, and the answer goes out without it. What it took until
 * then counts for the next.
 * @param work explains; `due` is aborted when the answer is, and absent where none is
 */
export async function explainInTime<Made extends object>(
  { explain, answerBy }: ExplanationWish,
  time: RunningTime,
  work: (due?: AbortSignal) => Promise<Made | NoExplanation>,
): Promise<Made | NoExplanation> {
  if (explain === false) return { none: 'not asked for' };
  const startedMs = performance.now();
  const expectedMs = time.expectedMs() ?? 0;
  if (answerBy !== undefined && startedMs + expectedMs > answerBy) {
    time.leftOut();
    return tooLate;
  }
  const measured = async (due?: AbortSignal): Promise<Made | NoExplanation> => {
    const explanation = await work(due);
    time.took(performance.now() - startedMs);
    return explanation;
  };
  return answerBy === undefined ? await measured() : await dueBy(answerBy, measured);
}

async function dueBy<Made extends object>(
  answerBy: number,
  work: (due: AbortSignal) => Promise<Made | NoExplanation>,
): Promise<Made | NoExplanation> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const due = new Promise<NoExplanation>((resolve) => {
    const end = (): void => {
      over.abort(new PredictionError('DEADLINE_EXCEEDED', 'The answer went out without the contributions.'));
      resolve(tooLate);
    };
    timer = setTimeout(end, Math.max(0, answerBy - performance.now()));
  });
  try {
    return await Promise.race([work(over.signal), due]);
  } finally {
    clearTimeout(timer);
  }
}
