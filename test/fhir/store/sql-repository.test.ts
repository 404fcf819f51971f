import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseFhirJson, stringifyFhirJson } from '../../../src/fhir/fhir-json.ts';
import type { ResourceQuery } from '../../../src/fhir/store/find-resources.ts';
import { indexOldStudies } from '../../../src/fhir/store/index-old-studies.ts';
import { createSqlRepository, type SqlRepository } from '../../../src/fhir/store/sql-repository.ts';
import { updateResource } from '../../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { imagingStudy } from '../../support/build-imaging-study.ts';
import { casesDir, casesPresent } from '../../support/cases.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let test_: TestDatabase;
const validator = createResourceValidator();
const repositoryOf = (tenant: string, baseUrl = 'https://ehr.example.org/fhir'): SqlRepository =>
  createSqlRepository({
    database: test_.database,
    tenant,
    baseUrl,
    clock: systemClock,
    newId: randomUUID,
    timeZone: 'America/New_York',
    validator,
  });

beforeAll(async () => {
  test_ = await openTestDatabase();
});
afterAll(() => test_.close());

async function found(repository: SqlRepository, query: ResourceQuery, pageSize = 2): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of repository.findResources(query, pageSize)) {
    expect(page.length).toBeLessThanOrEqual(pageSize);
    ids.push(...page.map((resource) => resource.id ?? ''));
  }
  return ids;
}

const observation = (id: string, code: string, date?: string, patient = 'Patient/1'): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code }] },
  subject: { reference: patient },
  ...(date === undefined ? {} : { effectiveDateTime: date }),
});

describe('findResources', () => {
  test('streams every match in pages, ordered by id', async () => {
    const repository = repositoryOf('find-pages');
    await repository.writeAll(['e', 'a', 'd', 'c', 'b'].map((id) => observation(id, '1')));
    expect(await found(repository, { type: 'Observation', patient: '1' })).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await found(repository, { type: 'Observation', patient: 'Patient/1' }, 5)).toHaveLength(5);
    expect(await found(repository, { type: 'Observation', patient: '2' })).toEqual([]);
    expect(await found(repository, { type: 'Condition', patient: '1' })).toEqual([]);
  });

  test('codes and since narrow it; what has no date is not taken for old', async () => {
    const repository = repositoryOf('find-narrow');
    await repository.writeAll([
      observation('old', '1', '2019-01-01'),
      observation('day', '1', '2024-05-01'),
      observation('new', '2', '2024-06-01T00:00:00Z'),
      observation('undated', '1'),
    ]);
    const since = new Date('2024-05-01T12:00:00Z');
    expect(await found(repository, { type: 'Observation', patient: '1', since })).toEqual(['day', 'new', 'undated']);
    expect(
      await found(repository, {
        type: 'Observation',
        patient: '1',
        since,
        codes: ['http://loinc.org|1', 'http://loinc.org|9'],
      }),
    ).toEqual(['day', 'undated']);
  });

  test('a medication named by a reference passes every code, a contained one only its own', async () => {
    const repository = repositoryOf('find-medication');
    const request = (id: string, medication: object): Resource =>
      ({
        resourceType: 'MedicationRequest',
        id,
        status: 'active',
        intent: 'order',
        subject: { reference: 'Patient/1' },
        ...medication,
      }) as Resource;
    const contained = (code: string) => ({
      contained: [{ resourceType: 'Medication', id: 'm', code: { coding: [{ system: 'urn:rx', code }] } }],
      medicationReference: { reference: '#m' },
    });
    await repository.writeAll([
      request('coded', { medicationCodeableConcept: { coding: [{ system: 'urn:rx', code: 'statin' }] } }),
      request('contained', contained('statin')),
      request('contained-other', contained('other')),
      request('other', { medicationCodeableConcept: { coding: [{ system: 'urn:rx', code: 'other' }] } }),
      request('referenced', { medicationReference: { reference: 'Medication/5' } }),
      request('text', { medicationCodeableConcept: { text: 'something' } }),
    ]);
    expect(await found(repository, { type: 'MedicationRequest', patient: '1', codes: ['urn:rx|statin'] })).toEqual([
      'coded',
      'contained',
      'referenced',
      'text',
    ]);
    const searched = await repository.searchByQuery('MedicationRequest', [['code', 'urn:rx|statin']]);
    expect(searched.entry?.map((entry) => entry.resource?.id)).toEqual(['coded']);
  });

  test('finds the Groups of a member', async () => {
    const repository = repositoryOf('find-group');
    await repository.create({
      resourceType: 'Group',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Patient/1' } }],
    });
    expect(await found(repository, { type: 'Group', member: '1' })).toHaveLength(1);
    expect(await found(repository, { type: 'Group', member: 'Patient/2' })).toEqual([]);
  });
});

