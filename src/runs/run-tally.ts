import type { Sql } from '../platform/database.ts';
import type { Run } from './run.ts';

/** What has come of a run's members so far. */
export interface RunTally {
  /** Undefined until the cohort has been read to its end. */
  readonly pending?: number;
  readonly scored: number;
  readonly abstained: number;
  readonly failed: number;
  /** Members whose result lies in the own store as a resource. */
  readonly written: number;
  /** Abstained members by reason; a member may have several. */
  readonly abstainedByReason: Readonly<Record<string, number>>;
  /** Failed members by error code. */
  readonly failedByCode: Readonly<Record<string, number>>;
}

/** Counts are kept with the members, so that this reads a few rows whatever the size of the cohort. */
export async function readTally(sql: Sql, run: Run): Promise<RunTally> {
  const { rows } = await sql.query<{ kind: string; code: string; members: number }>(
    'select kind, code, members from run_tallies where run = $1 order by members desc, code',
    [run.id],
  );
  const total = (kind: string): number => rows.find((row) => row.kind === kind)?.members ?? 0;
  const byCode = (kind: string): Record<string, number> =>
    Object.fromEntries(rows.flatMap((row) => (row.kind === kind ? [[row.code, row.members]] : [])));
  const [scored, abstained, failed] = [total('scored'), total('abstained'), total('failed')];
  return {
    ...(run.members === undefined ? {} : { pending: run.members - scored - abstained - failed }),
    scored,
    abstained,
    failed,
    written: total('written'),
    abstainedByReason: byCode('reason'),
    failedByCode: byCode('error'),
  };
}

/** How fast a run goes on: members per second since work on it last began, and seconds until its end at that rate. */
export interface RunPace {
  readonly perSecond: number;
  readonly remainingSeconds?: number;
}

/** Undefined before the first member is done since work last began. */
export function paceOf({ workedFrom, finishedAt, state }: Run, tally: RunTally, now: Date): RunPace | undefined {
  if (workedFrom === undefined) return undefined;
  const done = tally.scored + tally.abstained + tally.failed - workedFrom.done;
  const seconds = ((finishedAt ?? now).getTime() - workedFrom.at.getTime()) / 1000;
  if (seconds <= 0 || done <= 0) return undefined;
  const perSecond = done / seconds;
  const { pending } = tally;
  return {
    perSecond,
    ...(state === 'running' && pending !== undefined ? { remainingSeconds: pending / perSecond } : {}),
  };
}
