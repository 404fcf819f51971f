import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { checksumOf, type Migration, migrate } from '../../src/platform/migrate.ts';
import { allMigrations } from '../../src/platform/migrations/all-migrations.ts';
import { keptKey, keptRequest } from '../../src/runs/idempotency.ts';
import { openBareDatabase, type TestDatabase } from '../support/test-database.ts';

const clock: Clock = { now: () => new Date('2026-03-01T10:00:00Z') };
const animals: Migration = {
  id: '0001-animals',
  sql: 'create table animals (id integer primary key); insert into animals values (1)',
};
const names: Migration = { id: '0002-names', sql: "alter table animals add name text not null default 'cat'" };
const broken: Migration = { id: '0003-broken', sql: 'create table half (id integer); select * from nowhere' };

describe('migrate', () => {
  let opened: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    opened = await openBareDatabase();
    database = opened.database;
  });
  afterEach(() => opened.close());

  test('applies what is pending in order, once, and remembers it', async () => {
    expect(await migrate(database, [animals], clock)).toEqual({ applied: ['0001-animals'] });
    expect(await migrate(database, [animals, names], clock)).toEqual({ applied: ['0002-names'] });
    expect(await migrate(database, [animals, names], clock)).toEqual({ applied: [] });
    expect((await database.query('select * from animals')).rows).toEqual([{ id: 1, name: 'cat' }]);
    expect((await database.query('select * from migrations order by id')).rows).toEqual([
      { id: '0001-animals', checksum: checksumOf(animals), applied_at: clock.now() },
      { id: '0002-names', checksum: checksumOf(names), applied_at: clock.now() },
    ]);
  });

  test('leaves the database as it was when one of several fails', async () => {
    await migrate(database, [animals], clock);
    await expect(migrate(database, [animals, names, broken], clock)).rejects.toThrow('nowhere');
    expect((await database.query('select * from animals')).rows).toEqual([{ id: 1 }]);
    expect(await migrate(database, [animals, names], clock)).toEqual({ applied: ['0002-names'] });
  });

  test('applies each migration once when two servers start at once', async () => {
    const both = await Promise.all([
      migrate(database, [animals, names], clock),
      migrate(database, [animals, names], clock),
    ]);
    expect(both.flatMap(({ applied }) => applied).sort()).toEqual(['0001-animals', '0002-names']);
  });

  test('refuses a database whose applied migration has another text now', async () => {
    await migrate(database, [animals], clock);
    const changed = { ...animals, sql: `${animals.sql};` };
    await expect(migrate(database, [changed, names], clock)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('0001-animals'),
    });
    expect((await database.query('select * from animals')).rows).toEqual([{ id: 1 }]);
  });

  test('refuses a database that a later release has migrated', async () => {
    await migrate(database, [animals, names], clock);
    await expect(migrate(database, [animals], clock)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('0002-names'),
    });
  });
});

/** What the run in `rowsAfter` was asked with. */
const askedBefore = '["prevent-base",null,{"all":true},null,true,true]';

