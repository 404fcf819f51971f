import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { checksumOf, type Migration, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase, openPglite } from '../../src/platform/open-database.ts';
import { startPgliteServer } from '../../src/platform/pglite-server.ts';
import { silentLogger } from './silent-logger.ts';

export interface TestDatabase {
  readonly database: Database;
  close(): Promise<void>;
}

/**
 * A migrated, empty database of its own: PGlite in memory, or, with TEST_DATABASE_URL, a fresh database on that
 * PostgreSQL server, dropped on close. Tests assume nothing about which of the two it is.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const url = process.env.TEST_DATABASE_URL;
  const test = url === undefined ? await openInMemory(await dumpOf(allMigrations)) : await openBareDatabase();
  if (url !== undefined) await migrate(test.database, allMigrations, systemClock);
  return test;
}

/** The same without any migration. */
export async function openBareDatabase(): Promise<TestDatabase> {
  const url = process.env.TEST_DATABASE_URL;
  return url === undefined ? openInMemory(await dumpOf([])) : openFreshOnServer(url);
}

async function openInMemory(dump: string): Promise<TestDatabase> {
  const database = await openPglite(await startPgliteServer({ dump, logger: silentLogger }), silentLogger);
  return { database, close: database.close };
}

async function openFreshOnServer(url: string): Promise<TestDatabase> {
  const fresh = await createDatabaseOnServer(url);
  const database = await openDatabase({ databaseUrl: fresh.url, dataDir: tmpdir(), logger: silentLogger });
  return {
    database,
    close: async () => {
      await database.close();
      await fresh.drop();
    },
  };
}

/** An empty database of its own on a PostgreSQL server, for those who open it by its URL. */
export async function createDatabaseOnServer(url: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `fhirsight_test_${randomUUID().replaceAll('-', '')}`;
  await onServer(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => onServer(url, `drop database if exists ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const server = await openDatabase({ databaseUrl: url, dataDir: tmpdir(), logger: silentLogger });
  try {
    await server.query(statement);
  } finally {
    await server.close();
  }
}

/**
 * Creating a database takes seconds, loading one a fraction: the first test of a machine leaves a dump in the temporary
 * folder, named after the migrations, and moves it into place in one step.
 */
async function dumpOf(migrations: readonly Migration[]): Promise<string> {
  const key = checksumOf({ id: 'all', sql: migrations.map(checksumOf).join() }).slice(0, 16);
  const user = process.getuid?.() ?? 'user';
  const place = path.join(tmpdir(), `fhirsight-test-database-${user}-${key}.tar`);
  if (existsSync(place)) return place;
  const server = await startPgliteServer({ logger: silentLogger });
  const database = await openPglite(server, silentLogger);
  if (migrations.length > 0) await migrate(database, migrations, systemClock);
  await database.query('checkpoint');
  const draft = `${place}.${randomUUID()}`;
  await writeFile(draft, await server.dump(), { mode: 0o600 });
  await rename(draft, place);
  await database.close();
  return place;
}
