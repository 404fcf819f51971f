import { createHash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Database, Sql } from './database.ts';
import { PredictionError } from './errors.ts';

/** One step of the schema: the same SQL for PGlite and PostgreSQL, several statements allowed. */
export interface Migration {
  /** Four digits, a dash and a name; the order of the digits is the order of application. */
  readonly id: string;
  readonly sql: string;
}

/** Any number that no other program uses for an advisory lock in the same database. */
const advisoryLockKey = 7_041_992_318;

/**
 * Brings the database to the schema of `migrations` and returns the ids applied now.
 *
 * All that is pending is applied in one transaction under an advisory lock: two servers that start at once
 * apply each migration once, and a failure leaves the database as it was. The database gives no statement up meanwhile, however
 * long it takes; that the client does not either, `database` must have been opened for. Throws DATABASE_UNAVAILABLE when an
 * applied migration's text has changed since, or when the database holds one that this program does not know.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<{ readonly applied: readonly string[] }> {
  return database.transaction(async (sql) => {
    await sql.query('set local statement_timeout = 0'); // whatever the role or the database has
    await sql.query(`select pg_advisory_xact_lock(${advisoryLockKey})`);
    await sql.query(
      'create table if not exists migrations (id text primary key, checksum text not null, applied_at timestamptz not null)',
    );
    const pending = migrations.slice(await countApplied(sql, migrations));
    for (const migration of pending) {
      await sql.query(migration.sql);
      await sql.query('insert into migrations (id, checksum, applied_at) values ($1, $2, $3)', [
        migration.id,
        checksumOf(migration),
        clock.now(),
      ]);
    }
    return { applied: pending.map(({ id }) => id) };
  });
}

/** Checks that what is applied is the beginning of `migrations`, unchanged, and says how long that beginning is. */
async function countApplied(sql: Sql, migrations: readonly Migration[]): Promise<number> {
  const { rows } = await sql.query<{ id: string; checksum: string }>(
    'select id, checksum from migrations order by id collate "C"',
  );
  for (const [index, row] of rows.entries()) {
    const known = migrations[index];
    if (known === undefined || known.id !== row.id) {
      throw new PredictionError(
        'DATABASE_UNAVAILABLE',
        `The database was migrated by another release of fhirsight: it holds the migration ${row.id}, where this program ` +
          `knows ${known?.id ?? 'none'}. Start the release that wrote it, or a later one, or use another DATA_DIR or DATABASE_URL.`,
      );
    }
    if (row.checksum !== checksumOf(known)) {
      throw new PredictionError(
        'DATABASE_UNAVAILABLE',
        `The migration ${row.id} was applied to the database with another text than this program holds. A released ` +
          'migration must never change: restore its text and put the correction into a new migration.',
      );
    }
  }
  return rows.length;
}

/** SHA-256 of the migration's text, by which a later change is noticed. */
export function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}
