import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSqlRepository, type SqlRepository } from '../../src/fhir/store/sql-repository.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { RecordQuery } from '../../src/model-catalog/record-queries.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import type { RecordSource } from '../../src/records/record-source.ts';
import { createStoreRecordSource } from '../../src/records/store-record-source.ts';
import { describeRecordSource } from '../contract/record-source.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { medicationRequest, mgPerDl, observation, patient } from '../support/build-record.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const base = 'http://127.0.0.1:8080/fhir/R4';
const validator = createResourceValidator();

const earlierBase = 'http://127.0.0.1:9090/fhir/R4';
const timeZone = 'Pacific/Kiritimati';
const options = { clock: systemClock, newId: randomUUID, timeZone, validator };

function repositoryOf(database: Database, tenant = 'default', baseUrl = base): SqlRepository {
  return createSqlRepository({ ...options, database, tenant, baseUrl });
}

function sourceOf(database: Database, tenant = 'default'): RecordSource {
  return createStoreRecordSource(repositoryOf(database, tenant), { base, earlierBases: [earlierBase] });
}

describeRecordSource('the own store', async (resources) => {
  const { database, close } = await openTestDatabase();
  const repository = repositoryOf(database);
  await repository.writeAll(resources);
  return { source: sourceOf(database), close };
});

describe('records of the own store', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openTestDatabase();
  });
  afterAll(async () => {
    await opened.close();
  });

  const gather = (tenant: string, queries: readonly RecordQuery[] = []) => {
    const source = sourceOf(opened.database, tenant);
    const asOf = new Date('2026-01-01T00:00:00Z');
    return gatherRecord({ source, subject: { tenant, base, id: '1' }, queries, seed: [], asOf });
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

  test('a prediction is never made from half of a transaction', async () => {
    const repository = repositoryOf(opened.database, 'flips');
    const write = (on: boolean) =>
      repository.withTransaction(async (inside) => {
        await inside.update(medicationRequest('36567', '2025-01-01', { id: 'm', status: on ? 'active' : 'stopped' }));
        await inside.update(observation('2093-3', mgPerDl(on ? 200 : 300), '2025-06-01T08:00:00Z', { id: 'o' }));
      });
    await repository.update(patient());
    await write(true);
    const gathers = (async () => {
      const seen = new Map<string, number>();
      const gatherOften = async () => {
        for (let n = 0; n < 100; n++) {
          const record = await gather('flips', [
            { key: 'observations', type: 'Observation', subjectParameter: 'patient' },
            { key: 'medicationRequests', type: 'MedicationRequest', subjectParameter: 'patient' },
          ]);
          const [order] = record.byType('MedicationRequest');
          const [cholesterol] = record.byType('Observation');
          const facts = `${order?.status} ${cholesterol?.valueQuantity?.value}`;
          seen.set(facts, (seen.get(facts) ?? 0) + 1);
        }
      };
      await Promise.all([gatherOften(), gatherOften(), gatherOften()]);
      return seen;
    })();
    let done = false;
    const finished = gathers.finally(() => {
      done = true;
    });
    for (let on = false; !done; on = !on) await write(on);
    const seen = await finished;
    expect([...seen.keys()].sort()).toEqual(['active 200', 'stopped 300']);
  });

  test('hold the Medications that statements and dispenses refer to', async () => {
    const repository = repositoryOf(opened.database, 'taken');
    const subject = { reference: 'Patient/1' };
    await repository.writeAll([
      patient(),
      { resourceType: 'Medication', id: 'a', code: { text: 'a' } },
      { resourceType: 'Medication', id: 'b', code: { text: 'b' } },
      {
        resourceType: 'MedicationStatement',
        id: 's',
        status: 'active',
        subject,
        medicationReference: { reference: 'Medication/a' },
      },
      {
        resourceType: 'MedicationDispense',
        id: 'd',
        status: 'completed',
        subject,
        medicationReference: { reference: `${base}/Medication/b` },
      },
    ]);
    const record = await gather('taken', [
      { key: 'medicationStatements', type: 'MedicationStatement', subjectParameter: 'patient' },
      { key: 'medicationDispenses', type: 'MedicationDispense', subjectParameter: 'patient' },
    ]);
    expect(record.byType('MedicationStatement')).toHaveLength(1);
    expect(record.byType('MedicationDispense')).toHaveLength(1);
    expect(record.byType('Medication').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('hold the Endpoints that imaging studies and their series refer to', async () => {
    const repository = repositoryOf(opened.database, 'imaging');
    await repository.writeAll([
      patient(),
      wadoEndpoint({ id: 'a' }),
      wadoEndpoint({ id: 'b' }),
      wadoEndpoint({ id: 'c' }),
      imagingStudy({
        endpoint: [{ reference: 'Endpoint/a' }],
        series: [imagingSeries({ endpoint: [{ reference: `${base}/Endpoint/b` }] })],
      }),
      imagingStudy({ id: 's2', endpoint: undefined, series: undefined }),
    ]);
    const record = await gather('imaging', [
      { key: 'imagingStudies', type: 'ImagingStudy', subjectParameter: 'patient' },
    ]);
    expect(record.byType('ImagingStudy').map(({ id }) => id)).toEqual(['s1', 's2']);
    expect(record.byType('Endpoint').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('a statement that names its patient by an identifier alone is refused: no prediction would find it', async () => {
    const statement = {
      resourceType: 'MedicationStatement' as const,
      status: 'active' as const,
      subject: { identifier: { value: '17' } },
      medicationCodeableConcept: { text: 'statin' },
    };
    await expect(repositoryOf(opened.database, 'unnamed').createResource(statement)).rejects.toThrow();
  });

  test('a resource that names its patient by an earlier base of this server is still of the subject', async () => {
    const reference = `${earlierBase.replace('127.0.0.1', 'LOCALHOST')}/Patient/1`;
    await repositoryOf(opened.database, 'moved', earlierBase).update(patient());
    await repositoryOf(opened.database, 'moved', earlierBase).update(
      observation('2093-3', mgPerDl(200), '2025-06-01T08:00:00Z', { id: 'o', subject: { reference } }),
    );
    const record = await gather('moved', [{ key: 'observations', type: 'Observation', subjectParameter: 'patient' }]);
    expect(record.byType('Observation')).toMatchObject([{ id: 'o' }]);
    expect(record.isSubject(reference)).toBe(true);
    expect(record.isSubject('http://127.0.0.1:9091/fhir/R4/Patient/1')).toBe(false);
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
