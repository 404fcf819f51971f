import { cp } from 'node:fs/promises';
import { systemClock } from '../../src/platform/clock.ts';
import { checksumOf, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { keptFolder } from './kept-folder.ts';
import { silentLogger } from './silent-logger.ts';

/** Fills a folder with an embedded database that is migrated already, and otherwise empty. */
export async function fillDataDir(dataDir: string): Promise<void> {
  await cp(await migratedTemplate(), dataDir, { recursive: true });
}

/** Creating an embedded database takes seconds, copying one a fraction. */
async function migratedTemplate(): Promise<string> {
  const key = checksumOf({ id: 'all', sql: allMigrations.map(checksumOf).join() }).slice(0, 16);
  return await keptFolder('template', key, async (folder) => {
    const database = await openDatabase({ dataDir: folder, logger: silentLogger });
    await migrate(database, allMigrations, systemClock);
    await database.query('checkpoint');
    await database.close();
  });
}
