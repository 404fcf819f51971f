import type {
  Encounter,
  Group,
  Medication,
  MedicationRequest,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { RecordQuery } from '../../src/model-catalog/record-queries.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { callerReader } from '../../src/records/caller-reader.ts';
import { type GatherRequest, gatherRecord } from '../../src/records/gather-record.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import type { RecordSource } from '../../src/records/record-source.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const validator = createResourceValidator();
const asOf = new Date('2026-01-01T00:00:00Z');
const loinc = 'http://loinc.org';
const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const queries: RecordQuery[] = [
  { key: 'observations', type: 'Observation', subjectParameter: 'patient' },
  { key: 'conditions', type: 'Condition', subjectParameter: 'patient' },
  { key: 'medicationRequests', type: 'MedicationRequest', subjectParameter: 'patient' },
  { key: 'encounters', type: 'Encounter', subjectParameter: 'patient' },
  { key: 'consents', type: 'Consent', subjectParameter: 'patient' },
  { key: 'optOutGroups', type: 'Group', subjectParameter: 'member' },
  { key: 'observations', type: 'Observation', subjectParameter: 'patient', codes: [`${loinc}|2160-0`] },
  { key: 'observations', type: 'Observation', subjectParameter: 'patient', codes: [`${loinc}|8302-2`] },
];

function patient(rest: Partial<Patient> = {}): Patient {
  return { resourceType: 'Patient', id: '1', birthDate: '1960-01-01', ...rest };
}

function observation(id: string | undefined, rest: Partial<Observation> = {}): Observation {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: loinc, code: '2160-0' }] },
    subject: { reference: 'Patient/1' },
    effectiveDateTime: '2025-06-01T08:00:00Z',
    valueQuantity: { value: 1, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
    ...rest,
  };
}

function order(id: string, reference: string): MedicationRequest {
  const medicationReference = { reference };
  const subject = { reference: 'Patient/1' };
  return { resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', subject, medicationReference };
}

function medication(id: string, rest: Partial<Medication> = {}): Medication {
  return { resourceType: 'Medication', id, code: { coding: [{ system: rxnorm, code: '617310' }] }, ...rest };
}

function encounter(id: string, owner: string, rest: Partial<Encounter> = {}): Encounter {
  const system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const subject = { reference: owner };
  return { resourceType: 'Encounter', id, status: 'finished', class: { system, code: 'AMB' }, subject, ...rest };
}

async function serve(
  resources: readonly Resource[],
  faults: StubFault[] = [],
): Promise<{ stub: StubFhirServer; source: RecordSource }> {
  const stub = await startStubFhirServer({ resources, faults });
  const client = createFhirClient({
    base: stub.base,
    outbound: outboundTo(stub.base),
    timeoutMs: 5_000,
    maxResources: 5_000,
  });
  opened.push(stub, client);
  return { stub, source: createHttpRecordSource(client, validator) };
}

function gather(source: GatherRequest['source'], rest: Partial<GatherRequest> = {}) {
  const subject = { tenant: 'default', base: source.base, id: '1' };
  return gatherRecord({ source, subject, queries, seed: [], asOf, ...rest });
}

function seeds(...resources: Resource[]) {
  return resources.map((resource, index) => ({ resource, expression: `Parameters.parameter[${index}].resource` }));
}

async function errorOf(promise: Promise<unknown>): Promise<PredictionError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PredictionError)) throw new Error(`expected a PredictionError, got ${String(error)}`);
  return error;
}

const idsOf = (resources: readonly Resource[]) => resources.map(({ id }) => id).sort();

