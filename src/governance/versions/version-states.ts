import type { Database, Sql } from '../../platform/database.ts';
import type { LogEvent } from '../../platform/events.ts';
import { addRecord, lastNumber, lockRecords, readRecords } from './record-table.ts';
import { type RecordedStanding, standingOf } from './standing-of.ts';
import type { NewVersionRecord, VersionRecord } from './version-record.ts';

/** The states of all versions of one tenant, as they are in the database. */
export interface VersionStates {
  /** The same object as long as there is no new record. */
  standing(): RecordedStanding;
  /**
   * Adds what `decide` makes of the states as they are, with nobody else adding meanwhile. It is in force here when this
   * resolves, and within a second on every other server of the database.
   * Throws what `decide` throws; nothing was added then.
   */
  add(decide: (standing: RecordedStanding) => readonly NewVersionRecord[]): Promise<readonly VersionRecord[]>;
  /** The oldest first. */
  records(): Promise<readonly VersionRecord[]>;
  /** Stops looking for records of other servers. */
  close(): Promise<void>;
}

export interface VersionStatesOptions {
  readonly database: Database;
  readonly tenant: string;
  readonly now: () => Date;
  readonly event: (event: LogEvent) => void;
  /** How often records of other servers are looked for; absent: there are none. */
  readonly lookEveryMs?: number;
}

/** Throws DATABASE_UNAVAILABLE. While the database does not answer later, the states stay as they were, and the log says so. */
export async function openVersionStates(options: VersionStatesOptions): Promise<VersionStates> {
  const { database, tenant, now, event, lookEveryMs } = options;
  let last = -1;
  let standing = standingOf([]);
  let failing = false;
  /** Of two that read at once the older never takes the place of the newer. */
  const read = async (sql: Sql): Promise<void> => {
    const records = await readRecords(sql, tenant);
    const newest = records.at(-1)?.number ?? 0;
    if (newest <= last) return;
    last = newest;
    standing = standingOf(records);
  };
  const look = async (): Promise<void> => {
    try {
      if ((await lastNumber(database, tenant)) !== last) await read(database);
      failing = false;
    } catch (error) {
      if (!failing) event({ name: 'version-states.unknown', error });
      failing = true;
    }
  };
  await read(database);

  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const lookLater = (): void => {
    if (closed || lookEveryMs === undefined) return;
    timer = setTimeout(() => {
      looking = look().finally(lookLater);
    }, lookEveryMs);
    timer.unref();
  };
  lookLater();
  return {
    standing: () => standing,
    async add(decide) {
      const added = await database.transaction(async (sql) => {
        await lockRecords(sql, tenant);
        const decided = decide(standingOf(await readRecords(sql, tenant)));
        const records: VersionRecord[] = [];
        for (const record of decided) records.push(await addRecord(sql, tenant, record, now()));
        return records;
      });
      await read(database);
      for (const { action, model, version, digest, service, way } of added) {
        event({
          name: 'model.state-changed',
          action,
          model: version === undefined ? model : `${model}@${version}`,
          way,
          ...(digest === undefined ? {} : { digest }),
          ...(service === undefined ? {} : { service }),
        });
      }
      return added;
    },
    records: () => readRecords(database, tenant),
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
