import type { Database } from '../platform/database.ts';
import type { CohortSource } from './cohort-source.ts';
import { addMembers, countMembers, pendingChunks } from './member-table.ts';
import type { Run, RunState } from './run.ts';
import type { RunQueue } from './run-queue.ts';
import { moveRun, readRun } from './run-table.ts';

/** Rows of one statement: few enough that what waits for the database beside it hardly notices. */
const membersAtOnce = 250;

/**
 * Reads the cohort of a run into its members, page by page, and then queues its chunks; a run without members is
 * finished. Begun again after a crash, it adds what is not there yet.
 * @returns the state of the run afterwards
 */
export async function expandRun(
  database: Database,
  queue: Pick<RunQueue, 'enqueue'>,
  cohorts: CohortSource,
  run: Run,
  { signal, now }: { readonly signal: AbortSignal; readonly now: () => Date },
): Promise<RunState> {
  for await (const page of cohorts.read(run.cohort, run.asOf, signal)) {
    for (let at = 0; at < page.length; at += membersAtOnce) {
      await addMembers(database, run.id, page.slice(at, at + membersAtOnce));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { state } = await readRun(database, run.tenant, run.id);
    if (state !== 'expanding' || signal.aborted) return state;
  }
  return await database.transaction(async (sql) => {
    await countMembers(sql, run.id);
    const chunks = await pendingChunks(sql, run.id, run.chunkSize);
    const moved = await moveRun(sql, run.id, ['expanding'], 'running', now());
    if (!moved) return (await readRun(sql, run.tenant, run.id)).state;
    if (chunks.length === 0) await moveRun(sql, run.id, ['running'], 'finished', now());
    await queue.enqueue(
      sql,
      chunks.map((chunk) => ({ run: run.id, chunk })),
    );
    return chunks.length === 0 ? 'finished' : 'running';
  });
}