/** One row of every table, as the release that introduced the table wrote it; never changed afterwards. */
const rowsAfter: Readonly<Record<string, readonly { table: string; row: Record<string, unknown> }[]>> = {
  '0001-resources-and-outcomes': [
    {
      table: 'resources',
      row: {
        tenant: 'default',
        type: 'Observation',
        id: 'o1',
        version: 2,
        deleted: false,
        last_updated: new Date('2026-01-02T03:04:05.678Z'),
        patients: ['Patient/17'],
        encounter: 'Encounter/3',
        date_start: new Date('2026-01-01T00:00:00Z'),
        date_end: new Date('2026-01-02T00:00:00Z'),
        status: 'final',
        codes: ['http://loinc.org|2160-0'],
        categories: ['laboratory'],
        identifiers: ['urn:lab|7'],
        body: '{"resourceType":"Observation",  "id":"o1"}',
      },
    },
    {
      table: 'resource_versions',
      row: {
        tenant: 'default',
        type: 'Observation',
        id: 'o1',
        version: 1,
        deleted: false,
        last_updated: new Date('2026-01-01T03:04:05.678Z'),
        body: '{"resourceType":"Observation",  "id":"o1"}',
      },
    },
    {
      table: 'outcomes',
      row: {
        identifier: 'abc',
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        subject_id: '17',
        encounter_id: '',
        model_id: 'prevent-base',
        model_version: '1.0.0',
        model_digest: '00ff',
        as_of: new Date('2026-01-01T00:00:00Z'),
        computed_at: new Date('2026-01-01T00:00:01Z'),
        valid_until: new Date('2027-01-01T00:00:00Z'),
        state: 'scored',
        what_if: false,
        verdicts: '[]',
        scores: '{"total-cvd-10y":0.147}',
        resource_id: 'r1',
        superseded_by: null,
        superseded_at: null,
      },
    },
    { table: 'settings_kv', row: { tenant: 'default', key: 'sample-loaded', value: 'true' } },
  ],
  '0002-prediction-log': [
    {
      table: 'prediction_log',
      row: {
        id: '00000000-0000-4000-8000-000000000001',
        tenant: 'default',
        recorded: new Date('2026-02-01T00:00:00Z'),
        entrance: 'cds-hooks',
        request_id: 'q1',
        user_ref: 'Practitioner/1',
        card: '00000000-0000-4000-8000-000000000002',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        subject_id: '17',
        result: 'abc',
        state: 'scored',
        what_if: false,
        scores: '{"total-cvd-10y":0.147}',
        input_references: '["Observation/o1/_history/2"]',
        total_ms: 3.5,
      },
    },
  ],
  '0003-runs': [
    {
      table: 'runs',
      row: {
        id: '00000000-0000-4000-8000-000000000003',
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        model_id: 'prevent-base',
        model_version: '1.0.0',
        model_digest: '00ff',
        cohort: '{"all":true}',
        as_of: new Date('2026-02-01T00:00:00Z'),
        write_back: true,
        explain: true,
        chunk_size: 250,
        state: 'running',
        requester: 'ehr',
        idempotency_key: 'night-1',
        request_hash: createHash('sha256').update(askedBefore).digest('hex'),
        members: 1,
        created_at: new Date('2026-02-01T00:00:00Z'),
      },
    },
    {
      table: 'run_members',
      row: {
        run: '00000000-0000-4000-8000-000000000003',
        ordinal: 1,
        subject_id: '17',
        state: 'scored',
        outcome: 'total-cvd-10y',
        score: 0.147,
        result: 'abc',
      },
    },
    {
      table: 'run_tallies',
      row: { run: '00000000-0000-4000-8000-000000000003', kind: 'scored', code: '', members: 1 },
    },
    {
      table: 'run_schedule_firings',
      row: {
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        schedule: 'nightly',
        due_at: new Date('2026-02-01T01:00:00Z'),
      },
    },
    {
      table: 'run_schedule_looks',
      row: {
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        schedule: 'nightly',
        looked_at: new Date('2026-02-01T01:00:00Z'),
      },
    },
  ],
  '0004-deliveries': [
    {
      table: 'deliveries',
      row: {
        tenant: 'default',
        sink: 'ehr',
        identifier: 'abc',
        resource_id: 'r1',
        state: 'delivered',
        wanted: 1,
        claimed: 1,
        receipt: '{"location":"RiskAssessment/9"}',
        delivered_at: new Date('2026-02-01T02:00:00Z'),
      },
    },
  ],
  '0005-cds-feedback': [
    {
      table: 'cds_feedback',
      row: {
        tenant: 'default',
        service: 'prevent-base',
        card: '00000000-0000-4000-8000-000000000002',
        outcome: 'overridden',
        outcome_at: new Date('2026-02-01T03:00:00Z'),
        accepted_suggestions: '[]',
        received_at: new Date('2026-02-01T03:00:01Z'),
      },
    },
  ],
  '0007-version-records': [
    {
      table: 'version_records',
      row: {
        tenant: 'default',
        recorded: new Date('2026-02-01T04:00:00Z'),
        action: 'begin',
        model: 'prevent-base',
        version: '1.0.0',
        digest: '00ff',
        requester: 'fhirsight',
        way: 'start',
        because: 'First start.',
      },
    },
  ],
  '0008-cds-replay': [
    {
      table: 'cds_replay',
      row: { tenant: 'default', token: Buffer.alloc(32, 7), kept_until: new Date('2026-02-01T04:16:00Z') },
    },
  ],
  '0009-access-log': [
    {
      table: 'access_log',
      row: {
        id: '00000000-0000-4000-8000-000000000004',
        tenant: 'default',
        recorded: new Date('2026-02-01T05:00:00Z'),
        request_id: 'q2',
        way: 'http',
        client: 'EHR',
        client_key: 'ehr',
        proved_by: 'access-token',
        action: 'R',
        interaction: 'read',
        route: '/fhir/R4/:type/:id',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        resource_type: 'Patient',
        resource_id: '17',
        subject_id: '17',
        status: 200,
        total_ms: 1.5,
      },
    },
  ],
  '0010-prediction-values': [
    {
      table: 'prediction_values',
      row: {
        tenant: 'default',
        prediction: '00000000-0000-4000-8000-000000000001',
        recorded: new Date('2026-02-01T00:00:00Z'),
        key: 'k1',
        nonce: Buffer.alloc(12, 1),
        sealed: Buffer.alloc(40, 2),
      },
    },
  ],
  '0011-operation-jobs': [
    {
      table: 'operation_jobs',
      row: {
        key: '00ff',
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        owner: 'ehr',
        subject_id: '17',
        request: '{}',
        seal_key: Buffer.alloc(32, 7),
        created_at: new Date('2026-02-01T06:00:00Z'),
        expires_at: new Date('2026-02-01T08:00:00Z'),
      },
    },
  ],
  '0012-held-cards': [
    {
      table: 'told_bands',
      row: {
        tenant: 'default',
        service: 'prevent-base',
        user_ref: 'Practitioner/7',
        fhir_base: 'https://ehr.example/fhir',
        subject_id: '17',
        encounter_id: '',
        focus: '',
        model_digest: '00ff',
        band: 'high',
        card: '00000000-0000-4000-8000-000000000003',
        told_at: new Date('2026-02-01T05:00:00Z'),
      },
    },
    {
      table: 'held_cards',
      row: {
        tenant: 'default',
        service: 'prevent-base',
        card: '00000000-0000-4000-8000-000000000004',
        model_id: 'prevent-base',
        model_version: '1.0.0',
        held_at: new Date('2026-02-01T05:30:00Z'),
      },
    },
  ],
  '0018-study-notices': [
    {
      table: 'study_notices',
      row: {
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        model_id: 'chest-phantom',
        study_id: 's1',
        subscription: 'chest',
        subject_id: '17',
        first_at: new Date('2026-02-01T06:00:00Z'),
        due_at: new Date('2026-02-01T06:02:00Z'),
        seen: '3',
        changed_at: new Date('2026-02-01T06:00:00Z'),
      },
    },
    {
      table: 'study_checks',
      row: {
        tenant: 'default',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        subscription: 'chest',
        checked_to: new Date('2026-02-01T06:00:00Z'),
        due_at: new Date('2026-02-01T06:15:00Z'),
      },
    },
  ],
  '0019-report-reviews': [
    {
      table: 'report_reviews',
      row: {
        tenant: 'default',
        report_id: 'r1',
        version: 2,
        read_version: 1,
        verdict: 'confirmed',
        reviewer: 'Practitioner/17',
        reviewed_at: new Date('2026-02-01T07:00:00Z'),
        user_comment: 'sealed configured AAAAAAAAAAAAAAAA AAAA',
        result: 'a prediction',
        fhir_base: 'http://127.0.0.1:8080/fhir/R4',
        subject_id: '17',
        model_id: 'chest-phantom',
        model_version: '1.0.0',
        model_digest: 'a digest',
      },
    },
  ],
};

