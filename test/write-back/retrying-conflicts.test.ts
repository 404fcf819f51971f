import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import type { OpenResultStore } from '../../src/write-back/result-store.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { outcomeBase, resourcesOf, scoredRecord } from '../support/outcome-record.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { writeResult } from '../support/write-result.ts';

const validator = createResourceValidator();
let opened: TestDatabase;
let database: Database;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  for (const table of ['outcomes', 'resources', 'resource_versions']) await database.query(`delete from ${table}`);
});
afterAll(() => opened.close());

/** A store in which the database itself ends the first transactions, at the last thing that they write. */
function endedTransactions(code: string, count: number): { readonly open: OpenResultStore; attempts(): number } {
  let attempts = 0;
  return {
    attempts: () => attempts,
    open: (sql, tenant) => {
      const options = { baseUrl: outcomeBase, clock: systemClock, newId: randomUUID, timeZone: 'UTC', validator };
      const store = openSqlResultStore(options, sql, tenant);
      return {
        ...store,
        async insert(drafts) {
          attempts += 1;
          await store.insert(drafts);
          if (attempts <= count)
            await sql.query(`do $$ begin raise exception 'ended' using errcode = '${code}'; end $$`);
        },
      };
    },
  };
}

async function stored(): Promise<string[]> {
  const { rows } = await database.query<{ type: string }>('select type from resources order by type');
  return rows.map(({ type }) => type);
}

const made = scoredRecord('a');

test.each(['40P01', '40001'])(
  'a result whose transaction the database ends with %s three times is written once by the fourth',
  async (code) => {
    const { open, attempts } = endedTransactions(code, 3);
    const { created, repeated } = await writeResult(database, open, made, resourcesOf(made));
    expect({ created, repeated, attempts: attempts() }).toEqual({ created: true, repeated: false, attempts: 4 });
    expect(await stored()).toEqual(['Device', 'Provenance', 'RiskAssessment']);
  },
);

test('a transaction that is ended every time is WRITE_REJECTED, and nothing is kept', async () => {
  const { open, attempts } = endedTransactions('40P01', Number.POSITIVE_INFINITY);
  await expect(writeResult(database, open, made, resourcesOf(made))).rejects.toMatchObject({ code: 'WRITE_REJECTED' });
  expect(attempts()).toBe(4);
  expect(await stored()).toEqual([]);
  expect((await database.query('select 1 from outcomes')).rows).toEqual([]);
});

test('another failure of the database is not repeated', async () => {
  const { open, attempts } = endedTransactions('23505', 1);
  await expect(writeResult(database, open, made, resourcesOf(made))).rejects.toMatchObject({ code: '23505' });
  expect(attempts()).toBe(1);
});
