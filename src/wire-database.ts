import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import type { Logger } from './platform/logger.ts';
import { allMigrations } from './platform/migrations/all-migrations.ts';
import { openMigratedDatabase } from './platform/open-migrated-database.ts';

/** The database with every migration applied. */
export async function openMigrated(
  { databaseUrl, dataDir }: Config,
  clock: Clock,
  logger: Logger,
  opened: (close: () => Promise<void>) => void,
): Promise<Database> {
  const options = { dataDir, logger, ...(databaseUrl === undefined ? {} : { databaseUrl }) };
  const { database } = await openMigratedDatabase(options, allMigrations, clock);
  opened(() => database.close());
  return database;
}
