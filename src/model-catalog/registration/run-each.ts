import { PredictionError } from '../../platform/errors.ts';
import type { ModelRow, RunRows } from '../model-row.ts';

/** Why a row has no answer. */
export interface Unanswered {
  readonly reason: string;
  /** Refused by a rule about numbers and texts, before or after the graph ran; false where the graph itself failed. */
  readonly byRule: boolean;
}

const chunk = 256;
/** Each further row that fails costs runs of its own, and tells little. */
const mostFailures = 8;

/**
 * The answer to each row, or why the model has none; after some that failed the rest is left out. Rows run together, and alone
 * only where that fails. Throws what ends more than a row: ENGINE_UNAVAILABLE, DEADLINE_EXCEEDED.
 */
export async function runEach(run: RunRows, rows: readonly ModelRow[]): Promise<(number[] | Unanswered)[]> {
  const answers: (number[] | Unanswered)[] = [];
  let failures = 0;
  for (let from = 0; from < rows.length && failures < mostFailures; from += chunk) {
    const part = rows.slice(from, from + chunk);
    const together = await answered(run, part);
    if (Array.isArray(together)) {
      answers.push(...together);
      continue;
    }
    for (const row of part) {
      const alone = await answered(run, [row]);
      const [answer] = Array.isArray(alone) ? alone : [];
      answers.push(answer ?? (Array.isArray(alone) ? { reason: 'gives no row', byRule: false } : alone));
      if (answer === undefined) failures++;
      if (failures >= mostFailures) break;
    }
  }
  return answers;
}

async function answered(run: RunRows, rows: readonly ModelRow[]): Promise<number[][] | Unanswered> {
  try {
    return await run(rows);
  } catch (error) {
    if (!(error instanceof PredictionError) || error.code !== 'INFERENCE_FAILED') throw error;
    return {
      reason: `gives no score (${error.message.replace(/\.$/, '')})`,
      byRule: error.cause instanceof RangeError,
    };
  }
}
