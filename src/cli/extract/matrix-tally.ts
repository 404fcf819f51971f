import type { RowFacts } from './matrix-columns.ts';

/** What came of the rows of a matrix. */
export interface MatrixTally {
  add(row: RowFacts): void;
  readonly failed: number;
  /** For people; counts and reasons, nobody's values. */
  text(): string;
}

/** A row counts as abstained where the model may speak about none of its outcomes; its reasons are those of the first one. */
export function createMatrixTally(): MatrixTally {
  const counts = { rows: 0, scored: 0, abstained: 0, failed: 0, guessedCells: 0, guessedRows: 0 };
  const reasons = new Map<string, number>();
  const codes = new Map<string, number>();
  const labels = new Map<string, number>();
  return {
    add({ inputs, x, guessed = 0, label, error }) {
      counts.rows += 1;
      counts.guessedCells += guessed;
      if (guessed > 0) counts.guessedRows += 1;
      if (label !== undefined) count(labels, 'truth' in label ? String(label.truth) : label.leftOut);
      if (error !== undefined || inputs === undefined) {
        counts.failed += 1;
        count(codes, error?.code ?? 'INTERNAL');
      } else if (x !== undefined) counts.scored += 1;
      else {
        counts.abstained += 1;
        const [verdict] = inputs.verdicts.values();
        if (verdict !== undefined && verdict.state !== 'score')
          for (const reason of new Set(verdict.reasons.map((one) => one.reason))) count(reasons, reason);
      }
    },
    get failed() {
      return counts.failed;
    },
    text() {
      const { rows, scored, abstained, failed, guessedCells, guessedRows } = counts;
      return [
        `${rows} rows: ${scored} that the model may score, ${abstained} abstained, ${failed} failed`,
        ...listed('abstained', reasons),
        ...listed('failed', codes),
        ...listed('label', labels),
        `${guessedCells} cells of ${guessedRows} rows rest on a guess`,
        '',
      ].join('\n');
    },
  };
}

function count(into: Map<string, number>, key: string): void {
  into.set(key, (into.get(key) ?? 0) + 1);
}

/** The most frequent first. */
function listed(what: string, counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1))
    .map(([key, times]) => `  ${what} ${key}: ${times}`);
}
