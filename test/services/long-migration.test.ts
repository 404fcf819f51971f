import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import type { Migration } from '../../src/platform/migrate.ts';
import { openMigratedDatabase } from '../../src/platform/open-migrated-database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createDatabaseOnServer } from '../support/test-database.ts';

let fresh: Awaited<ReturnType<typeof createDatabaseOnServer>>;
beforeAll(async () => {
  fresh = await createDatabaseOnServer(process.env.TEST_DATABASE_URL ?? '');
});
afterAll(() => fresh.drop());

const lasting: Migration = { id: '0001-lasting', sql: 'create table kept (n integer); select pg_sleep(0.9)' };
const timeouts = { statementMs: 300, answerMs: 500 };

test('a migration that lasts longer than any other statement may is applied, also while a second server waits for it', async () => {
  const options = { databaseUrl: fresh.url, dataDir: tmpdir(), logger: silentLogger, timeouts };
  const servers = await Promise.all([
    openMigratedDatabase(options, [lasting], systemClock),
    openMigratedDatabase(options, [lasting], systemClock),
  ]);
  try {
    expect(servers.flatMap(({ applied }) => applied)).toEqual([lasting.id]);
    for (const { database } of servers) {
      expect((await database.query('select n from kept')).rows).toEqual([]);
      // What comes afterwards is given up as ever.
      await expect(database.query('select pg_sleep(0.9)')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
  } finally {
    await Promise.all(servers.map(({ database }) => database.close()));
  }
});

test('a time limit of the role or of the database does not hold for migrations', async () => {
  const url = new URL(fresh.url);
  url.searchParams.set('options', '-c statement_timeout=300');
  const options = { databaseUrl: url.href, dataDir: tmpdir(), logger: silentLogger };
  const later = { id: '0002-later', sql: 'select pg_sleep(0.9)' };
  const { database, applied } = await openMigratedDatabase(options, [lasting, later], systemClock);
  await database.close();
  expect(applied).toEqual([later.id]);
});
