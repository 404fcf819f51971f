import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { Database } from './database.ts';
import { toDatabaseError } from './database-error.ts';
import { PredictionError } from './errors.ts';
import type { Logger } from './logger.ts';
import { type PgliteServer, startPgliteServer } from './pglite-server.ts';
import { createPooledDatabase, rawJsonTypes } from './pooled-database.ts';
import { createStatisticsUpkeep } from './statistics-upkeep.ts';

const connectTimeoutMs = 10_000;
const usualTimeouts: StatementTimeouts = { statementMs: 60_000, answerMs: 60_000 + connectTimeoutMs };
/** A server that stands still in the middle of a transaction lets go of its locks; no transaction waits for anything but the database. */
const idleInTransactionTimeoutMs = 10_000;

export interface DatabaseOptions {
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly logger: Logger;
  /** Of a PostgreSQL server; absent: those of every request. */
  readonly timeouts?: StatementTimeouts;
}

/** When a statement is given up; 0: never. */
export interface StatementTimeouts {
  /** By the server. */
  readonly statementMs: number;
  /** By this client, of a server that does not even say that it gave up. */
  readonly answerMs: number;
}

/**
 * Opens the PostgreSQL server that `databaseUrl` names, or else an embedded PGlite in `dataDir`/database. The
 * schema is not touched: see `openMigratedDatabase`. Throws DATABASE_UNAVAILABLE or STORAGE_FULL.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.databaseUrl !== undefined)
    return openPostgresql(options.databaseUrl, options.logger, options.timeouts ?? usualTimeouts);
  const startedAt = performance.now();
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const { logger } = options;
  const server = await startPgliteServer({ folder: path.join(options.dataDir, 'database'), logger });
  return openPglite(server, logger, startedAt);
}

/**
 * PGlite is one session, whatever number of sockets lead to it, and the statements of two connections would interleave between
 * parse and bind: so there is one connection, and what is asked at the same time waits for it in order.
 */
export async function openPglite(
  server: PgliteServer,
  logger: Logger,
  startedAt: number = performance.now(),
): Promise<Database> {
  const pool = new pg.Pool({
    ...server.connection(),
    user: 'postgres',
    database: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    types: rawJsonTypes,
  });
  const database: Database = createPooledDatabase({
    kind: 'pglite',
    pool,
    logger,
    beforeConnect: server.ensureRunning,
    onStatement: createStatisticsUpkeep(() => keepPgliteUp(database, logger)),
    onPanic: server.abandon, // PGlite does not end after a panic, it spins
    afterClose: server.close,
  });
  return opened(database, pool, logger, startedAt);
}

async function openPostgresql(databaseUrl: string, logger: Logger, timeouts: StatementTimeouts): Promise<Database> {
  const startedAt = performance.now();
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 10,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: timeouts.statementMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    query_timeout: timeouts.answerMs,
    keepAlive: true,
    application_name: 'fhirsight',
    types: rawJsonTypes,
  });
  const database: Database = createPooledDatabase({
    kind: 'postgresql',
    pool,
    logger,
    onStatement: createStatisticsUpkeep(() =>
      reported(logger, async () => void (await database.background.query('analyze'))),
    ),
  });
  return opened(database, pool, logger, startedAt);
}

/**
 * A connection that breaks, idle or between two statements of a transaction, is replaced at the next use; without a
 * listener on each the process would end.
 */
async function opened(database: Database, pool: pg.Pool, logger: Logger, startedAt: number): Promise<Database> {
  pool.on('connect', (client) => {
    client.on('error', (error) => logger.event({ name: 'database.connection-lost', kind: database.kind, error }));
  });
  pool.on('error', () => undefined); // the same error again
  try {
    await database.query('select 1');
  } catch (error) {
    await database.close();
    const mapped = toDatabaseError(error);
    if (mapped instanceof PredictionError) throw mapped;
    throw new PredictionError(
      'DATABASE_UNAVAILABLE',
      'The database refuses the connection: check user, password, database name and TLS settings in DATABASE_URL.',
      { cause: error },
    );
  }
  logger.event({ name: 'database.opened', kind: database.kind, openMs: Math.round(performance.now() - startedAt) });
  return database;
}

/**
 * Only the tables that have changed since: half of what they hold for the statistics, a fifth of it dead for what a
 * server's autovacuum cleans up. One table after the other, and from small samples: nobody is answered while PGlite
 * reads one. What waits comes in between.
 */
async function keepPgliteUp({ background }: Database, logger: Logger): Promise<void> {
  await reported(logger, async () => {
    await background.query('select pg_stat_force_next_flush()');
    const { rows } = await background.query<{ name: string; dead: boolean }>(
      `select name, dead from (
         select format('%I.%I', schemaname, stat.relname) as name,
           n_mod_since_analyze > 50 + 0.5 * n_live_tup as changed,
           n_dead_tup > 50 + 0.2 * n_live_tup or age(relfrozenxid) > 100000000 as dead
         from pg_stat_user_tables stat join pg_class on pg_class.oid = stat.relid
       ) as tables where changed or dead order by name`,
    );
    await background.query('set default_statistics_target = 10');
    for (const { name, dead } of rows) await background.query(`${dead ? 'vacuum (analyze)' : 'analyze'} ${name}`);
  });
}

/** Searches stay right without statistics, only slow: a failure is logged and nothing else. */
async function reported(logger: Logger, refresh: () => Promise<void>): Promise<void> {
  try {
    await refresh();
  } catch (error) {
    logger.event({ name: 'database.statistics-failed', error });
  }
}
