import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { hasPendingMembers, pendingChunks } from './member-table.ts';
import type { Run } from './run.ts';
import type { RunQueue } from './run-queue.ts';
import { lockRun, moveRun, readRun } from './run-table.ts';
import { readTally } from './run-tally.ts';

export interface AdvanceParts {
  readonly database: Database;
  readonly tenant: string;
  readonly clock: Clock;
  readonly event: (event: LogEvent) => void;
}

/** Finishes a run that has no pending member; whoever records the last one calls this after it. */
export async function finishIfDone(parts: AdvanceParts, queue: Pick<RunQueue, 'tidy'>, id: string): Promise<void> {
  const { database, clock, event } = parts;
  if (await hasPendingMembers(database, id)) return;
  const moved = await moveRun(database, id, ['running'], 'finished', clock.now());
  if (!moved) return;
  const { scored, abstained, failed } = await readTally(database, await readRun(database, parts.tenant, id));
  event({ name: 'run.finished', run: id, scored, abstained, failed });
  await queue.tidy();
}

/** Ends the cancelling of a run once nobody works on it. */
export async function settleCancelled(
  parts: AdvanceParts,
  queue: Pick<RunQueue, 'withdraw'>,
  id: string,
): Promise<void> {
  const moved = await parts.database.transaction(async (sql) => {
    await lockRun(sql, id);
    const taken = await queue.withdraw(sql, id);
    return taken === 0 && (await moveRun(sql, id, ['cancelling'], 'cancelled', parts.clock.now()));
  });
  if (moved) parts.event({ name: 'run.cancelled', run: id });
}

/** Ends a run that cannot go on; what was done stays. */
export async function endRun(
  parts: AdvanceParts,
  queue: Pick<RunQueue, 'withdraw'>,
  run: Run,
  error: unknown,
): Promise<void> {
  const known = error instanceof PredictionError && error.code !== 'INTERNAL';
  const reason = known
    ? { code: error.code, message: error.message }
    : { code: 'INTERNAL', message: 'The server failed on this run again and again; the log says more.' };
  const moved = await parts.database.transaction(async (sql) => {
    const from = ['expanding', 'running', 'cancelling'] as const;
    const ended = await moveRun(sql, run.id, from, 'failed', parts.clock.now(), reason);
    if (ended) await queue.withdraw(sql, run.id);
    return ended;
  });
  if (moved) parts.event({ name: 'run.failed', run: run.id, error });
}

/** Queues what an unfinished run still needs; what is queued or taken already is not queued again. */
export async function reviveRun(parts: AdvanceParts, queue: RunQueue, id: string): Promise<void> {
  const { database, tenant } = parts;
  const run = await readRun(database, tenant, id);
  if (run.state === 'cancelling') return await settleCancelled(parts, queue, id);
  await database.transaction(async (sql) => {
    if (run.state === 'expanding') return await queue.enqueue(sql, [{ run: id }]);
    if (run.state !== 'running') return;
    const chunks = await pendingChunks(sql, id, run.chunkSize);
    await queue.enqueue(
      sql,
      chunks.map((chunk) => ({ run: id, chunk })),
    );
  });
  await finishIfDone(parts, queue, id);
}
