import type { Database, Sql } from '../../platform/database.ts';
import type { ResultResource } from '../../results/result-resource.ts';
import type { DeliveryError, DeliveryReceipt } from './delivery.ts';

/** A row that this server sends now. */
export interface ClaimedDelivery {
  readonly identifier: string;
  readonly resourceId: string;
  readonly resourceType: ResultResource['resourceType'];
  readonly attempts: number;
  readonly alone: boolean;
  readonly unsure: boolean;
  /** It changed after the claim that is taken over. */
  readonly changed: boolean;
  /** When it was refused by itself for the first time, for what seemed a fault of the sink. */
  readonly refusedAt?: Date;
  readonly receipt?: DeliveryReceipt;
}

export interface Claim {
  readonly batch: string;
  /** Names this very claim. */
  readonly sender: string;
  readonly deliveries: readonly ClaimedDelivery[];
}

export interface ClaimRequest {
  readonly tenant: string;
  readonly sink: string;
  readonly limit: number;
  /** True to take, of what is due, what waited longest since it was tried: the sink is asked about each result in turn. */
  readonly probing: boolean;
  readonly now: Date;
  readonly leaseMs: number;
  readonly newBatch: string;
  readonly newSender: string;
}

interface ClaimedRow {
  identifier: string;
  resource_id: string;
  resource_type: ResultResource['resourceType'];
  attempts: number;
  alone: boolean;
  unsure: boolean;
  changed: boolean;
  refused_at: Date | null;
  receipt: string | null;
}

/** Of the claimed rows, by the names of `ClaimedRow`. */
const claimedColumns = `known.identifier, resource_id, resource_type, attempts, alone, unsure, wanted > claimed as changed, refused_at,
  receipt::text as receipt`;
/** The servers that share a database need not agree on the time. */
const leaseFor = (parameter: string) => `clock_timestamp() + ${parameter}::int * interval '1 millisecond'`;

/**
 * Takes what is due, oldest first, for this server alone. A batch whose sender died comes back whole, under its own
 * name, and unsure: nobody knows how far it came; a result of it that changed meanwhile comes once more afterwards. A
 * result that was refused in company comes alone.
 */
export async function claimDeliveries(database: Database, request: ClaimRequest): Promise<Claim | undefined> {
  return await database.transaction(async (sql) => {
    // The servers that share a database take turns, so that none waits for rows another is taking.
    await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      JSON.stringify(['deliveries', request.tenant, request.sink]),
    ]);
    const abandoned = await claimAbandoned(sql, request);
    return abandoned ?? (await claimPending(sql, request));
  });
}

async function claimAbandoned(sql: Sql, request: ClaimRequest): Promise<Claim | undefined> {
  const { tenant, sink, leaseMs, newSender } = request;
  const { rows } = await sql.query<{ batch: string }>(
    `select batch from deliveries where tenant = $1 and sink = $2 and state = 'sending' and lease_until <= clock_timestamp()
     order by position limit 1`,
    [tenant, sink],
  );
  const [oldest] = rows;
  if (oldest === undefined) return undefined;
  const members = await sql.query<ClaimedRow>(
    `with members as (
       select identifier from deliveries
       where tenant = $1 and sink = $2 and state = 'sending' and batch = $3 and lease_until <= clock_timestamp()
       order by identifier for update
     )
     update deliveries as known set lease_until = ${leaseFor('$4')}, unsure = true, sender = $5
     from members where known.tenant = $1 and known.sink = $2 and known.identifier = members.identifier
     returning ${claimedColumns}`,
    [tenant, sink, oldest.batch, leaseMs, newSender],
  );
  return members.rowCount === 0
    ? undefined
    : { batch: oldest.batch, sender: newSender, deliveries: members.rows.map(toClaimed) };
}

async function claimPending(sql: Sql, request: ClaimRequest): Promise<Claim | undefined> {
  const { tenant, sink, leaseMs, newBatch, newSender } = request;
  const rows = await findDue(sql, request);
  const [oldest] = rows;
  if (oldest === undefined) return undefined;
  const taken = oldest.alone ? [oldest] : rows.filter(({ alone }) => !alone);
  const claimed = await sql.query<ClaimedRow>(
    `update deliveries as known set state = 'sending', claimed = wanted, batch = $4,
       lease_until = ${leaseFor('$5')}, sender = $6
     where tenant = $1 and sink = $2 and identifier = any($3)
     returning ${claimedColumns}`,
    [tenant, sink, taken.map(({ identifier }) => identifier), newBatch, leaseMs, newSender],
  );
  return { batch: newBatch, sender: newSender, deliveries: claimed.rows.map(toClaimed) };
}

