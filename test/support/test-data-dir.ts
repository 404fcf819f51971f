import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import { checksumOf, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { createDatabaseOnServer, silentLogger } from './test-database.ts';

/** Where a server keeps what it stores, longer than the server itself lives. */
export interface TestDataDir {
  /** DATA_DIR, and DATABASE_URL where TEST_DATABASE_URL is set. */
  readonly settings: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/**
 * An empty place for one server after another: a folder with an embedded database that is migrated already, or, with
 * TEST_DATABASE_URL, an empty database on that PostgreSQL server beside an empty folder.
 */
export async function createTestDataDir(): Promise<TestDataDir> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-test-data-'));
  const removeFolder = () => rm(dataDir, { recursive: true, force: true });
  const server = process.env.TEST_DATABASE_URL;
  if (server === undefined) {
    await cp(await migratedTemplate(), dataDir, { recursive: true });
    return { settings: { DATA_DIR: dataDir }, remove: removeFolder };
  }
  const database = await createDatabaseOnServer(server);
  return {
    settings: { DATA_DIR: dataDir, DATABASE_URL: database.url },
    remove: async () => {
      await database.drop();
      await removeFolder();
    },
  };
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
