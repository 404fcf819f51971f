import type { Database } from '../../platform/database.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { DeliveryError, DeliveryReceipt } from './delivery.ts';

export const deliveryStates = ['pending', 'sending', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** One result at one sink, as it is shown. */
export interface ListedDelivery {
  readonly sink: string;
  readonly identifier: string;
  /** `RiskAssessment/[id]` or `Observation/[id]` in the own store. */
  readonly result: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt?: string;
  readonly attemptedAt?: string;
  readonly deliveredAt?: string;
  readonly batch?: string;
  readonly receipt?: DeliveryReceipt;
  readonly lastError?: DeliveryError;
}

export interface DeliverySearch {
  readonly sink?: string;
  readonly state?: DeliveryState;
  readonly count: number;
  /** Where the page before ended. */
  readonly after?: { readonly sink: string; readonly identifier: string };
}

export interface SinkSummary {
  readonly sink: string;
  /** False where the sink is no longer declared: nothing is sent to it. */
  readonly declared: boolean;
  readonly pending: number;
  readonly sending: number;
  readonly delivered: number;
  readonly dead: number;
}

export interface RedriveRequest {
  readonly sink: string;
  /** Absent: every dead letter of the sink. */
  readonly identifiers?: readonly string[];
}

/** What people see of the deliveries, and how they revive dead letters. */
export interface DeliveryDesk {
  /** In the order of sink and identifier. Throws PARAMETER_INVALID for a sink that is unknown. */
  list(search: DeliverySearch): Promise<readonly ListedDelivery[]>;
  summary(): Promise<readonly SinkSummary[]>;
  /** Puts dead letters back among what is to be sent. @returns how many. Throws PARAMETER_INVALID. */
  redrive(request: RedriveRequest): Promise<number>;
}

interface DeskRow {
  sink: string;
  identifier: string;
  resource_id: string;
  resource_type: string;
  state: DeliveryState;
  attempts: number;
  next_attempt_at: Date | null;
  attempted_at: Date | null;
  delivered_at: Date | null;
  batch: string | null;
  receipt: string | null;
  last_error: string | null;
}

export function openDeliveryDesk(database: Database, tenant: string, declared: readonly string[]): DeliveryDesk {
  const counts = async (): Promise<SinkSummary[]> => {
    const { rows } = await database.query<{ sink: string; state: DeliveryState; count: number }>(
      'select sink, state, count(*)::int as count from deliveries where tenant = $1 group by sink, state',
      [tenant],
    );
    const names = [...new Set([...declared, ...rows.map(({ sink }) => sink)])].sort();
    return names.map((sink) => {
      const count = (state: DeliveryState) => rows.find((row) => row.sink === sink && row.state === state)?.count ?? 0;
      return {
        sink,
        declared: declared.includes(sink),
        pending: count('pending'),
        sending: count('sending'),
        delivered: count('delivered'),
        dead: count('dead'),
      };
    });
  };
  const requireSink = async (sink: string): Promise<void> => {
    if (declared.includes(sink)) return;
    const known = (await counts()).map((summary) => summary.sink);
    if (known.includes(sink)) return;
    const allowed = known.length === 0 ? 'none is declared (SINKS_FILE)' : `allowed are ${known.join(', ')}`;
    throw new PredictionError('PARAMETER_INVALID', `There is no such sink; ${allowed}.`);
  };
  return {
    async list({ sink, state, count, after }) {
      if (sink !== undefined) await requireSink(sink);
      const { rows } = await database.query<DeskRow>(
        `select sink, identifier, resource_id, resource_type, state, attempts, next_attempt_at, attempted_at, delivered_at, batch,
           receipt::text as receipt, last_error::text as last_error
         from deliveries
         where tenant = $1 and ($2::text is null or sink = $2) and ($3::text is null or state = $3)
           and ($4::text is null or (sink, identifier) > ($4, $5))
         order by sink, identifier limit $6`,
        [tenant, sink ?? null, state ?? null, after?.sink ?? null, after?.identifier ?? null, count],
      );
      return rows.map(toListed);
    },
    summary: counts,
    async redrive({ sink, identifiers }) {
      await requireSink(sink);
      const { rowCount } = await database.query(
        `with dead as (
           select identifier from deliveries
           where tenant = $1 and sink = $2 and state = 'dead' and ($3::text[] is null or identifier = any($3))
           order by identifier for update
         )
         update deliveries as known set state = 'pending', attempts = 0, next_attempt_at = null, alone = true,
           unsure = unsure or last_error->>'reason' = 'gone',
           receipt = case when last_error->>'reason' = 'gone' then null else receipt end
         from dead where known.tenant = $1 and known.sink = $2 and known.identifier = dead.identifier`,
        [tenant, sink, identifiers ?? null],
      );
      return rowCount;
    },
  };
}

function toListed(row: DeskRow): ListedDelivery {
  const time = (name: string, at: Date | null) => (at === null ? {} : { [name]: at.toISOString() });
  return {
    sink: row.sink,
    identifier: row.identifier,
    result: `${row.resource_type}/${row.resource_id}`,
    state: row.state,
    attempts: row.attempts,
    ...time('nextAttemptAt', row.next_attempt_at),
    ...time('attemptedAt', row.attempted_at),
    ...time('deliveredAt', row.delivered_at),
    ...(row.batch === null ? {} : { batch: row.batch }),
    ...(row.receipt === null ? {} : { receipt: JSON.parse(row.receipt) as DeliveryReceipt }),
    ...(row.last_error === null ? {} : { lastError: JSON.parse(row.last_error) as DeliveryError }),
  };
}
