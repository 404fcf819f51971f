import type { Database } from '../platform/database.ts';
import type { LogEvent } from '../platform/events.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import { carryOver } from './carry-over.ts';
import type { CohortSource } from './cohort-source.ts';
import { addMembers, countMembers, pendingChunks } from './member-table.ts';
import type { Run, RunState } from './run.ts';
import type { RunQueue } from './run-queue.ts';
import { beginWork, moveRun, readRun } from './run-table.ts';
import { openCohort } from './sealed-cohort.ts';

/** Rows of one statement: few enough that what waits for the database beside it hardly notices. */
const membersAtOnce = 100;

export interface ExpandRunParts {
  readonly cipher: ValuesCipher;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly event: (event: LogEvent) => void;
}

/**
 * Reads the cohort of a run into its members, page by page, and then queues its chunks; a run without members is
 * finished. Begun again after a crash, it adds what is not there yet; begun late, when another server has read the
 * cohort already, it changes nothing.
 * @returns the state of the run afterwards; `expanding` where it was stopped before the cohort's end
 */
export async function expandRun(
  database: Database,
  queue: Pick<RunQueue, 'enqueue'>,
  cohorts: CohortSource,
  run: Run,
  { cipher, signal, now, event }: ExpandRunParts,
): Promise<RunState> {
  for await (const page of cohorts.read(openCohort(run, cipher), run.asOf, signal, run.changedSince)) {
    for (let at = 0; at < page.length; at += membersAtOnce) {
      await addMembers(database, run.id, page.slice(at, at + membersAtOnce));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { state } = await readRun(database, run.tenant, run.id);
    if (state !== 'expanding' || signal.aborted) return state;
  }
  // A source that ends early because it is stopped has not been read to its end.
  if (signal.aborted) return (await readRun(database, run.tenant, run.id)).state;
  const members = await carryOver(database, run);
  if (members > 0) event({ name: 'run.given-up', run: run.id, members });
  return await database.transaction(async (sql) => {
    const at = now();
    if (!(await moveRun(sql, run.id, ['expanding'], 'running', at)))
      return (await readRun(sql, run.tenant, run.id)).state;
    await countMembers(sql, run.id);
    await beginWork(sql, run.id, at);
    const chunks = await pendingChunks(sql, run.id, run.chunkSize);
    if (chunks.length === 0) await moveRun(sql, run.id, ['running'], 'finished', at);
    await queue.enqueue(
      sql,
      chunks.map((chunk) => ({ run: run.id, chunk })),
    );
    return chunks.length === 0 ? 'finished' : 'running';
  });
}
