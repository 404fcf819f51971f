import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const rows = 100_000;
const perPatient = 60;

/** The searches that the store makes, on 100,000 rows of which 70 % are Observations of one tenant. */
describe('the indexes of resources', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openTestDatabase();
    const { database } = opened;
    await database.query('alter table resources set (autovacuum_enabled = off)');
    await database.query(
      `insert into resources (tenant, type, id, version, last_updated, patients, date_start, codes, identifiers, body)
       select 'default', case when i % 10 < 7 then 'Observation' when i % 10 < 9 then 'Condition' else 'Encounter' end,
         'r' || i, 1, timestamptz '2026-01-01' + i * interval '1 s', array['Patient/' || i / ${perPatient}],
         timestamptz '2020-01-01' + (i * 7919 % ${rows}) * interval '1 min', array['http://loinc.org|' || i % ${perPatient}],
         array['urn:lab|' || i], '{}'
       from generate_series(0, ${rows - 1}) i`,
    );
    await vi.waitFor(
      async () => {
        // The number of rows is seen before the rest of the statistics, which come with the end of their transaction.
        const statistics = await database.query<{ n: number; columns: number }>(
          `select reltuples::int as n, (select count(*)::int from pg_stats where tablename = 'resources' and attname = 'patients')
             as columns from pg_class where oid = 'resources'::regclass`,
        );
        expect(statistics.rows).toEqual([{ n: rows, columns: 1 }]);
      },
      { timeout: 30_000 },
    );
  });
  afterAll(() => opened.close());

  const onePatient = `type = 'Observation' and patients && array['Patient/500']`;
  test.each([
    ['all Observations of a patient', 'resources_by_patient', onePatient],
    [
      'Observations by code',
      'resources_by_patient',
      `${onePatient} and codes && array['http://loinc.org|5', 'http://loinc.org|6']`,
    ],
    [
      'Observations since a date',
      'resources_by_patient',
      `${onePatient} and date_start >= '2020-02-01' order by date_start desc, id limit 101`,
    ],
    [
      'a resource by identifier',
      'resources_by_identifier',
      `type = 'Condition' and identifiers && array['urn:lab|507']`,
    ],
    ['a resource by id', 'resources_pkey', `type = 'Observation' and id = 'r500'`],
    [
      'the newest changes of a type',
      'resources_by_last_updated',
      `type = 'Observation' and last_updated > '2026-01-02T03:00:00Z' order by last_updated, id limit 51`,
    ],
  ])('answer %s through %s', async (_, index, where) => {
    const { rows: lines } = await opened.database.query<{ 'QUERY PLAN': string }>(
      `explain select body from resources where tenant = 'default' and not deleted and ${where}`,
    );
    const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
    expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
