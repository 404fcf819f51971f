import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import { enqueueDeliveries } from '../../../src/write-back/sinks/enqueue-deliveries.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let opened: TestDatabase;
let database: Database;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(async () => {
  await database.query('delete from deliveries');
});
afterAll(() => opened.close());

const changed = (...identifiers: string[]) =>
  identifiers.map((identifier) => ({
    identifier,
    resourceId: `ra-${identifier}`,
    resourceType: 'RiskAssessment' as const,
  }));

async function rows() {
  const found = await database.query(
    'select sink, identifier, resource_id, state, wanted, attempts, next_attempt_at from deliveries order by sink, identifier',
  );
  return found.rows;
}

test('every result is wanted at every sink, once however often it is named', async () => {
  await enqueueDeliveries(database, 'default', ['b', 'a', 'a'], changed('r1', 'r2', 'r1'));
  expect(await rows()).toMatchObject([
    { sink: 'a', identifier: 'r1', resource_id: 'ra-r1', state: 'pending', wanted: 1 },
    { sink: 'a', identifier: 'r2' },
    { sink: 'b', identifier: 'r1' },
    { sink: 'b', identifier: 'r2' },
  ]);
});

test('without sinks or results nothing is asked of the database', async () => {
  const refusing = { query: () => Promise.reject(new Error('asked')) };
  await enqueueDeliveries(refusing, 'default', [], changed('r1'));
  await enqueueDeliveries(refusing, 'default', ['a'], []);
});

test('what is not kept is not wanted: the rows go with the transaction', async () => {
  const failing = database.transaction(async (sql) => {
    await enqueueDeliveries(sql, 'default', ['a'], changed('r1'));
    throw new Error('synthetic');
  });
  await expect(failing).rejects.toThrow('synthetic');
  expect(await rows()).toEqual([]);
});

test.each([
  ['delivered', 'pending', 4],
  ['dead', 'pending', 0],
  ['pending', 'pending', 4],
])('a change of a result that is %s makes it %s', async (before, after, attempts) => {
  await enqueueDeliveries(database, 'default', ['a'], changed('r1'));
  await database.query(`update deliveries set state = $1, attempts = 4`, [before]);
  await enqueueDeliveries(database, 'default', ['a'], changed('r1'));
  expect(await rows()).toMatchObject([{ state: after, wanted: 2, attempts }]);
});

test('a change shortens no pause, and a result that is being sent stays with its sender', async () => {
  await enqueueDeliveries(database, 'default', ['a', 'b'], changed('r1'));
  const due = new Date('2030-01-01T00:00:00Z');
  await database.query(`update deliveries set next_attempt_at = $1 where sink = 'a'`, [due.toISOString()]);
  await database.query(`update deliveries set state = 'sending', lease_until = $1 where sink = 'b'`, [
    due.toISOString(),
  ]);
  await enqueueDeliveries(database, 'default', ['a', 'b'], changed('r1'));
  expect(await rows()).toMatchObject([
    { state: 'pending', next_attempt_at: due },
    { state: 'sending', wanted: 2 },
  ]);
});