async function findDue(
  sql: Sql,
  { tenant, sink, limit, probing, now }: ClaimRequest,
): Promise<{ identifier: string; alone: boolean }[]> {
  const find = async (due: string, order: string, ...more: string[]) => {
    const { rows } = await sql.query<{ identifier: string; alone: boolean }>(
      `select identifier, alone from deliveries
       where tenant = $1 and sink = $2 and state = 'pending' and ${due}
       order by ${order} limit $3 for update skip locked`,
      [tenant, sink, limit, ...more],
    );
    return rows;
  };
  if (!probing) return find('(next_attempt_at is null or next_attempt_at <= $4)', 'position', now.toISOString());
  const untried = await find('next_attempt_at is null', 'position');
  if (untried.length > 0) return untried;
  return find('next_attempt_at <= $4', 'next_attempt_at, position', now.toISOString());
}

function toClaimed(row: ClaimedRow): ClaimedDelivery {
  return {
    identifier: row.identifier,
    resourceId: row.resource_id,
    resourceType: row.resource_type,
    attempts: row.attempts,
    alone: row.alone,
    unsure: row.unsure,
    changed: row.changed,
    ...(row.refused_at === null ? {} : { refusedAt: row.refused_at }),
    ...(row.receipt === null ? {} : { receipt: JSON.parse(row.receipt) as DeliveryReceipt }),
  };
}

/** Says that the sender lives. */
export async function renewLease(
  database: Database,
  { tenant, sink, sender, leaseMs }: { tenant: string; sink: string; sender: string; leaseMs: number },
): Promise<void> {
  await database.query(
    `update deliveries set lease_until = ${leaseFor('$4')}
     where tenant = $1 and sink = $2 and sender = $3 and state = 'sending'`,
    [tenant, sink, sender, leaseMs],
  );
}

/** What becomes of one row after an attempt. */
export interface Settlement {
  readonly identifier: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly nextAttemptAt?: Date;
  /** Absent: it was not refused by itself, or the sink took it since. */
  readonly refusedAt?: Date;
  readonly alone: boolean;
  readonly unsure: boolean;
  /** Absent: the one that is there stays. */
  readonly receipt?: DeliveryReceipt;
  readonly error?: DeliveryError;
}

/**
 * Writes down what became of a batch, in one statement; rows that another server took over meanwhile are left to it.
 * A result that changed while it was sent is wanted once more.
 */
export async function settleDeliveries(
  database: Database,
  { tenant, sink, sender, now }: { tenant: string; sink: string; sender: string; now: Date },
  settlements: readonly Settlement[],
): Promise<void> {
  const column = <T>(read: (settlement: Settlement) => T): T[] => settlements.map(read);
  const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
  await database.query(
    `with settled as (
       select * from unnest($4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::bool[], $9::bool[], $10::text[], $11::text[],
           $13::timestamptz[])
         as row (identifier, state, attempts, next_attempt_at, alone, unsure, receipt, last_error, refused_at)
     ), held as (
       select identifier from deliveries
       where tenant = $1 and sink = $2 and sender = $3 and state = 'sending' and identifier = any($4)
       order by identifier for update
     )
     update deliveries as known set
       state = case when settled.state = 'pending' or known.wanted > known.claimed then 'pending' else settled.state end,
       lease_until = null,
       attempts = case when known.wanted > known.claimed and settled.state <> 'pending' then 0 else settled.attempts end,
       next_attempt_at = settled.next_attempt_at,
       refused_at = settled.refused_at,
       alone = settled.alone,
       unsure = settled.unsure,
       receipt = coalesce(settled.receipt::json, known.receipt),
       last_error = settled.last_error::json,
       attempted_at = $12,
       delivered_at = case when settled.state = 'delivered' then $12 else known.delivered_at end
     from settled join held using (identifier)
     where known.tenant = $1 and known.sink = $2 and known.identifier = settled.identifier`,
    [
      tenant,
      sink,
      sender,
      column(({ identifier }) => identifier),
      column(({ state }) => state),
      column(({ attempts }) => attempts),
      column(({ nextAttemptAt }) => nextAttemptAt?.toISOString() ?? null),
      column(({ alone }) => alone),
      column(({ unsure }) => unsure),
      column(({ receipt }) => json(receipt)),
      column(({ error }) => json(error)),
      now.toISOString(),
      column(({ refusedAt }) => refusedAt?.toISOString() ?? null),
    ],
  );
}

/** When the sink has something to do next; undefined where nothing waits for a time. */
export async function nextDue(database: Database, tenant: string, sink: string): Promise<Date | 'now' | undefined> {
  const { rows } = await database.query<{ at_once: boolean | null; due: Date | null }>(
    `select bool_or(case when state = 'pending' then next_attempt_at is null else lease_until <= clock_timestamp() end)
         as at_once,
       min(next_attempt_at) filter (where state = 'pending') as due
     from deliveries where tenant = $1 and sink = $2 and state in ('pending', 'sending')`,
    [tenant, sink],
  );
  if (rows[0]?.at_once === true) return 'now';
  return rows[0]?.due ?? undefined;
}
