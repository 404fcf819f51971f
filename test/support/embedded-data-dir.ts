import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import { checksumOf, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { silentLogger } from './silent-logger.ts';

/** Fills a folder with an embedded database that is migrated already, and otherwise empty. */
export async function fillDataDir(dataDir: string): Promise<void> {
  await cp(await migratedTemplate(), dataDir, { recursive: true });
}

/** Creating an embedded database takes seconds, copying one a fraction: the first test of a machine leaves one behind. */
async function migratedTemplate(): Promise<string> {
  const key = checksumOf({ id: 'all', sql: allMigrations.map(checksumOf).join() }).slice(0, 16);
  const place = path.join(tmpdir(), `fhirsight-test-template-${process.getuid?.() ?? 'user'}-${key}`);
  if (existsSync(place)) return place;
  const draft = `${place}.${randomUUID()}`;
  const database = await openDatabase({ dataDir: draft, logger: silentLogger });
  await migrate(database, allMigrations, systemClock);
  await database.query('checkpoint');
  await database.close();
  // Another test may have been faster; its template is as good.
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true, force: true });
  });
  return place;
}
