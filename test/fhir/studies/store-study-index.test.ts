import { randomUUID } from 'node:crypto';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqlRepository } from '../../../src/fhir/store/sql-repository.ts';
import { storeStudyIndex } from '../../../src/fhir/studies/store-study-index.ts';
import type { StudyIndex } from '../../../src/fhir/studies/study-index.ts';
import { studySubject } from '../../../src/fhir/studies/study-subject.ts';
import { studyVersion } from '../../../src/fhir/studies/study-version.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Database } from '../../../src/platform/database.ts';
import { imagingSeries, imagingStudy } from '../../support/build-imaging-study.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const base = 'https://ehr.example.org/fhir';
const earlier = 'https://old.example.org/fhir';
const bases = [base, earlier];
type Parameters = readonly (readonly [string, string])[];

let test: TestDatabase;
let index: StudyIndex;
/** The longest row that the database gave since it was set to 0, as JSON. */
let longestRow = 0;

const instance = {
  uid: '1.2.3.4.1.1',
  sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' },
};
const study = (id: string, reference: string, rest: Partial<ImagingStudy> = {}): ImagingStudy =>
  imagingStudy({ id, subject: { reference }, ...rest });

beforeAll(async () => {
  test = await openTestDatabase();
  const database: Database = {
    ...test.database,
    async query<Row>(text: string, values?: readonly unknown[]) {
      const answer = await test.database.query<Row>(text, values);
      longestRow = Math.max(longestRow, ...answer.rows.map((row) => JSON.stringify(row).length));
      return answer;
    },
  };
  const repository = createSqlRepository({
    database,
    tenant: 'test',
    baseUrl: base,
    clock: systemClock,
    newId: randomUUID,
    timeZone: 'UTC',
    validator: createResourceValidator(),
  });
  index = storeStudyIndex(repository, bases);
  await repository.writeAll([
    study('relative', 'Patient/1'),
    study('absolute', `${base}/Patient/1`),
    study('earlier', `${earlier}/Patient/2`),
    study('foreign', 'https://other.example.org/fhir/Patient/1'),
    study('group', 'Group/1'),
    study('gone', 'Patient/9'),
    study('large', 'Patient/3', {
      series: [imagingSeries({ instance: Array.from({ length: 1_000 }, () => instance) })],
    }),
    ...Array.from({ length: 600 }, (_, at) => study(`many-${at}`, `Patient/p${at}`, { started: '2020-05-01' })),
  ]);
  await repository.update(study('relative', 'Patient/1', { description: 'seen again' }));
  await repository.deleteResource('ImagingStudy', 'gone');
});
afterAll(() => test.close());

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

describe('the list of studies of the own store', () => {
  const recent: Parameters = [['started', 'ge2026-01-01']];

  it('DW-1: has the studies that a search finds, each with the same subject, version and time as the whole resource', async () => {
    const told = (found: Parameters) => async (read: StudyIndex['list'] | StudyIndex['search']) =>
      (await all(read(found))).map((one) => [
        one.id,
        studySubject(one, bases),
        studyVersion(one),
        one.meta?.lastUpdated,
      ]);
    const listed = await told(recent)(index.list);
    expect(listed).toEqual(await told(recent)(index.search));
    expect(listed.map(([id, subject, version]) => [id, subject, version])).toEqual([
      ['absolute', '1', '1'],
      ['earlier', '2', '1'],
      ['foreign', undefined, '1'],
      ['group', undefined, '1'],
      ['large', '3', '1'],
      ['relative', '1', '2'],
    ]);
  });

  it('reads nothing of their series, of which one study may have thousands', async () => {
    longestRow = 0;
    await all(index.list(recent));
    expect(longestRow).toBeGreaterThan(0);
    expect(longestRow).toBeLessThan(300);
    await all(index.search([['_id', 'large']]));
    expect(longestRow).toBeGreaterThan(100_000);
  });

  it('is whole over many pages, and never a part of one: stopped, it throws', async () => {
    const many = await all(
      index.list([
        ['started', 'lt2026-01-01'],
        ['modality', 'DX'],
      ]),
    );
    expect(new Set(many.map(({ id }) => id)).size).toBe(600);
    await expect(all(index.list(recent, AbortSignal.abort()))).rejects.toThrow();
  });

  it('refuses a parameter that the store does not know, as a search does', async () => {
    await expect(all(index.list([['bodysite', 'chest']]))).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  });
});
