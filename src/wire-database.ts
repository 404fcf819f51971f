import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import type { Logger } from './platform/logger.ts';
import { migrate } from './platform/migrate.ts';
import { allMigrations } from './platform/migrations/all-migrations.ts';
import { openDatabase } from './platform/open-database.ts';

/** The database with every migration applied. */
export async function openMigrated(
  config: Config,
  clock: Clock,
  logger: Logger,
  opened: (close: () => Promise<void>) => void,
): Promise<Database> {
  const { databaseUrl, dataDir } = config;
  const database = await openDatabase({ dataDir, logger, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  opened(() => database.close());
  const migrateStarted = performance.now();
  const { applied } = await migrate(database, allMigrations, clock);
  logger.event({ name: 'database.migrated', applied, migrateMs: performance.now() - migrateStarted });
  return database;
}