const night = { owner: 'ehr', key: 'night-1' };
/** What a later migration made of columns, by table; nothing else may change. */
const rewritten: Readonly<Record<string, Record<string, unknown>>> = {
  runs: {
    idempotency_key: keptKey(night),
    request_hash: keptRequest(night, { model: 'prevent-base', cohort: { all: true } }),
  },
};

describe('the migrations of the releases', () => {
  test('have ids in the order in which they are applied', () => {
    const ids = allMigrations.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(ids.every((id) => /^\d{4}-[a-z-]+$/.test(id))).toBe(true);
    expect(new Set(ids.map((id) => id.slice(0, 4))).size).toBe(ids.length);
    expect(Object.keys(rowsAfter)).toEqual(ids.filter((id) => id in rowsAfter));
  });

  test.each(allMigrations.map(({ id }, index) => [id, index] as const))(
    '%s keeps every row written before it',
    async (_, index) => {
      const { database, close } = await openBareDatabase();
      const before = allMigrations.slice(0, index).flatMap(({ id }) => rowsAfter[id] ?? []);
      // Each row is written by the release that made its table.
      for (const [at, { id }] of allMigrations.slice(0, index + 1).entries()) {
        const rows = rowsAfter[id];
        if (rows === undefined && at !== index - 1) continue;
        await migrate(database, allMigrations.slice(0, at + 1), clock);
        await insertAll(database, rows ?? []);
      }
      await migrate(database, allMigrations.slice(0, index + 1), clock);
      await migrate(database, allMigrations, clock);
      for (const { table, row } of [...before, ...(rowsAfter[allMigrations[index]?.id ?? ''] ?? [])]) {
        const kept = { ...row, ...rewritten[table] };
        expect((await database.query(`select * from ${table}`)).rows).toEqual([expect.objectContaining(kept)]);
      }
      await close();
    },
  );

  test('give every table a row to keep in this test', async () => {
    const { database, close } = await openBareDatabase();
    await migrate(database, allMigrations, clock);
    const { rows } = await database.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migrations' order by 1",
    );
    await close();
    const covered = new Set(Object.values(rowsAfter).flatMap((list) => list.map(({ table }) => table)));
    expect(rows.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

async function insertAll(
  database: Database,
  rows: readonly { table: string; row: Record<string, unknown> }[],
): Promise<void> {
  for (const { table, row } of rows) {
    const columns = Object.keys(row);
    const places = columns.map((_, index) => `$${index + 1}`);
    await database.query(`insert into ${table} (${columns}) values (${places})`, Object.values(row));
  }
}
