import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { type Migration, migrate } from './migrate.ts';
import { type DatabaseOptions, openDatabase } from './open-database.ts';

/**
 * Opens the database with all of `migrations` applied. On a PostgreSQL server they have a connection of their own, on which no
 * statement is given up: an index over a large table takes longer than any statement may take afterwards, and so does another
 * server's, for which this one waits. Throws what `openDatabase` and `migrate` throw.
 */
export async function openMigratedDatabase(
  options: DatabaseOptions,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<{ readonly database: Database; readonly applied: readonly string[] }> {
  if (options.databaseUrl === undefined) {
    const database = await openDatabase(options);
    return { database, applied: await appliedOn(database) };
  }
  const patient = await openDatabase({ ...options, timeouts: { statementMs: 0, answerMs: 0 } });
  const applied = await appliedOn(patient);
  await patient.close();
  return { database: await openDatabase(options), applied };

  async function appliedOn(database: Database): Promise<readonly string[]> {
    const started = performance.now();
    try {
      const { applied } = await migrate(database, migrations, clock);
      options.logger.event({ name: 'database.migrated', applied, migrateMs: performance.now() - started });
      return applied;
    } catch (error) {
      await database.close();
      throw error;
    }
  }
}
