import type { EvaluatedRows } from '../../governance/evaluation/evaluate-outcome.ts';
import { score } from '../../inference/score.ts';
import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { EvaluationRow, RowStream } from './evaluation-row.ts';

/** Rows under way at once: the engine joins those into one run. */
const rowsAtOnce = 64;

type Labelled = Extract<EvaluationRow, { state: 'labelled' }>;

/** What came of all rows. Of each that was scored only score, truth and groups are kept. */
export interface CollectedRows {
  readonly rows: EvaluatedRows;
  readonly tally: EvaluationReport['rows'];
}

/**
 * Scores rows by the very function that a prediction scores its row by, a few at a time. A row that the model fails at is
 * counted by its code. Throws what reading the rows throws, and the reason of the signal.
 */
export async function collectRows(
  { rows, groupings }: RowStream,
  run: Parameters<typeof score>[0],
  outcome: Outcome,
  signal: AbortSignal,
): Promise<CollectedRows> {
  const scores: number[] = [];
  const truths: number[] = [];
  const groups = groupings.map((): (string | undefined)[] => []);
  const counts = { abstained: 0, failed: 0, withoutLabel: 0, leftOut: 0 };
  const reasons = {
    abstained: new Map<string, number>(),
    failed: new Map<string, number>(),
    leftOut: new Map<string, number>(),
  };
  const fail = (code: string): void => {
    counts.failed += 1;
    count(reasons.failed, code);
  };
  const scoreAll = async (batch: readonly Labelled[]): Promise<void> => {
    const found = await Promise.all(batch.map(({ x }) => scoreOf(run, x, outcome)));
    for (const [index, given] of found.entries()) {
      const row = batch[index];
      if (row === undefined) continue;
      if ('code' in given) {
        fail(given.code);
        continue;
      }
      scores.push(given.score);
      truths.push(row.truth);
      for (const [at, grouping] of groups.entries()) grouping.push(row.groups[at]);
    }
  };
  let batch: Labelled[] = [];
  for await (const row of rows) {
    signal.throwIfAborted();
    switch (row.state) {
      case 'labelled':
        batch.push(row);
        break;
      case 'failed':
        fail(row.code);
        break;
      case 'abstained':
        counts.abstained += 1;
        for (const reason of new Set(row.reasons)) count(reasons.abstained, reason);
        break;
      case 'left-out':
        counts.leftOut += 1;
        count(reasons.leftOut, row.reason);
        break;
      case 'without-label':
        counts.withoutLabel += 1;
    }
    if (batch.length < rowsAtOnce) continue;
    await scoreAll(batch);
    batch = [];
  }
  await scoreAll(batch);
  const evaluated = scores.length;
  const read = evaluated + counts.abstained + counts.failed + counts.withoutLabel + counts.leftOut;
  return {
    rows: { scores, truths, groupings: groupings.map((by, index) => ({ by, groups: groups[index] ?? [] })) },
    tally: {
      read,
      evaluated,
      ...counts,
      reasons: {
        abstained: sorted(reasons.abstained),
        failed: sorted(reasons.failed),
        leftOut: sorted(reasons.leftOut),
      },
    },
  };
}

async function scoreOf(
  run: Parameters<typeof score>[0],
  x: Labelled['x'],
  outcome: Outcome,
): Promise<{ readonly score: number } | { readonly code: string }> {
  try {
    const { scores } = await score(run, x, [outcome]);
    const found = scores.get(outcome.id);
    if (found === undefined) throw new PredictionError('INTERNAL', `The score of ${outcome.id} is missing.`);
    return { score: found };
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'INFERENCE_FAILED') return { code: error.code };
    throw error;
  }
}

function count(into: Map<string, number>, key: string): void {
  into.set(key, (into.get(key) ?? 0) + 1);
}

/** The most frequent first. */
function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1)));
}
