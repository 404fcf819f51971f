import type { FinishedStatement } from './pooled-database.ts';

const leastRows = 1_000;
const share = 0.2;
const writes = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/**
 * Counts what is written and says when the planner's statistics are due: after 1,000 rows and one fifth of all that was
 * written before. Without them every search reads a whole type. A server refreshes them itself, but only within minutes,
 * and PGlite, which has no background process, never.
 */
export function createStatisticsUpkeep(refresh: () => Promise<void>): (statement: FinishedStatement) => void {
  let written = 0;
  let dueAt = leastRows;
  let running = false;
  return ({ command, rowCount }) => {
    if (!writes.has(command)) return;
    written += rowCount;
    if (written < dueAt || running) return;
    running = true;
    void refresh().finally(() => {
      running = false;
      dueAt = written + Math.max(leastRows, written * share);
    });
  };
}