describe('gather record', () => {
  test('gathers the patient and the matches of every query, each once, as of the instant asked for', async () => {
    const { source } = await serve([
      patient(),
      patient({ id: '2' }),
      observation('o1'),
      observation('o2', { subject: { reference: 'urn:uuid:1' } }),
      observation('other', { subject: { reference: 'Patient/2' } }),
      encounter('e1', 'Patient/1'),
    ]);
    const record = await gather(source);
    expect(record.patient).toMatchObject({ id: '1', birthDate: '1960-01-01' });
    expect(idsOf(record.byType('Observation'))).toEqual(['o1', 'o2']);
    expect(idsOf(record.byType('Encounter'))).toEqual(['e1']);
    expect(record.byType('Condition')).toEqual([]);
    expect(record).toMatchObject({ complete: true, asOf, subject: { tenant: 'default', base: source.base, id: '1' } });
    expect(record.encounter).toBeUndefined();
  });

  test('is the same whatever the order in which the server gives its rows', async () => {
    const rows = Array.from({ length: 16 }, (_, index) => observation(`o${index}`));
    const orders: (string | undefined)[][] = [];
    for (const resources of [rows, rows.toReversed()]) {
      const { source } = await serve([patient(), ...resources]);
      orders.push((await gather(source)).byType('Observation').map(({ id }) => id));
    }
    expect(orders[0]).toEqual(orders[1]);
    expect(orders[0]).toHaveLength(16);
  });

  test('cannot be changed by who reads it', async () => {
    const { source } = await serve([patient(), observation('o1')]);
    const record = await gather(source);
    record.asOf.setFullYear(1999);
    expect(record.asOf).toEqual(asOf);
    expect(Object.isFrozen(record)).toBe(true);
    expect(() => (record.byType('Observation') as Observation[]).pop()).toThrow(TypeError);
  });

  test('asks for six things at a time', async () => {
    const { source, stub } = await serve([patient()], [{ kind: 'hang' }]);
    const given = new AbortController();
    const error = errorOf(gather(source, { signal: given.signal }));
    await expect.poll(() => stub.requests.length).toBe(6);
    given.abort();
    expect((await error).code).toBe('RECORD_UNREACHABLE');
    expect(stub.requests).toHaveLength(6);
  });

  test.each(['2', '..', 'a,1', '1/../2'])('SUBJECT_UNKNOWN for the id %j, which no patient there has', async (id) => {
    const { source } = await serve([patient(), observation('o1')]);
    const error = await errorOf(gather(source, { subject: { tenant: 'default', base: source.base, id } }));
    expect(error.code).toBe('SUBJECT_UNKNOWN');
    expect(error.message).toContain(`Patient/${id} at ${source.base}`);
  });

  test('SUBJECT_UNKNOWN even where the server answers searches about an unknown patient with an error', async () => {
    const { source } = await serve([], [{ kind: 'status', status: 400, on: 'search' }]);
    expect((await errorOf(gather(source))).code).toBe('SUBJECT_UNKNOWN');
  });

  test.each(queries.map((query) => query.type))(
    'one failed search for %s makes the whole record unreachable',
    async (type) => {
      const { source } = await serve([patient(), observation('o1')], [{ kind: 'status', status: 500, type }]);
      const error = await errorOf(gather(source));
      expect(error.code).toBe('RECORD_UNREACHABLE');
      expect(error.message).toContain(`search ${type}`);
    },
  );

  test('a search that hangs does not hold up the answer that the patient is unknown', async () => {
    const { source } = await serve([], [{ kind: 'hang', on: 'search' }]);
    expect((await errorOf(gather(source))).code).toBe('SUBJECT_UNKNOWN');
  });

  test('a caller who gives up is answered at once', async () => {
    const { source } = await serve([patient()], [{ kind: 'hang' }]);
    const given = new AbortController();
    const error = errorOf(gather(source, { signal: given.signal }));
    given.abort();
    expect(await error).toMatchObject({ code: 'RECORD_UNREACHABLE', issues: [{ code: 'timeout' }] });
  });

  test('a subject of one server is never read from another', async () => {
    const { source } = await serve([patient()]);
    const subject = { tenant: 'default', base: 'https://elsewhere.example/fhir', id: '1' };
    expect((await errorOf(gather(source, { subject }))).code).toBe('INTERNAL');
  });

  test.each<[string, StubFault]>([
    ['ignores the patient parameter', { kind: 'ignore-parameters', type: 'Observation' }],
    ['adds a row of another patient', { kind: 'foreign-patient', type: 'Observation' }],
  ])('nothing is used of a server that %s', async (_name, fault) => {
    const other = observation('o2', { subject: { reference: 'Patient/2' } });
    const { source } = await serve([patient(), observation('o1'), other], [fault]);
    const error = await errorOf(gather(source));
    expect(error.code).toBe('RECORD_UNREACHABLE');
    expect(error.message).toContain('answered with resources of another patient');
  });

  test('a row that does not say whose it is, or says it of another server, is not used', async () => {
    for (const subject of [
      undefined,
      { display: 'somebody' },
      { reference: 'https://elsewhere.example/fhir/Patient/1' },
    ]) {
      const { source } = await serve(
        [patient(), observation('o1', { subject })],
        [{ kind: 'ignore-parameters', type: 'Observation' }],
      );
      expect((await errorOf(gather(source))).code).toBe('RECORD_UNREACHABLE');
    }
  });

  test.each<[string, Observation, string]>([
    ['a value that is no number', observation('o1', { valueQuantity: { value: '1' as unknown as number } }), 'value'],
    ['a code that is no list', observation('o1', { code: { coding: {} } as Observation['code'] }), 'Observation.code'],
    ['a date that does not exist', observation('o1', { effectiveDateTime: '2025-02-30' }), 'effectiveDateTime'],
    ['no status', observation('o1', { status: undefined }), 'status|Observation'],
  ])('a row with %s makes the record unreachable, for an older one would take its place', async (_name, row, where) => {
    const { source } = await serve([patient(), row, observation('o2')]);
    const error = await errorOf(gather(source));
    expect(error.code).toBe('RECORD_UNREACHABLE');
    expect(error.message).toMatch(
      new RegExp(`answered with a resource \\(Observation\\) that breaks FHIR R4 at .*(${where})`),
    );
    expect(error.message).not.toContain('2025-02-30');
  });

  describe('a row that changes while it is read', () => {
    const corrected = { status: 'corrected', valueQuantity: { value: 2, unit: 'mg/dL' } } as const;
    const first = observation('o1', { meta: { versionId: '1', lastUpdated: '2025-06-01T08:00:00Z' } });
    const second = observation('o1', { ...corrected, meta: { versionId: '2', lastUpdated: '2025-06-02T08:00:00Z' } });
    const query: RecordQuery = { key: 'observations', type: 'Observation', subjectParameter: 'patient' };

    async function gatherPages(...pages: Resource[]) {
      const { source } = await serve([patient()]);
      const search: RecordSource['search'] = async function* () {
        for (const page of pages) yield [page];
      };
      return await gather({ ...source, search }, { queries: [query] });
    }

    test.each([
      ['first', [second, first]],
      ['last', [first, second]],
    ])('counts in its later version, though that comes %s', async (_name, pages) => {
      expect((await gatherPages(...pages)).byType('Observation')).toEqual([second]);
    });

    test('is not guessed at where nothing says which version is the later one', async () => {
      const error = await errorOf(gatherPages(observation('o1'), observation('o1', corrected)));
      expect(error.code).toBe('RECORD_UNREACHABLE');
      expect(error.message).toContain('does not say which is the later one');
    });
  });

  test('a reference to the subject by another spelling of the same server is one to the subject', async () => {
    const { source } = await serve([patient()]);
    const record = await gather(source);
    const other = source.base.replace('http://127.0.0.1', 'HTTP://LocalHost');
    expect(record.isSubject(`${other}/Patient/1`)).toBe(true);
    expect(record.isSubject(`${other}/Patient/2`)).toBe(false);
    expect(record.isSubject(`${other.replace(/:\d+/, ':1')}/Patient/1`)).toBe(false);
  });

  test('a group of other people, from a server that ignores the member parameter, is left out', async () => {
    const group = (id: string, reference: string): Group => {
      return { resourceType: 'Group', id, type: 'person', actual: true, member: [{ entity: { reference } }] };
    };
    const { source } = await serve(
      [patient(), group('g1', 'Patient/1'), group('g2', 'Patient/2')],
      [{ kind: 'ignore-parameters', type: 'Group' }],
    );
    const record = await gather(source);
    expect(idsOf(record.byType('Group'))).toEqual(['g1']);
    expect(record.isSubject(record.byType('Group')[0]?.member?.[0]?.entity.reference)).toBe(true);
  });

  test('a group that matches but hides its members is an error, for it may be an opt-out', async () => {
    const group: Group = { resourceType: 'Group', id: 'g', type: 'person', actual: true, quantity: 12 };
    const { source } = await serve([patient(), group], [{ kind: 'ignore-parameters', type: 'Group' }]);
    expect((await errorOf(gather(source))).message).toContain('members it does not list');
  });

  describe('imaging studies', () => {
    const imaging: RecordQuery[] = [{ key: 'imagingStudies', type: 'ImagingStudy', subjectParameter: 'patient' }];

    test('bring the Endpoints that they and their series refer to, each read once, and no other', async () => {
      const { source, stub } = await serve([
        patient(),
        wadoEndpoint({ id: 'a' }),
        wadoEndpoint({ id: 'b' }),
        wadoEndpoint({ id: 'other' }),
      ]);
      const study = imagingStudy({
        endpoint: [{ reference: 'Endpoint/a' }, { reference: '#contained' }],
        series: [
          imagingSeries({ endpoint: [{ reference: `${source.base}/Endpoint/b` }, { reference: 'Endpoint/a' }] }),
        ],
      });
      const record = await gather(source, { seed: seeds(study), queries: imaging });
      expect(record.byType('Endpoint').map(({ id }) => id)).toEqual(['a', 'b']);
      expect(record.endpoint(`${source.base}/Endpoint/b`)).toMatchObject({ id: 'b' });
      expect(record.endpoint('Endpoint/other')).toBeUndefined();
      expect(record.endpoint('#contained')).toBeUndefined();
      expect(stub.requests.filter(({ url }) => url.includes('/Endpoint/'))).toHaveLength(2);
    });

    test('with an Endpoint may be sent by the caller', async () => {
      const study = imagingStudy({ id: undefined });
      const record = await gather(callerReader([patient(), wadoEndpoint()]), {
        seed: seeds(patient(), wadoEndpoint(), study),
        queries: imaging,
      });
      expect(record.byType('ImagingStudy')).toEqual([study]);
      expect(record.endpoint('Endpoint/pacs')).toMatchObject({ status: 'active' });
    });

    test('of another patient are refused', async () => {
      const { source } = await serve([patient(), wadoEndpoint()]);
      const foreign = imagingStudy({ subject: { reference: 'Patient/2' } });
      await expect(gather(source, { seed: seeds(foreign), queries: imaging })).rejects.toMatchObject({
        code: 'SUBJECT_FOREIGN',
      });
    });
  });

  describe('medications', () => {
    test('reads each referenced Medication once: relative, absolute below the base, urn:uuid', async () => {
      const { source, stub } = await serve([patient(), medication('a'), medication('b'), medication('c')]);
      const requests = [
        order('r1', 'Medication/a'),
        order('r2', 'Medication/a'),
        order('r3', `${source.base}/Medication/b`),
        order('r4', 'urn:uuid:c'),
      ];
      const record = await gather(source, { seed: seeds(...requests) });
      for (const request of record.byType('MedicationRequest')) {
        const found = record.medication(request.medicationReference?.reference ?? '');
        expect(found?.code?.coding?.[0]?.code).toBe('617310');
      }
      expect(stub.requests.filter(({ url }) => url.includes('/Medication/'))).toHaveLength(3);
    });

    test('reads the Medications that statements, administrations and dispenses refer to', async () => {
      const subject = { reference: 'Patient/1' };
      const medicationReference = (id: string) => ({ reference: `Medication/${id}` });
      const taken: Resource[] = [
        {
          resourceType: 'MedicationStatement',
          id: 's',
          status: 'active',
          subject,
          medicationReference: medicationReference('a'),
        },
        {
          resourceType: 'MedicationAdministration',
          id: 'g',
          status: 'completed',
          subject,
          effectiveDateTime: '2025-06-01',
          medicationReference: medicationReference('b'),
        },
        {
          resourceType: 'MedicationDispense',
          id: 'd',
          status: 'completed',
          subject,
          medicationReference: medicationReference('c'),
        },
      ];
      const held = [medication('a'), medication('b'), medication('c')];
      const { source } = await serve([patient(), ...taken, ...held]);
      const asked = ['MedicationStatement', 'MedicationAdministration', 'MedicationDispense'] as const;
      const searches = asked.map((type) => ({ key: type, type, subjectParameter: 'patient' as const }));
      const record = await gather(source, { queries: searches });
      for (const type of asked) {
        const [found] = record.byType(type);
        expect(record.medication(found?.medicationReference?.reference ?? ''), type).toMatchObject({
          resourceType: 'Medication',
        });
      }
      const sent = await gather(source, { queries: [], seed: seeds(...taken) });
      expect(sent.byType('Medication')).toHaveLength(3);
    });

    test('leaves unresolved what is not found, contained, of another type, or another version', async () => {
      const requests = [order('r1', 'Medication/gone'), order('r2', '#contained'), order('r3', 'Substance/a')];
      const versioned = order('r4', 'Medication/a/_history/1');
      const held = medication('a', { meta: { versionId: '2' } });
      const { source } = await serve([patient(), held, ...requests, versioned]);
      const record = await gather(source);
      for (const request of record.byType('MedicationRequest')) {
        expect(record.medication(request.medicationReference?.reference ?? '')).toBeUndefined();
      }
      expect(record.medication('Medication/a/_history/2')).toMatchObject({ id: 'a' });
    });

    test('never follows a reference to another server', async () => {
      const elsewhere = await serve([medication('a')]);
      const { source } = await serve([patient(), order('r1', `${elsewhere.source.base}/Medication/a`)]);
      const record = await gather(source);
      expect(record.medication(`${elsewhere.source.base}/Medication/a`)).toBeUndefined();
      expect(elsewhere.stub.requests).toEqual([]);
    });

    test('a Medication that cannot be read makes the record unreachable', async () => {
      const { source } = await serve(
        [patient(), order('r1', 'Medication/a'), medication('a')],
        [{ kind: 'status', status: 500, type: 'Medication' }],
      );
      expect((await errorOf(gather(source))).code).toBe('RECORD_UNREACHABLE');
    });

    test('one that fails gives up the reads of the others', async () => {
      const { source } = await serve([patient(), order('r1', 'Medication/a'), order('r2', 'Medication/b')]);
      const waiting: AbortSignal[] = [];
      const failing: RecordSource = {
        ...source,
        read: async (_type, id, signal) => {
          if (id === 'b') throw new PredictionError('RECORD_UNREACHABLE', 'The server failed.');
          if (signal !== undefined) waiting.push(signal);
          return await new Promise(() => undefined);
        },
      };
      expect((await errorOf(gather(failing))).code).toBe('RECORD_UNREACHABLE');
      expect(waiting.map(({ aborted }) => aborted)).toEqual([true]);
    });
  });

  describe('encounter of the request', () => {
    test('is read, belongs to the record and is there once', async () => {
      const { source } = await serve([patient(), encounter('e1', 'Patient/1')]);
      const record = await gather(source, { encounter: 'e1' });
      expect(record.encounter).toMatchObject({ id: 'e1' });
      expect(record.byType('Encounter')).toEqual([record.encounter]);
    });

    test('RESOURCE_UNKNOWN where there is none', async () => {
      const { source } = await serve([patient()]);
      const error = await errorOf(gather(source, { encounter: 'e9' }));
      expect(error.code).toBe('RESOURCE_UNKNOWN');
      expect(error.message).toContain('Encounter/e9');
    });

    test('SUBJECT_FOREIGN where it belongs to another patient', async () => {
      const { source } = await serve([patient(), encounter('e2', 'Patient/2')]);
      expect((await errorOf(gather(source, { encounter: 'e2' }))).code).toBe('SUBJECT_FOREIGN');
    });

    test.each<[string, Partial<Encounter>, RegExp]>([
      ['was entered in error', { status: 'entered-in-error' }, /has the status entered-in-error/],
      ['was cancelled', { status: 'cancelled' }, /has the status cancelled/],
      ['begins a minute after as-of', { period: { start: '2026-01-01T00:01:00Z' } }, /begins after as-of/],
      ['begins days after as-of', { period: { start: '2026-01-03' } }, /begins after as-of/],
    ])('a prediction is not made for an encounter that %s', async (_name, rest, said) => {
      const { source } = await serve([patient(), encounter('e1', 'Patient/1', rest)]);
      const error = await errorOf(gather(source, { encounter: 'e1' }));
      expect(error).toMatchObject({ code: 'PARAMETER_INVALID', issues: [{ code: 'business-rule' }] });
      expect(error.message).toMatch(said);
      expect(error.message).toContain(`Encounter/e1 at ${source.base}`);
    });

    test.each<[string, Partial<Encounter>]>([
      ['began within the minute to which as-of is cut', { period: { start: '2026-01-01T00:00:59Z' } }],
      ['began on a day that has come somewhere', { period: { start: '2026-01-01' } }],
      ['does not say when it began', {}],
    ])('an encounter that %s is accepted', async (_name, rest) => {
      const { source } = await serve([patient(), encounter('e1', 'Patient/1', rest)]);
      expect((await gather(source, { encounter: 'e1' })).encounter).toMatchObject({ id: 'e1' });
    });
  });

  describe('seeds', () => {
    test('are added to what the server holds', async () => {
      const { source } = await serve([patient(), observation('o1')]);
      const seed = seeds(
        observation('o2'),
        observation(undefined, { subject: { reference: `${source.base}/Patient/1` } }),
        observation('o3', { subject: { reference: 'urn:uuid:1' } }),
        medication('m1'),
      );
      const record = await gather(source, { seed });
      expect(idsOf(record.byType('Observation'))).toEqual(['o1', 'o2', 'o3', undefined]);
      expect(record.medication('Medication/m1')).toMatchObject({ id: 'm1' });
    });

    test('that equal what the server holds, but for meta, are harmless', async () => {
      const held = observation('o1', { meta: { versionId: '3', lastUpdated: '2025-06-02T00:00:00Z' } });
      const { source } = await serve([patient(), held]);
      const record = await gather(source, { seed: seeds(observation('o1'), patient()) });
      expect(record.byType('Observation')).toEqual([held]);
      expect(record.sourceReference(record.byType('Observation')[0] ?? patient()).reference).toMatch(/_history\/3$/);
    });

    test.each<[string, Resource]>([
      ['an Observation', observation('o1', { valueQuantity: { value: 2, unit: 'mg/dL' } })],
      ['the Patient', patient({ birthDate: '1990-01-01' })],
      ['a Medication', medication('m1', { code: { text: 'other' } })],
    ])('SEED_CONFLICT where %s contradicts the one the server holds', async (_name, resource) => {
      const { source } = await serve([patient(), observation('o1'), order('r1', 'Medication/m1'), medication('m1')]);
      const error = await errorOf(gather(source, { seed: seeds(resource) }));
      expect(error.code).toBe('SEED_CONFLICT');
      expect(error.issues[0]?.expression).toBe('Parameters.parameter[0].resource');
    });

    test('SEED_CONFLICT where two of them say different things under one id', async () => {
      const { source } = await serve([patient()]);
      const seed = seeds(observation('o1'), observation('o1'), observation('o1', { status: 'preliminary' }));
      const error = await errorOf(gather(source, { seed }));
      expect(error).toMatchObject({ code: 'SEED_CONFLICT', issues: [{ expression: seed[2]?.expression }] });
    });

    const elsewhere = { reference: 'https://elsewhere.example/fhir/Patient/1' };
    test.each<[string, Resource]>([
      ['an Observation of another patient', observation('x', { subject: { reference: 'Patient/2' } })],
      ['an Observation of a patient whose id begins alike', observation('x', { subject: { reference: 'Patient/10' } })],
      ['an Observation of Patient/1 on another server', observation('x', { subject: elsewhere })],
      ['an Observation of a contained patient', observation('x', { subject: { reference: '#1' } })],
      ['an Observation of a Group with the same id', observation('x', { subject: { reference: 'Group/1' } })],
      ['an Observation of nobody', observation('x', { subject: undefined })],
      ['an Observation of somebody without a reference', observation('x', { subject: { display: 'Patient/1' } })],
      ['another Patient', patient({ id: '2' })],
      ['a Patient without an id', patient({ id: undefined })],
      ['an Encounter of another patient', encounter('x', 'Patient/2')],
      ['a Group without the subject', { resourceType: 'Group', type: 'person', actual: true } as Resource],
      [
        'a resource the path cannot use',
        { resourceType: 'Procedure', status: 'completed', subject: { reference: 'Patient/2' } },
      ],
      [
        'a resource that names two patients',
        { resourceType: 'Procedure', subject: { reference: 'Patient/1' }, patient: elsewhere } as unknown as Resource,
      ],
    ])('SUBJECT_FOREIGN for %s, naming which, before anything is read', async (_name, resource) => {
      const { source, stub } = await serve([patient()]);
      const error = await errorOf(gather(source, { seed: seeds(observation('o1'), resource) }));
      expect(error.code).toBe('SUBJECT_FOREIGN');
      expect(error.message).toContain(`${resource.resourceType} at Parameters.parameter[1].resource`);
      expect(error.issues[0]?.expression).toBe('Parameters.parameter[1].resource');
      expect(stub.requests).toEqual([]);
    });

    test.each<Resource>([
      { resourceType: 'Organization', name: 'Synthetic' },
      { resourceType: 'ClinicalImpression', status: 'completed', subject: { reference: 'Patient/1' } },
      {
        resourceType: 'AppointmentResponse',
        participantStatus: 'accepted',
        actor: { reference: 'Patient/2' },
      } as Resource,
    ])('of a type that is not used are refused, never left out in silence: $resourceType', async (resource) => {
      const { source, stub } = await serve([patient()]);
      const error = await errorOf(gather(source, { seed: seeds(observation('o1'), resource) }));
      expect(error.code).toBe('PARAMETER_INVALID');
      expect(error.message).toContain(`${resource.resourceType} at Parameters.parameter[1].resource`);
      expect(error.message).toContain('Patient, Observation, Condition, MedicationRequest, Medication, Encounter');
      expect(error.issues[0]?.expression).toBe('Parameters.parameter[1].resource');
      expect(stub.requests).toEqual([]);
    });

    test('SUBJECT_FOREIGN comes before a type that is not used, wherever it stands', async () => {
      const { source } = await serve([patient()]);
      const foreign = observation('x', { subject: { reference: 'Patient/2' } });
      const seed = seeds({ resourceType: 'Organization', name: 'Synthetic' }, foreign);
      expect((await errorOf(gather(source, { seed }))).code).toBe('SUBJECT_FOREIGN');
    });

    describe('with an id that no query returns', () => {
      const noQueries = { queries: [] };

      test('are never cited as what the server holds under that id, where it is of another patient', async () => {
        const theirs = observation('o9', { subject: { reference: 'Patient/2' } });
        const { source } = await serve([patient(), theirs]);
        const error = await errorOf(gather(source, { ...noQueries, seed: seeds(observation('o9')) }));
        expect(error).toMatchObject({
          code: 'SUBJECT_FOREIGN',
          issues: [{ expression: 'Parameters.parameter[0].resource' }],
        });
        expect(error.message).toContain(`has the id of one at ${source.base} that belongs to another patient`);
      });

      test('SEED_CONFLICT where the server holds something else under it', async () => {
        const { source } = await serve([patient(), observation('o9', { status: 'amended' })]);
        const error = await errorOf(gather(source, { ...noQueries, seed: seeds(observation('o9')) }));
        expect(error.code).toBe('SEED_CONFLICT');
      });

      test('are cited with the version the server holds, where it holds the same', async () => {
        const { source } = await serve([patient(), observation('o9', { meta: { versionId: '4' } })]);
        const record = await gather(source, { ...noQueries, seed: seeds(observation('o9')) });
        expect(record.byType('Observation').map(record.sourceReference)).toEqual([
          { reference: `${source.base}/Observation/o9/_history/4` },
        ]);
      });

      test('are cited in words, without a reference, where the server holds nothing', async () => {
        const { source } = await serve([patient()]);
        const record = await gather(source, { ...noQueries, seed: seeds(observation('o9'), medication('m9')) });
        expect(record.byType('Observation').map(record.sourceReference)).toEqual([
          { display: 'Observation/o9 sent by the caller, not stored' },
        ]);
        expect(record.medication('Medication/m9')).toMatchObject({ id: 'm9' });
      });

      test('make the record unreachable where the server cannot be asked', async () => {
        const { source } = await serve([patient()], [{ kind: 'status', status: 500, type: 'Observation' }]);
        const error = await errorOf(gather(source, { ...noQueries, seed: seeds(observation('o9')) }));
        expect(error.code).toBe('RECORD_UNREACHABLE');
      });
    });
  });

  describe('source references', () => {
    test('are absolute and name the version where the server told it', async () => {
      const { source } = await serve([patient(), observation('o1', { meta: { versionId: '3' } })]);
      const record = await gather(source, { seed: seeds(observation('o2', { meta: { versionId: '7' } })) });
      const references = record.byType('Observation').map((resource) => record.sourceReference(resource).reference);
      expect(references).toEqual([`${source.base}/Observation/o1/_history/3`, undefined]);
      expect(record.sourceReference(record.patient)).toEqual({ reference: `${source.base}/Patient/1` });
    });

    test('stay relative where the source is the own store', async () => {
      const { source } = await serve([patient(), observation('o1', { meta: { versionId: '3' } })]);
      const record = await gather({ ...source, own: true });
      expect(record.byType('Observation').map(record.sourceReference)).toEqual([
        { reference: 'Observation/o1/_history/3' },
      ]);
    });

    test('say in words what the caller sent without an id', async () => {
      const { source } = await serve([patient()]);
      const record = await gather(source, { seed: seeds(observation(undefined)) });
      expect(record.byType('Observation').map(record.sourceReference)).toEqual([
        { display: 'Observation sent by the caller, not stored' },
      ]);
    });

    test('are of one where the caller sent the same twice without an id, so that nothing is counted twice', async () => {
      const { source } = await serve([patient()]);
      const one = observation(undefined);
      const { resourceType: _, ...rest } = one;
      const again: Observation = { ...rest, resourceType: 'Observation' };
      const later = observation(undefined, { meta: { lastUpdated: '2025-06-02T08:00:00Z' } });
      const record = await gather(source, { seed: seeds(one, again, later, observation('o1')) });
      expect(record.byType('Observation')).toEqual([observation('o1'), one, later]);
    });

    test('are refused for a resource that is not of the record', async () => {
      const { source } = await serve([patient(), observation('o1')]);
      const record = await gather(source);
      expect(() => record.sourceReference(observation('o1'))).toThrow(PredictionError);
    });
  });

  test('two servers that both hold Patient/1: nothing of one is ever in a record of the other', async () => {
    const hold = (name: string, count: number) => [
      patient({ name: [{ family: name }] }),
      ...Array.from({ length: count }, (_, index) =>
        observation(`o${index}`, { note: [{ text: name }], valueQuantity: { value: index, unit: name } }),
      ),
      order('r1', 'Medication/m1'),
      medication('m1', { code: { text: name } }),
    ];
    const servers = [
      { name: 'north', ...(await serve(hold('north', 9))) },
      { name: 'south', ...(await serve(hold('south', 16))) },
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 1 }), { minLength: 2, maxLength: 6 }), async (turns) => {
        const gathered = turns.map(async (turn) => {
          const server = servers[turn];
          if (server === undefined) throw new Error('no such server');
          const record = await gather(server.source);
          const other = server.name === 'north' ? 'south' : 'north';
          const text = JSON.stringify([
            record.patient,
            ...queries.map(({ type }) => record.byType(type)),
            record.medication('Medication/m1'),
            record.byType('Observation').map(record.sourceReference),
          ]);
          expect(text).toContain(server.name);
          expect(text).not.toContain(other);
          expect(text).not.toContain(servers[1 - turn]?.source.base);
          expect(record.byType('Observation')).toHaveLength(server.name === 'north' ? 9 : 16);
        });
        await Promise.all(gathered);
      }),
      { numRuns: 25 },
    );
  });
});
