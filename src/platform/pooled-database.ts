import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Database, Sql } from './database.ts';
import { breaksConnection, isUnavailable, toDatabaseError } from './database-error.ts';
import { PredictionError } from './errors.ts';
import type { Lane } from './lane-queue.ts';
import { createLanes } from './lanes.ts';
import type { Logger } from './logger.ts';

const jsonOid = 114;
const finishTimeoutMs = 10_000;
const disconnectTimeoutMs = 1_000;

/** `json` columns are returned as their raw text: a resource is stored and sent without being parsed. */
export const rawJsonTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === jsonOid ? (text: string) => text : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** What a statement did, for the upkeep of the statistics. */
export interface FinishedStatement {
  readonly command: string;
  readonly rowCount: number;
}

export interface PooledDatabaseOptions {
  readonly kind: Database['kind'];
  readonly pool: pg.Pool;
  /** Runs before a connection is taken; throws what makes that impossible. */
  readonly beforeConnect?: () => Promise<void>;
  /** Runs after every statement whose effect is kept. */
  readonly onStatement?: (statement: FinishedStatement) => void;
  /** Runs when the engine reports that it cannot go on (PANIC or FATAL). */
  readonly onPanic?: () => Promise<void>;
  readonly logger: Logger;
  /** Runs once the pool is closed. */
  readonly afterClose?: () => Promise<void>;
}

/**
 * The Database over a pool of connections. A statement of the database itself inside one of its own transactions would
 * wait for the connection that the transaction holds, and would not be part of it: it is refused as the bug it is.
 */
export function createPooledDatabase(options: PooledDatabaseOptions): Database {
  const { pool, kind } = options;
  const insideTransaction = new AsyncLocalStorage<{ open: boolean }>();
  const lanes = createLanes(pool.options.max);
  const connect = async (lane: Lane): Promise<{ client: pg.PoolClient; release(broken: boolean): void }> => {
    if (insideTransaction.getStore()?.open) {
      throw new PredictionError(
        'INTERNAL',
        'A statement of the database was sent inside one of its transactions: use the Sql that the transaction hands over.',
      );
    }
    const leave = await lanes.enter(lane);
    try {
      await options.beforeConnect?.();
      const client = await pool.connect();
      const release = (broken: boolean): void => {
        client.release(broken);
        leave();
      };
      return { client, release };
    } catch (error) {
      leave();
      throw toDatabaseError(error);
    }
  };
  const runOn = async (client: pg.PoolClient, text: string, values?: readonly unknown[]) => {
    try {
      const answer: pg.QueryResult | pg.QueryResult[] = await client.query(text, values as unknown[] | undefined);
      const results = Array.isArray(answer) ? answer : [answer];
      const last = results.at(-1);
      return {
        rows: last?.rows ?? [],
        rowCount: last?.rowCount ?? 0,
        finished: results.map(({ command, rowCount }) => ({ command, rowCount: rowCount ?? 0 })),
      };
    } catch (error) {
      if (error instanceof pg.DatabaseError && /^(PANIC|FATAL)$/.test(error.severity ?? '')) await options.onPanic?.();
      throw toDatabaseError(error);
    }
  };
  const report = (finished: readonly FinishedStatement[]) =>
    insideTransaction.exit(() => {
      for (const statement of finished) options.onStatement?.(statement);
    });
  const inFlight = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const tracked = async <T>(operation: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) throw new PredictionError('SHUTTING_DOWN', 'The database is closed.');
    const running = operation();
    inFlight.add(running);
    try {
      return await running;
    } finally {
      inFlight.delete(running);
    }
  };
  const runAlone = async (lane: Lane, text: string, values?: readonly unknown[]) => {
    const { client, release } = await connect(lane);
    let failure: unknown;
    try {
      const result = await runOn(client, text, values);
      report(result.finished);
      return result;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      release(breaksConnection(failure));
    }
  };
  const runTransaction = async <T>(lane: Lane, begin: string, work: (sql: Sql) => Promise<T>): Promise<T> => {
    const { client, release } = await connect(lane);
    const state = { open: true };
    let broken = false;
    const finished: FinishedStatement[] = [];
    let lastStatement: Promise<unknown> = Promise.resolve();
    const sql: Sql = {
      async query<Row>(text: string, values?: readonly unknown[]) {
        if (!state.open) {
          throw new PredictionError('INTERNAL', 'A statement was sent to a transaction that has already ended.');
        }
        const statement = lastStatement.then(() => runOn(client, text, values));
        lastStatement = statement.catch(() => undefined); // the caller has the error
        const { rows, rowCount, finished: parts } = await statement;
        finished.push(...parts);
        return { rows: rows as Row[], rowCount };
      },
    };
    try {
      await runOn(client, begin);
      const result = await insideTransaction.run(state, () => work(sql));
      state.open = false;
      await lastStatement;
      const commit = await runOn(client, 'commit');
      if (commit.finished[0]?.command !== 'COMMIT') throw swallowedFailure();
      report(finished);
      return result;
    } catch (error) {
      state.open = false;
      await lastStatement;
      broken = breaksConnection(error);
      if (!isUnavailable(error)) {
        await runOn(client, 'rollback').catch(() => {
          broken = true; // the connection is closed, which ends the transaction too
        });
      }
      throw error;
    } finally {
      release(broken);
    }
  };
  /** Waits for what is under way, but not for ever: a transaction that never ends must not hold up the exit. */
  const close = async (): Promise<void> => {
    if ((await within(finishTimeoutMs, Promise.allSettled(inFlight))) === 'timeout') {
      options.logger.event({ name: 'database.close-timed-out', waitedMs: finishTimeoutMs });
    }
    await within(disconnectTimeoutMs, pool.end());
    await options.afterClose?.();
    options.logger.event({ name: 'database.closed', kind });
  };
  const inLane = (lane: Lane): Omit<Database, 'background'> => ({
    kind,
    async query<Row>(text: string, values?: readonly unknown[]) {
      const { rows, rowCount } = await tracked(() => runAlone(lane, text, values));
      return { rows: rows as Row[], rowCount };
    },
    transaction: (work) => tracked(() => runTransaction(lane, 'begin', work)),
    snapshot: (work) => tracked(() => runTransaction(lane, 'begin isolation level repeatable read, read only', work)),
    close() {
      closing ??= close();
      return closing;
    },
  });
  const background: Database = {
    ...inLane('back'),
    get background() {
      return background;
    },
  };
  return { ...inLane('front'), background };
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<'done' | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'timeout');
  });
  try {
    return await Promise.race([work.then(() => 'done' as const), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The server answers ROLLBACK to a commit after a failed statement: the work went on as if it had not failed. */
function swallowedFailure(): PredictionError {
  return new PredictionError(
    'INTERNAL',
    'A transaction was rolled back at its commit, because one of its statements had failed and the failure was swallowed.',
  );
}
