import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { lockGroups } from '../../src/write-back/outcome-table.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { writeResults } from '../../src/write-back/write-results.ts';
import { outcomeBase, scoredRecord } from '../support/outcome-record.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createDatabaseOnServer } from '../support/test-database.ts';

let fresh: Awaited<ReturnType<typeof createDatabaseOnServer>>;
let frozen: Database;
let living: Database;

const openOne = () => openDatabase({ databaseUrl: fresh.url, dataDir: tmpdir(), logger: silentLogger });
beforeAll(async () => {
  fresh = await createDatabaseOnServer(process.env.TEST_DATABASE_URL ?? '');
  [frozen, living] = await Promise.all([openOne(), openOne()]);
  await migrate(living, allMigrations, systemClock);
});
afterAll(async () => {
  await Promise.all([frozen.close(), living.close()]);
  await fresh.drop();
});

const validator = createResourceValidator();
const store = { baseUrl: outcomeBase, clock: systemClock, newId: randomUUID, timeZone: 'UTC', validator };
const write = (...records: ReturnType<typeof scoredRecord>[]) =>
  writeResults(
    living,
    (sql, tenant) => openSqlResultStore(store, sql, tenant),
    records.map((record) => ({ record })),
    { sinks: [] },
  );

test('a server that stands still in a write stops nobody but its patient, and that one for ten seconds', async () => {
  const locked = scoredRecord('a', { subjectId: 'locked' });
  const others = Array.from({ length: 7 }, (_, number) => scoredRecord('b', { subjectId: `p${number}` }));
  const holds = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const standing = frozen.transaction(async (sql) => {
    await lockGroups(sql, [locked]);
    holds.resolve();
    await goesOn.promise;
    await sql.query('select 1');
  });
  standing.catch(() => undefined); // looked at below
  await holds.promise;
  const started = performance.now();
  const together = await write(...others.slice(0, 3), locked, ...others.slice(3));
  expect(together.map((one) => ('error' in one ? one.error : 'kept'))).toEqual([
    ...others.slice(0, 3).map(() => 'kept'),
    expect.objectContaining({ code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('Send it again') }),
    ...others.slice(3).map(() => 'kept'),
  ]);
  let again = await write(locked);
  while (again.some((one) => 'error' in one)) again = await write(locked);
  const seconds = (performance.now() - started) / 1_000;
  expect(seconds).toBeGreaterThan(5);
  expect(seconds).toBeLessThan(15);
  goesOn.resolve();
  await expect(standing).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect((await frozen.query('select 1')).rowCount).toBe(1);
});
