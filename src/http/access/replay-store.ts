import { hash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/database.ts';
import { databaseErrorCode } from '../../platform/database-error.ts';
import type { LogEvent } from '../../platform/events.ts';
import { createGroupWriter, type GroupReceipt } from '../../platform/group-writer.ts';

/** What tells one token from all others of all clients, and until when it must be remembered. */
export interface UsedToken {
  readonly issuer: string;
  readonly tenant?: string;
  readonly jti: string;
  /** When nobody takes it any more, clock skew included. */
  readonly expiresAt: Date;
}

/** Remembers in the database which tokens were let in: every server on it refuses them from then on. */
export interface ReplayStore {
  /** True for one caller only, ever, however many try at once. Rejects where the database does not answer. */
  use(token: UsedToken): Promise<boolean>;
  close(): Promise<void>;
}

export interface ReplayStoreOptions {
  readonly database: Sql;
  /** For removing what has expired, which can wait. */
  readonly background: Sql;
  /** Of this server, that every row belongs to. */
  readonly tenant: string;
  readonly clock: Clock;
  readonly event: (event: LogEvent) => void;
}

interface Row {
  /** SHA-256 in hex. */
  readonly token: string;
  readonly keptUntil: Date;
}

/** Deadlock, serialization failure: nothing of the statement is kept, and it may be sent once more. */
const conflicts: ReadonlySet<string> = new Set(['40P01', '40001']);

const maxRows = 500;
/** How often rows that have expired are removed, at most, in milliseconds. */
const pruneEveryMs = 60_000;
/** Rows stay for so much longer, in milliseconds: the clock of another server on this database may be behind. */
const keptLongerMs = 60_000;

export function createReplayStore({ database, background, tenant, clock, event }: ReplayStoreOptions): ReplayStore {
  let prunedMs = Number.NEGATIVE_INFINITY;
  let pruning: Promise<void> = Promise.resolve();
  const prune = async (): Promise<void> => {
    try {
      const before = new Date(clock.now().getTime() - keptLongerMs);
      await background.query('delete from cds_replay where tenant = $1 and kept_until < $2', [tenant, before]);
    } catch (error) {
      event({ name: 'cds-replay.prune-failed', error });
    }
  };
  const writer = createGroupWriter<Row, boolean>((rows) => insert(database, tenant, rows), { maxItems: maxRows });
  return {
    async use({ issuer, tenant: claimed = null, jti, expiresAt }) {
      const token = hash('sha256', JSON.stringify([issuer, claimed, jti]));
      const isNew = await writer.write({ token, keptUntil: expiresAt });
      const nowMs = clock.now().getTime();
      if (nowMs - prunedMs >= pruneEveryMs) {
        prunedMs = nowMs;
        pruning = prune();
      }
      return isNew;
    },
    async close() {
      await writer.close();
      await pruning;
    },
  };
}

/** One statement: whoever comes second, here or at another server, finds the row there. */
async function insert(sql: Sql, tenant: string, rows: readonly Row[]): Promise<GroupReceipt<boolean>[]> {
  // In one order at every server: else two that insert the same tokens wait for each other.
  const sorted = rows.toSorted((one, other) => (one.token < other.token ? -1 : one.token > other.token ? 1 : 0));
  const added = await insertRows(sql, tenant, sorted).catch((error: unknown) => {
    if (!conflicts.has(databaseErrorCode(error) ?? '')) throw error;
    return insertRows(sql, tenant, sorted);
  });
  // Of several with one token in a group the first was inserted.
  const free = new Set(added.map(({ token }) => token));
  return rows.map(({ token }) => ({ receipt: free.delete(token) }));
}

async function insertRows(sql: Sql, tenant: string, rows: readonly Row[]): Promise<readonly { token: string }[]> {
  const { rows: added } = await sql.query<{ token: string }>(
    `insert into cds_replay (tenant, token, kept_until)
     select $1, decode(token, 'hex'), kept_until from unnest($2::text[], $3::timestamptz[]) as used (token, kept_until)
     on conflict (tenant, token) do nothing
     returning encode(token, 'hex') as token`,
    [tenant, rows.map(({ token }) => token), rows.map(({ keptUntil }) => keptUntil)],
  );
  return added;
}
