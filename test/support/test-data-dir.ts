import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fillDataDir } from './embedded-data-dir.ts';
import { createDatabaseOnServer } from './test-database.ts';

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
    await fillDataDir(dataDir);
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
