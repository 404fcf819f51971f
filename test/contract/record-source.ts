import type { Observation, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RecordQuery } from '../../src/model-catalog/record-queries.ts';
import type { RecordSource } from '../../src/records/record-source.ts';

export interface RecordSourceUnderTest {
  readonly source: RecordSource;
  close(): Promise<void>;
}

const loinc = 'http://loinc.org';
const creatinine = `${loinc}|2160-0`;
const optOut = 'https://fhirsight.org/fhir/CodeSystem/group-purpose|prediction-opt-out';

/**
 * What the path expects of every record source.
 * @param setup gives a source that holds exactly these resources, under these ids
 */
export function describeRecordSource(
  name: string,
  setup: (resources: readonly Resource[]) => Promise<RecordSourceUnderTest>,
): void {
  describe(`record source: ${name}`, () => {
    let tested: RecordSourceUnderTest;
    beforeAll(async () => {
      tested = await setup(contractResources());
    });
    afterAll(async () => {
      await tested?.close();
    });

    const search = async (query: Partial<RecordQuery>, id = 'anna', signal?: AbortSignal) => {
      const rows: Resource[] = [];
      const full: RecordQuery = { key: 'asked', type: 'Observation', subjectParameter: 'patient', ...query };
      for await (const page of tested.source.search(full, id, signal)) rows.push(...page);
      return rows;
    };
    const idsOf = (rows: readonly Resource[]) => rows.map(({ id }) => id).sort();

    test('its base is absolute and has no trailing slash, query or credentials', () => {
      expect(tested.source.base).toMatch(/^https?:\/\/[^/@?#]+(\/[^/?#]+)*$/);
    });

    test('reads a patient with the content that was stored', async () => {
      const patient = await tested.source.readPatient('anna');
      expect(patient).toMatchObject({ resourceType: 'Patient', id: 'anna', birthDate: '1961-02-03' });
    });

    test('reads any other resource by type and id', async () => {
      expect(await tested.source.read('Medication', 'statin')).toMatchObject({ resourceType: 'Medication' });
    });

    test.each(['nobody', '..', '.', 'anna/../berta', '', 'anna?x=1'])(
      'answers undefined for a patient that does not exist: %j',
      async (id) => {
        expect(await tested.source.readPatient(id)).toBeUndefined();
        expect(await tested.source.read('Encounter', id)).toBeUndefined();
      },
    );

    test('answers undefined for an id of another type', async () => {
      expect(await tested.source.read('Medication', 'anna')).toBeUndefined();
    });

    test('gives every match, however many pages it takes, each once', async () => {
      const rows = await search({});
      const expected = contractResources().filter(
        (resource) => resource.resourceType === 'Observation' && resource.subject?.reference !== 'Patient/berta',
      );
      expect(idsOf(rows)).toEqual(idsOf(expected));
    });

    test('gives no row of another patient, and none of another type', async () => {
      const rows = (await search({})) as Observation[];
      expect(new Set(rows.map(({ resourceType }) => resourceType))).toEqual(new Set(['Observation']));
      expect(new Set(rows.map(({ subject }) => subject?.reference))).toEqual(
        new Set(['Patient/anna', 'urn:uuid:anna']),
      );
    });

    test('finds rows that name their patient by urn:uuid', async () => {
      expect(idsOf(await search({ codes: [`${loinc}|2085-9`] }))).toEqual(['by-uuid']);
    });

    test('finds rows by any of several codes, the system being part of the code', async () => {
      const rows = await search({ codes: [creatinine, `${loinc}|2085-9`] });
      expect(idsOf(rows)).toEqual(['by-uuid', 'creatinine-new', 'creatinine-old', 'creatinine-undated']);
    });

    test('finds a row by the second coding of its code', async () => {
      expect(idsOf(await search({ codes: [`${loinc}|8480-6`] }))).toEqual(['two-codings']);
    });

    test('finds rows by codes that are too many for one URL', async () => {
      const many = Array.from({ length: 300 }, (_, index) => `http://snomed.info/sct|${100_000 + index}`);
      const rows = await search({ codes: [...many, creatinine, `${loinc}|2085-9`, ...many.slice(0, 3)] });
      expect(idsOf(rows)).toEqual(['by-uuid', 'creatinine-new', 'creatinine-old', 'creatinine-undated']);
    });

    test('gives no row for codes that no row has', async () => {
      expect(await search({ codes: ['http://example.org|2160-0'] })).toEqual([]);
    });

    test('leaves out rows that ended long before the limit, and none that did not', async () => {
      const rows = await search({ codes: [creatinine], since: new Date('2024-01-01T00:00:00Z') });
      expect(idsOf(rows)).toContain('creatinine-new');
      expect(idsOf(rows)).not.toContain('creatinine-old');
    });

    test('gives a result without a time whatever the limit, for it may be the newest', async () => {
      const rows = await search({ codes: [creatinine], since: new Date('2024-01-01T00:00:00Z') });
      expect(idsOf(rows)).toContain('creatinine-undated');
    });

    test('gives a row whose date, read in the zone farthest away, lies on the limit', async () => {
      const rows = await search({ codes: [creatinine], since: new Date('2025-03-02T11:00:00Z') });
      expect(idsOf(rows)).toContain('creatinine-new');
    });

    test('gives an encounter that began before the limit and ended after it, or has not ended', async () => {
      const rows = await search({ type: 'Encounter', since: new Date('2024-06-01T00:00:00Z') });
      expect(idsOf(rows)).toEqual(['open', 'spanning']);
    });

    test('gives conditions and orders whatever their date', async () => {
      const since = new Date('2026-01-01T00:00:00Z');
      expect(idsOf(await search({ type: 'Condition', since }))).toEqual(['infarction']);
      expect(idsOf(await search({ type: 'MedicationRequest', since }))).toEqual(['order']);
    });

    test('gives an order whose Medication is referenced, whatever the codes asked for', async () => {
      const codes = ['http://www.nlm.nih.gov/research/umls/rxnorm|617310'];
      expect(idsOf(await search({ type: 'MedicationRequest', codes }))).toEqual(['order']);
    });

    test('gives consents by patient', async () => {
      expect(idsOf(await search({ type: 'Consent' }))).toEqual(['consent']);
    });

    test('gives groups by member and code', async () => {
      const query = { type: 'Group', subjectParameter: 'member', codes: [optOut] } as const;
      expect(idsOf(await search(query))).toEqual(['opted-out']);
      expect(await search(query, 'berta')).toEqual([]);
    });

    test('gives no row for a patient that does not exist', async () => {
      expect(await search({}, 'nobody')).toEqual([]);
    });

    test('gives each row with its id', async () => {
      for (const { id } of await search({})) expect(id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
    });

    test('stops when the caller gives up', async () => {
      const source = tested.source;
      const given = AbortSignal.abort();
      await expect(source.readPatient('anna', given)).rejects.toMatchObject({ code: 'RECORD_UNREACHABLE' });
      await expect(search({}, 'anna', given)).rejects.toMatchObject({ code: 'RECORD_UNREACHABLE' });
    });
  });
}

/** Synthetic, not for clinical use: two patients, more observations than fit on a page. */
function contractResources(): Resource[] {
  const subject = { reference: 'Patient/anna' };
  const code = (value: string, system = loinc) => ({ coding: [{ system, code: value }] });
  const observation = (id: string, rest: Partial<Observation>): Observation => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: code('8302-2'),
    subject,
    effectiveDateTime: '2025-01-01T08:00:00Z',
    valueQuantity: { value: 170, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
    ...rest,
  });
  const ambulatory = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' };
  return [
    { resourceType: 'Patient', id: 'anna', birthDate: '1961-02-03', gender: 'female' },
    { resourceType: 'Patient', id: 'berta', birthDate: '1970-01-01', gender: 'female' },
    { resourceType: 'Medication', id: 'statin', code: code('617310', 'http://www.nlm.nih.gov/research/umls/rxnorm') },
    ...Array.from({ length: 20 }, (_, index) => observation(`height-${index}`, {})),
    observation('creatinine-new', { code: code('2160-0'), effectiveDateTime: '2025-03-01' }),
    observation('creatinine-old', { code: code('2160-0'), effectiveDateTime: '2019-03-01T08:00:00Z' }),
    observation('creatinine-undated', { code: code('2160-0'), effectiveDateTime: undefined }),
    observation('other-system', { code: code('2160-0', 'urn:oid:1.2.3') }),
    observation('by-uuid', { code: code('2085-9'), subject: { reference: 'urn:uuid:anna' } }),
    observation('two-codings', {
      code: { coding: [{ system: 'urn:oid:1.2.3', code: 'sys' }, ...code('8480-6').coding] },
    }),
    ...Array.from({ length: 9 }, (_, index) =>
      observation(`berta-${index}`, { code: code('2160-0'), subject: { reference: 'Patient/berta' } }),
    ),
    {
      resourceType: 'Encounter',
      id: 'over',
      status: 'finished',
      class: ambulatory,
      subject,
      period: { start: '2020-01-01T08:00:00Z', end: '2020-01-01T09:00:00Z' },
    },
    {
      resourceType: 'Encounter',
      id: 'spanning',
      status: 'finished',
      class: ambulatory,
      subject,
      period: { start: '2024-05-01T08:00:00Z', end: '2024-06-20T09:00:00Z' },
    },
    {
      resourceType: 'Encounter',
      id: 'open',
      status: 'in-progress',
      class: ambulatory,
      subject,
      period: { start: '2023-05-01T08:00:00Z' },
    },
    {
      resourceType: 'Condition',
      id: 'infarction',
      subject,
      code: code('22298006', 'http://snomed.info/sct'),
      onsetDateTime: '2001-05-06',
    },
    {
      resourceType: 'MedicationRequest',
      id: 'order',
      status: 'active',
      intent: 'order',
      subject,
      authoredOn: '2010-01-01',
      medicationReference: { reference: 'Medication/statin' },
    },
    {
      resourceType: 'Consent',
      id: 'consent',
      status: 'active',
      scope: code('patient-privacy', 'http://terminology.hl7.org/CodeSystem/consentscope'),
      category: [code('59284-0')],
      patient: subject,
      policyRule: code('OPTIN', 'http://terminology.hl7.org/CodeSystem/v3-ActCode'),
    },
    {
      resourceType: 'Group',
      id: 'opted-out',
      type: 'person',
      actual: true,
      code: code('prediction-opt-out', 'https://fhirsight.org/fhir/CodeSystem/group-purpose'),
      member: [{ entity: subject }],
    },
    {
      resourceType: 'Group',
      id: 'ward',
      type: 'person',
      actual: true,
      code: code('ward', 'urn:oid:1.2.3'),
      member: [{ entity: subject }, { entity: { reference: 'Patient/berta' } }],
    },
  ];
}
