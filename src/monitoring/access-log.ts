import type { Sql } from '../platform/database.ts';
import { databaseErrorCode } from '../platform/database-error.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { createGroupWriter } from '../platform/group-writer.ts';
import { storableJson } from '../platform/storable-text.ts';
import type { AccessRow } from './access-row.ts';

/** Keeps account of who read, searched, wrote, or was refused what. */
export interface AccessLog {
  /** Takes rows, which are kept soon after: nobody waits for it, and it never throws. */
  keep(rows: readonly AccessRow[]): void;
  /** Throws DATABASE_UNAVAILABLE while so many rows wait for the database that nothing more may be done without account. */
  refuseUnaccounted(): void;
  /** Keeps what waits, in one last try; what cannot be kept then is counted in `access-log.lost`. */
  close(): Promise<void>;
}

export interface AccessLogOptions {
  readonly database: Sql;
  readonly event: (event: LogEvent) => void;
  /** So many rows may wait; about 1 kB of memory each. */
  readonly mostWaiting?: number;
  /** So long after a failure it is tried again, in milliseconds. */
  readonly retryMs?: number;
}

const rowsPerGroup = 500;
const usualMostWaiting = 10_000;
const usualRetryMs = 1_000;

/**
 * A row that cannot be kept waits and is tried again: none is dropped while the process lives. When `mostWaiting` wait, the
 * server does nothing more until they are kept. A row that the database refuses for what it holds would wait for ever, and all others
 * behind it: it is found, said in `access-log.refused`, and given up.
 */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  const { database, event, mostWaiting = usualMostWaiting, retryMs = usualRetryMs } = options;
  const closing = new AbortController();
  let waiting = 0;
  let lost = 0;

  const keepAll = async (rows: readonly AccessRow[]): Promise<void> => {
    for (;;) {
      try {
        return await insertRows(database, rows);
      } catch (error) {
        if (isOfTheRows(error)) return await keepEach(rows, error);
        event({ name: 'access-log.failed', waiting, error });
        if (closing.signal.aborted) throw new PredictionError('SHUTTING_DOWN', 'The rows could not be kept.');
        await pause(retryMs, closing.signal);
      }
    }
  };
  /** All but what the database refuses. */
  const keepEach = async (rows: readonly AccessRow[], error: unknown): Promise<void> => {
    const [first, ...others] = rows;
    if (first !== undefined && others.length === 0) {
      event({ name: 'access-log.refused', requestId: first.request_id, error });
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    await keepAll(rows.slice(0, middle));
    await keepAll(rows.slice(middle));
  };
  const writer = createGroupWriter<AccessRow, undefined>(
    async (rows) => {
      await keepAll(rows);
      return rows.map(() => ({ receipt: undefined }));
    },
    { maxItems: rowsPerGroup, gathers: true },
  );

  return {
    keep(rows) {
      for (const row of rows) {
        waiting += 1;
        writer
          .write(row)
          .catch(() => {
            lost += 1;
          })
          .finally(() => {
            waiting -= 1;
          });
      }
    },
    refuseUnaccounted() {
      if (waiting < mostWaiting) return;
      throw new PredictionError(
        'DATABASE_UNAVAILABLE',
        'The log of accesses cannot be written, and nothing is done here without account. Try again when the database answers.',
      );
    },
    async close() {
      closing.abort();
      await writer.close();
      if (lost > 0) event({ name: 'access-log.lost', rows: lost });
    },
  };
}

/** A group that was kept although its answer got lost is not kept twice. */
async function insertRows(sql: Sql, rows: readonly AccessRow[]): Promise<void> {
  await sql.query(
    `insert into access_log (${columns}) select ${columns} from json_populate_recordset(null::access_log, $1::json)
     on conflict (tenant, id) do nothing`,
    [storableJson(rows)],
  );
}

/** Data that no column takes (class 22 of SQLSTATE), or a constraint (23): it would fail the same way again. */
function isOfTheRows(error: unknown): boolean {
  return /^2[23]/.test(databaseErrorCode(error) ?? '');
}

const columns = (
  'id tenant recorded request_id way client client_key user_ref proved_by action interaction route fhir_base ' +
  'resource_type resource_id subject_id query status error_code total_ms'
)
  .split(' ')
  .join(', ');

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    ended.addEventListener('abort', over);
  });
}
