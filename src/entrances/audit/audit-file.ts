import { open } from 'node:fs/promises';
import { followPredictionLog, type LogPlace } from '../../monitoring/prediction-log.ts';
import { followAccessLog } from '../../monitoring/read-access-log.ts';
import type { Database, Sql } from '../../platform/database.ts';
import type { LogEvent } from '../../platform/events.ts';
import { accessEvent } from './access-event.ts';
import { auditEvent } from './audit-event.ts';
import type { AuditFrame } from './audit-parts.ts';

/** Appends every AuditEvent to a file as a line of JSON. */
export interface AuditFile {
  start(): void;
  /** Appends what is there, and stops. */
  close(): Promise<void>;
}

export interface AuditFileOptions {
  readonly file: string;
  readonly database: Database;
  readonly tenant: string;
  readonly frame: AuditFrame;
  readonly event: (event: LogEvent) => void;
  /** So often the logs are looked at, in milliseconds. */
  readonly everyMs?: number;
}

const linesPerTurn = 500;
const usualEveryMs = 1_000;

/**
 * Follows both logs. Where it stands is kept in the database and moved on once the lines are on the disk: after a crash some
 * lines stand twice, with the same id, and none is missing. The file is opened for each group of lines, so it may be renamed
 * at any time. Of several servers on one database each line is appended by one of them.
 */
export function createAuditFile(options: AuditFileOptions): AuditFile {
  const { event, everyMs = usualEveryMs } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;
  const appendAll = async (): Promise<void> => {
    try {
      while ((await appendSome(options)) === linesPerTurn);
    } catch (error) {
      event({ name: 'audit-file.failed', error });
    }
  };
  const next = (): void => {
    timer = setTimeout(() => {
      running = appendAll().then(() => {
        running = undefined;
        if (!isClosed) next();
      });
    }, everyMs);
    timer.unref();
  };
  return {
    start: next,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      await appendAll();
    },
  };
}

/** @returns how many lines were appended; 0 also where another server is at it */
async function appendSome({ file, database, tenant, frame, event }: AuditFileOptions): Promise<number> {
  return database.transaction(async (sql) => {
    const place = await placeOf(sql, tenant);
    if (place === undefined) return 0;
    let lines = await linesBehind(sql, tenant, place, frame);
    if (lines.length === 0 && place.isUnreached) {
      await keepPlace(sql, tenant, beginning);
      lines = await linesBehind(sql, tenant, { ...place, ...beginning, horizon: place.ownHorizon }, frame);
      event({ name: 'audit-file.begun-anew' });
    }
    const last = lines.at(-1);
    if (last === undefined) return 0;
    await append(file, lines.map((line) => `${JSON.stringify(line.event)}\n`).join(''));
    await keepPlace(sql, tenant, { xact: String(last.xact), id: last.id });
    return lines.length;
  });
}

async function linesBehind(sql: Sql, tenant: string, place: LogPlace, frame: AuditFrame) {
  const predictions = await followPredictionLog(sql, tenant, place);
  const accesses = await followAccessLog(sql, tenant, place);
  return [
    ...predictions.map(({ xact, row }) => ({ xact, id: row.id, event: auditEvent(row, frame) })),
    ...accesses.map(({ xact, row }) => ({ xact, id: row.id, event: accessEvent(row, frame) })),
  ]
    .sort((one, other) => (one.xact === other.xact ? (one.id < other.id ? -1 : 1) : one.xact < other.xact ? -1 : 1))
    .slice(0, linesPerTurn);
}

const placeKey = 'audit-file';
const beginning = { xact: '0', id: '00000000-0000-0000-0000-000000000000' };
const mostXact = '18446744073709551615';

async function keepPlace(sql: Sql, tenant: string, place: typeof beginning): Promise<void> {
  await sql.query('update settings_kv set value = $2::json where tenant = $1 and key = $3', [
    tenant,
    JSON.stringify(place),
    placeKey,
  ]);
}

/**
 * A database that was restored into another cluster counts transactions anew: none has reached the place. What lay behind it
 * was committed before, whatever its number: it is passed on first, and then all from the beginning, some of it twice.
 */
async function placeOf(sql: Sql, tenant: string) {
  await sql.query('insert into settings_kv (tenant, key, value) values ($1, $2, $3::json) on conflict do nothing', [
    tenant,
    placeKey,
    JSON.stringify(beginning),
  ]);
  const { rows } = await sql.query<{ value: string }>(
    'select value from settings_kv where tenant = $1 and key = $2 for update skip locked',
    [tenant, placeKey],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { xact, id } = JSON.parse(row.value) as typeof beginning;
  const { rows: horizons } = await sql.query<{ horizon: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as horizon',
  );
  const ownHorizon = horizons[0]?.horizon ?? '0';
  const isUnreached = BigInt(xact) >= BigInt(ownHorizon);
  return { xact, id, horizon: isUnreached ? mostXact : ownHorizon, ownHorizon, isUnreached, count: linesPerTurn };
}

/** The lines are on the disk when it resolves. Only this user may read them. */
async function append(file: string, lines: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    await handle.appendFile(lines);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
