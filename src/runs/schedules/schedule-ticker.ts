import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { Runs } from '../open-runs.ts';
import { compileCron, dueInstants } from './compile-cron.ts';
import { fireOnce } from './fire-once.ts';
import { clockToleranceMs, keepLook, type LookKey, readLook } from './look-table.ts';
import type { Schedule } from './schedule.ts';

/** Calls `work` again and again, `ms` apart; what it returns ends that. */
export type Every = (ms: number, work: () => void) => () => void;

export interface ScheduleTickerParts {
  readonly schedules: readonly Schedule[];
  readonly database: Database;
  readonly tenant: string;
  readonly fhirBase: string;
  readonly clock: Clock;
  readonly runs: Pick<Runs, 'createInside' | 'prepare' | 'wake'>;
  readonly every: Every;
  readonly event: (event: LogEvent) => void;
}

export interface ScheduleTicker {
  /** Handles what was missed, as each schedule declares it, and looks from then on. */
  start(): Promise<void>;
  /** Fires what became due since the last look. */
  look(): Promise<void>;
  close(): Promise<void>;
}

const lookEveryMs = 15_000;
/** A look that comes later than this was missed: the process did not run. */
const usualGraceMs = 10 * 60_000;
/** What was due longer ago is not looked for. */
const longestLookBackMs = 366 * 86_400_000;

/** Every replica looks; of those that find a schedule due, one makes the run. */
export function createScheduleTicker(parts: ScheduleTickerParts): ScheduleTicker {
  const { schedules, database, tenant, fhirBase, clock, event } = parts;
  const keyOf = (schedule: string): LookKey => ({ tenant, fhirBase, schedule });
  const crons = schedules.map((schedule) => ({ schedule, cron: compileCron(schedule.cron, schedule.timeZone) }));
  const lookedAt = new Map<string, Date>();
  let stop = (): void => undefined;
  let looking: Promise<void> = Promise.resolve();

  /** Where the clock was wrong when it was last looked, now: a look in the far future would silence the schedule. */
  const lookSince = (name: string, now: Date): Date => {
    const since = lookedAt.get(name) ?? now;
    if (since.getTime() - now.getTime() <= clockToleranceMs) return since;
    event({ name: 'schedule.look-ahead', schedule: name, lookedAt: since.toISOString() });
    return now;
  };

  const fire = async (schedule: Schedule, dueAt: Date): Promise<void> => {
    const run = await fireOnce(parts, schedule, dueAt);
    if (run === undefined) return;
    event({ name: 'schedule.fired', schedule: schedule.name, run: run.id, dueAt: dueAt.toISOString() });
    parts.runs.wake();
  };

  /** @param graceMs what is due for longer than this was missed: of it the latest counts, or nothing */
  const lookAt = async ({ schedule, cron }: (typeof crons)[number], now: Date, graceMs: number): Promise<void> => {
    const since = lookSince(schedule.name, now);
    const earliest = new Date(Math.max(since.getTime(), now.getTime() - longestLookBackMs));
    const fresh: Date[] = [];
    for await (const due of dueInstants(cron, earliest, now)) {
      if (now.getTime() - due.getTime() < graceMs) {
        fresh.push(due);
        continue;
      }
      if (fresh.length > 0) break;
      event({ name: 'schedule.missed', schedule: schedule.name, dueAt: due.toISOString(), handled: schedule.missed });
      if (schedule.missed === 'once') await fire(schedule, due);
      break;
    }
    for (const due of fresh.toReversed()) await fire(schedule, due);
    if (now < since) return; // the clock was put back: what was looked at stays looked at
    lookedAt.set(schedule.name, now);
    await keepLook(database, keyOf(schedule.name), now);
  };

  const lookAtAll = async (graceMs: number): Promise<void> => {
    const now = clock.now();
    for (const compiled of crons) {
      try {
        await lookAt(compiled, now, graceMs);
      } catch (error) {
        event({ name: 'schedule.failed', schedule: compiled.schedule.name, error });
        // What the database could not take now is looked for again; what can never be made is not.
        if (error instanceof PredictionError && !passing.includes(error.code))
          lookedAt.set(compiled.schedule.name, now);
      }
    }
  };
  const look = (graceMs: number): Promise<void> => {
    looking = looking.then(() => lookAtAll(graceMs));
    return looking;
  };

  return {
    async start() {
      if (schedules.length === 0) return;
      const now = clock.now();
      for (const { name } of schedules) lookedAt.set(name, (await readLook(database, keyOf(name))) ?? now);
      await look(0);
      stop = parts.every(lookEveryMs, () => void look(usualGraceMs));
    },
    look: () => look(usualGraceMs),
    async close() {
      stop();
      await looking;
    },
  };
}

const passing: readonly string[] = ['DATABASE_UNAVAILABLE', 'STORAGE_FULL', 'SHUTTING_DOWN', 'STARTING'];