describe('the store', () => {
  test('one tenant sees nothing of another', async () => {
    const [a, b] = [repositoryOf('tenant-a'), repositoryOf('tenant-b')];
    await a.update({ resourceType: 'Patient', id: '1', gender: 'female' });
    await b.update({ resourceType: 'Patient', id: '1', gender: 'male' });
    expect(((await a.readCurrent('Patient', '1')) as Patient).gender).toBe('female');
    expect((await b.searchByQuery('Patient', [])).entry).toHaveLength(1);
    expect(await a.readCurrent('Patient', '2')).toBeUndefined();
  });

  test('a change of its address does not make its references lead elsewhere', async () => {
    const before = repositoryOf('moved', 'http://127.0.0.1:8080/fhir');
    await before.update(observation('o', '1', '2024-05-01', 'http://127.0.0.1:8080/fhir/Patient/1'));
    await before.writeAll([observation('loaded', '1', '2024-05-01', 'http://127.0.0.1:8080/fhir/Patient/1')]);
    const after = repositoryOf('moved', 'https://ehr.example.org/fhir');
    for (const id of ['o', 'loaded']) {
      const read = (await after.readCurrent('Observation', id)) as Observation;
      expect(read.subject?.reference).toBe('Patient/1');
      await after.update(read);
    }
    expect(await found(after, { type: 'Observation', patient: '1' })).toEqual(['loaded', 'o']);
  });

  test('an update keeps tags unless its caller replaces them', async () => {
    const { context } = repositoryOf('tags');
    const tagged = (...codes: string[]): Resource => ({
      resourceType: 'Patient',
      id: 'p',
      ...(codes.length === 0 ? {} : { meta: { tag: codes.map((code) => ({ system: 'urn:t', code })) } }),
    });
    const codesOf = ({ resource }: { resource: Resource }) => resource.meta?.tag?.map(({ code }) => code);
    await updateResource(context, tagged('a'));
    expect(codesOf(await updateResource(context, tagged('b'), '1'))).toEqual(['b', 'a']);
    expect(codesOf(await updateResource(context, tagged('b'), '2', { replaceMeta: true }))).toEqual(['b']);
    expect(codesOf(await updateResource(context, tagged(), undefined, { replaceMeta: true }))).toBeUndefined();
  });

  test('a transaction that throws leaves nothing, neither current nor in the history', async () => {
    const repository = repositoryOf('rollback');
    const failing = repository.withTransaction(async (tx) => {
      await tx.update({ resourceType: 'Patient', id: 'lost' });
      expect(await tx.readCurrent('Patient', 'lost')).toBeDefined();
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await repository.readCurrent('Patient', 'lost')).toBeUndefined();
    await expect(repository.historyByQuery('Patient', 'lost', [])).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' });
  });

  test('transactions that write the same resources in opposite order both end', async () => {
    const repository = repositoryOf('deadlock');
    const both = (ids: string[]) =>
      repository.withTransaction(async (tx) => {
        for (const id of ids) await tx.update({ resourceType: 'Patient', id });
      });
    await both(['x', 'y']);
    await Promise.allSettled([both(['x', 'y']), both(['y', 'x'])]);
    expect(await repository.readCurrent('Patient', 'x')).toBeDefined();
  });

  test('writeAll keeps what is there and loads text of every kind among 6,000 resources', async () => {
    const repository = repositoryOf('bulk');
    await repository.update({ ...observation('0', '1'), valueString: 'mine' });
    const odd = 'quote " backslash \\ brace {} comma , snowman ☃ null';
    const resources = Array.from(
      { length: 6000 },
      (_, index): Observation => ({
        ...observation(String(index), String(index % 40), '2024-05-01T10:00:00Z', `Patient/${index % 100}`),
        identifier: [{ system: 'urn:x', value: index === 1 ? odd : String(index) }],
        note: [{ text: 'x'.repeat(500) }],
      }),
    );
    expect(await repository.writeAll(resources)).toBe(5999);
    expect(((await repository.readCurrent('Observation', '0')) as Observation).valueString).toBe('mine');
    expect(
      (await repository.searchByQuery('Observation', [['identifier', `urn:x|${odd.replaceAll(/[\\,]/g, '\\$&')}`]]))
        .entry,
    ).toHaveLength(1);
    expect((await repository.historyByQuery('Observation', '5', [])).total).toBe(1);
    expect(await found(repository, { type: 'Observation', patient: '7' }, 1000)).toHaveLength(60);
  });

  test('serves the interface of the FHIR router too', async () => {
    const repository = repositoryOf('interface');
    const made = await repository.createResource<Patient>({
      resourceType: 'Patient',
      identifier: [{ system: 'urn:x', value: '1' }],
    });
    expect(await repository.readReference({ reference: `Patient/${made.id}` })).toEqual(made);
    const [read, missing] = await repository.readReferences([
      { reference: `Patient/${made.id}` },
      { reference: 'Patient/none' },
    ]);
    expect([(read as Patient).id, missing instanceof Error]).toEqual([made.id, true]);
    const searched = await repository.searchOne({
      resourceType: 'Patient',
      filters: [{ code: 'identifier', operator: 'eq' as never, value: 'urn:x|1' }],
    });
    expect(searched?.id).toBe(made.id);
    await expect(repository.patchResource('Patient', made.id, [])).rejects.toMatchObject({
      code: 'METHOD_NOT_ALLOWED',
    });
  });
});

describe('studies that an earlier release stored', () => {
  const studies = ['a', 'b', 'c'].map((id) => imagingStudy({ id, started: '2026-01-02' }));
  /** As a release did that knew neither when a study began nor its modality. */
  const forget = (tenant: string) =>
    test_.database.query(
      "update resources set date_start = null, date_end = null, categories = '{}' where tenant = $1 and id <> 'c'",
      [tenant],
    );
  const idsOf = async (repository: SqlRepository, query: readonly (readonly [string, string])[]) =>
    ((await repository.searchByQuery('ImagingStudy', query)).entry ?? []).map(({ resource }) => resource?.id);

  test('are found by when they began and by their modality, as if they were stored now', async () => {
    const repository = repositoryOf('old-studies');
    await repository.writeAll(studies);
    const indexed = 'select id, date_start, date_end, categories, version from resources where tenant = $1 order by id';
    const before = (await test_.database.query(indexed, ['old-studies'])).rows;
    await forget('old-studies');
    expect(await idsOf(repository, [['started', 'ge2026-01-01']])).toEqual(['c']);
    expect(await indexOldStudies(repository.context)).toBe(2);
    expect((await test_.database.query(indexed, ['old-studies'])).rows).toEqual(before);
    expect(await idsOf(repository, [['started', '2026-01-02']])).toEqual(['a', 'b', 'c']);
    expect(await idsOf(repository, [['modality', 'DX']])).toEqual(['a', 'b', 'c']);
  });

  test('are looked for once, and what says neither stays as it is', async () => {
    const repository = repositoryOf('silent-studies');
    const { started: _, series: __, ...silent } = imagingStudy({ id: 'silent' });
    await repository.writeAll([silent]);
    expect(await indexOldStudies(repository.context)).toBe(0);
    await repository.writeAll(studies);
    await forget('silent-studies');
    expect(await indexOldStudies(repository.context)).toBe(0);
  });
});

describe.runIf(casesPresent)('the official R4 examples', () => {
  test('load and read back equal, decimals as they were written', async () => {
    const repository = repositoryOf('examples');
    const folder = path.join(casesDir, 'fhir/r4_examples');
    const squeezed = (resource: unknown) => {
      const { meta: _meta, ...rest } = resource as Resource;
      return stringifyFhirJson(Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))));
    };
    for (const file of readdirSync(folder)) {
      const given = parseFhirJson(readFileSync(path.join(folder, file), 'utf8')) as Resource;
      const { resource } = given.id === undefined ? await repository.create(given) : await repository.update(given);
      const read = await repository.readCurrent(given.resourceType, resource.id);
      expect(squeezed(read), file).toBe(squeezed({ ...given, id: resource.id }));
      expect({ ...read?.meta, versionId: undefined, lastUpdated: undefined }, file).toMatchObject({
        ...given.meta,
        versionId: undefined,
        lastUpdated: undefined,
      });
    }
  });
});
