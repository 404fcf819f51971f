import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSqlRepository, type SqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import { createStoreRecordSource } from '../../src/records/store-record-source.ts';
import { describeRecordSource } from '../contract/record-source.ts';
import { patient } from '../support/build-record.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const base = 'http://127.0.0.1:8080/fhir/R4';
const validator = createResourceValidator();

function repositoryOf(database: Database, tenant = 'default'): SqlRepository {
  const timeZone = 'Pacific/Kiritimati';
  const clock = systemClock;
  return createSqlRepository({ database, tenant, baseUrl: base, clock, newId: randomUUID, timeZone, validator });
}

describeRecordSource('the own store', async (resources) => {
  const { database, close } = await openTestDatabase();
  const repository = repositoryOf(database);
  await repository.writeAll(resources);
  return { source: createStoreRecordSource(repository, base), close };
});

describe('records of the own store', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openTestDatabase();
  });
  afterAll(async () => {
    await opened.close();
  });

  const gather = (tenant: string) => {
    const source = createStoreRecordSource(repositoryOf(opened.database, tenant), base);
    const asOf = new Date('2026-01-01T00:00:00Z');
    return gatherRecord({ source, subject: { tenant, base, id: '1' }, queries: [], seed: [], asOf });
  };

  test('name the version that was read, relative to this server', async () => {
    const repository = repositoryOf(opened.database, 'versions');
    await repository.update(patient());
    await repository.update(patient({ active: true }));
    const record = await gather('versions');
    expect(record.sourceReference(record.patient)).toEqual({ reference: 'Patient/1/_history/2' });
  });

  test('SUBJECT_UNKNOWN for a patient that was deleted', async () => {
    const repository = repositoryOf(opened.database, 'deletions');
    await repository.update(patient());
    await repository.deleteResource('Patient', '1');
    await expect(gather('deletions')).rejects.toMatchObject({ code: 'SUBJECT_UNKNOWN' });
  });

  test('two tenants that both hold Patient/1: each sees its own', async () => {
    for (const tenant of ['north', 'south']) {
      await repositoryOf(opened.database, tenant).update(patient({ name: [{ family: tenant }] }));
    }
    for (const tenant of ['north', 'south']) {
      const record = await gather(tenant);
      expect(record.patient.name).toEqual([{ family: tenant }]);
      expect(record.subject.tenant).toBe(tenant);
    }
  });
});
