import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { LogEvent } from '../platform/events.ts';

/** How many days rows are kept; absent: for ever, but values and comments never outlive the row of their prediction. */
export interface KeptDays {
  readonly values?: number | undefined;
  /** Of both logs, and of the cards that were held back: at least 184. */
  readonly logs?: number | undefined;
  readonly feedback?: number | undefined;
}

export interface Retention {
  /** Prunes now, and then every six hours. */
  start(): void;
  close(): Promise<void>;
}

export interface RetentionOptions {
  readonly database: Database;
  readonly tenant: string;
  readonly clock: Clock;
  readonly days: KeptDays;
  readonly event: (event: LogEvent) => void;
}

const everyMs = 6 * 3_600_000;
const dayMs = 86_400_000;
const rowsPerStatement = 5_000;

/** What was told longer ago holds no card back: the longest time that a manifest may declare (`repeats`) is 99 hours. */
const toldDays = 5;

const tables = [
  { table: 'told_bands', time: 'told_at', rule: 'told' },
  { table: 'prediction_values', time: 'recorded', rule: 'values' },
  { table: 'cds_feedback', time: 'received_at', rule: 'feedback' },
  { table: 'access_log', time: 'recorded', rule: 'logs' },
  { table: 'prediction_log', time: 'recorded', rule: 'logs' },
  { table: 'held_cards', time: 'held_at', rule: 'logs' },
] as const;

/** Removes rows when their time is over. */
export function createRetention(options: RetentionOptions): Retention {
  const { event } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const prune = (): void => {
    running ??= pruneOnce(options)
      .catch((error: unknown) => event({ name: 'retention.failed', error }))
      .finally(() => {
        running = undefined;
      });
  };
  return {
    start() {
      prune();
      timer = setInterval(prune, everyMs);
      timer.unref();
    },
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

/** Removes in small transactions, behind all other work, what is older than its rule. The database itself keeps logs for six months. */
export async function pruneOnce({ database, tenant, clock, days, event }: RetentionOptions): Promise<void> {
  for (const { table, time, rule } of tables) {
    const kept = rule === 'told' ? toldDays : days[rule];
    if (kept === undefined) continue;
    const before = new Date(clock.now().getTime() - kept * dayMs);
    let rows = 0;
    for (let removed = rowsPerStatement; removed === rowsPerStatement; rows += removed) {
      removed = await database.background.transaction(async (sql) => {
        await sql.query("set local fhirsight.retention = 'on'");
        const gone = await sql.query<{ rows: number }>(removal(table, time), [tenant, before]);
        return gone.rows[0]?.rows ?? 0;
      });
    }
    if (rows > 0) event({ name: 'retention.pruned', table, rows });
  }
  await pruneComments({ database, tenant, clock, days, event });
}

/** That a report was reviewed is told for as long as the report is there; what the reviewer wrote goes with the other feedback. */
async function pruneComments({ database, tenant, clock, days, event }: RetentionOptions): Promise<void> {
  if (days.feedback === undefined) return;
  const before = new Date(clock.now().getTime() - days.feedback * dayMs);
  let rows = 0;
  for (let removed = rowsPerStatement; removed === rowsPerStatement; rows += removed) {
    ({ rowCount: removed } = await database.background.query(
      `update report_reviews set user_comment = null where ctid in (
         select ctid from report_reviews where tenant = $1 and reviewed_at < $2::timestamptz and user_comment is not null
         limit ${rowsPerStatement})`,
      [tenant, before],
    ));
  }
  if (rows > 0) event({ name: 'retention.pruned', table: 'report_reviews (comments)', rows });
}

/**
 * Deletes some rows of a table and says how many. With a row of the prediction log its values go, and what was written about
 * its card: nothing would say any more whose they are, so nobody could have them forgotten.
 */
function removal(table: string, time: string): string {
  const ofPredictions = `,
    sealed as (delete from prediction_values v using gone where v.tenant = $1 and v.prediction = gone.id),
    words as (update cds_feedback f set user_comment = null, reason_display = null from gone
      where f.tenant = $1 and f.service = gone.service and f.card = gone.card
        and (f.user_comment is not null or f.reason_display is not null))`;
  return `with gone as (
      delete from ${table} where ctid in (
        select ctid from ${table} where tenant = $1 and ${time} < $2::timestamptz limit ${rowsPerStatement})
      returning *)${table === 'prediction_log' ? ofPredictions : ''}
    select count(*)::int as rows from gone`;
}
