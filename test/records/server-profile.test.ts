import type { Condition, Observation, Resource } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { generateSamplePatients } from '../../src/cli/sample-patients/generate-sample-patients.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { keptServerProfile, type ServerProfileReader } from '../../src/fhir/client/kept-server-profile.ts';
import type { DeclaredServer } from '../../src/fhir/client/server-profile.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { type RecordQuery, recordQueries } from '../../src/model-catalog/record-queries.ts';
import { withSiteQueries } from '../../src/model-catalog/site-queries.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import type { RecordSource } from '../../src/records/record-source.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { shippedModel } from '../support/shipped-model.ts';
import type { StubAbilities } from '../support/stub-abilities.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

const validator = createResourceValidator();
const asOf = new Date('2026-03-01T12:00:00Z');
const prevent = await shippedModel('prevent-base');
const compiled = compileFeatureMap(prevent.featureMap, prevent.lookups);
const patients: Resource[][] = [...generateSamplePatients({ patients: 6, seed: 1, referenceDate: asOf })];
const clinical = 'http://terminology.hl7.org/CodeSystem/condition-category';
const categories = ['problem-list-item', 'encounter-diagnosis'];
const allCategories = categories.map((code) => `${clinical}|${code}`);

/** The sample patients, with their diagnoses filed under two categories, as Epic keeps them. */
const records = patients.flat().map((resource, index): Resource => {
  if (resource.resourceType !== 'Condition') return resource;
  return { ...resource, category: [{ coding: [{ system: clinical, code: categories[index % 2] }] }] } as Condition;
});

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

interface Server {
  readonly abilities?: StubAbilities;
  readonly faults?: StubFault[];
  readonly pageSize?: number;
  readonly resources?: readonly Resource[];
}

async function serve(
  { resources = records, ...rest }: Server,
  declared: DeclaredServer = {},
): Promise<{ stub: StubFhirServer; source: RecordSource; profile: ServerProfileReader }> {
  const stub = await startStubFhirServer({ resources, ...rest });
  const headers = { prefer: 'handling=strict' };
  const client = createFhirClient({
    base: stub.base,
    outbound: outboundTo(stub.base),
    timeoutMs: 5_000,
    maxResources: 20_000,
    headers,
  });
  opened.push(stub, client);
  const profile = keptServerProfile(client, declared);
  return { stub, profile, source: createHttpRecordSource(client, validator, profile) };
}

function queriesOf(site: Record<string, string> = {}): RecordQuery[] {
  return withSiteQueries(recordQueries(prevent.featureMap, asOf, ['consent', 'group']), site);
}

/** What the model gets to see of each sample patient. */
async function inputsFrom(source: RecordSource, queries = queriesOf()) {
  const inputs = [];
  for (const [patient] of patients) {
    const subject = { tenant: 'default', base: source.base, id: patient?.id ?? '' };
    const record = await gatherRecord({ source, subject, queries, seed: [], asOf });
    const { features } = extractFeatures(record, compiled, prevent.manifest, new Map(), 'UTC');
    inputs.push([...features].map(([name, value]) => [name, { ...value, sources: [] }]));
  }
  return inputs;
}

async function rowsOf(source: RecordSource, key: string, id = 'sample-0001', queries = queriesOf()) {
  const query = queries.find((each) => each.key === key);
  if (query === undefined) throw new Error(`there is no query ${key}`);
  const rows: Resource[] = [];
  for await (const page of source.search(query, id)) rows.push(...page);
  return rows;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PredictionError)) throw new Error(`expected a PredictionError, got ${String(error)}`);
  expect(error.code).toBe('RECORD_UNREACHABLE');
  return error.message;
}

const searchesFor = ({ requests }: StubFhirServer, type: string) =>
  requests.filter(({ url }) => url.startsWith(`/fhir/${type}?`)).map(({ url }) => decodeURIComponent(url));

describe('the inputs of a model are the same', () => {
  const epic = { needs: { Observation: ['category', 'code'], Condition: ['category'] } };
  const servers: [string, Server, DeclaredServer][] = [
    [
      'at a server that wants a category or a code',
      { abilities: epic },
      { types: { Condition: { needs: ['category'], allCategories } } },
    ],
    ['at one that gives at most 3 rows at a time', { pageSize: 3 }, { pageSize: 100 }],
    [
      'at one that knows patient alone, says so, and refuses everything else',
      {
        abilities: {
          knows: { Observation: ['patient'], Condition: ['patient'], Encounter: ['patient'] },
          honoursStrict: true,
        },
      },
      {},
    ],
    [
      'at one that passes over what it does not know, and hides that',
      {
        abilities: {
          knows: { Observation: ['patient'], Encounter: ['patient'] },
          states: { silent: true },
          hidesWhatItIgnored: true,
        },
      },
      {},
    ],
    [
      'at one that knows subject, not patient',
      { abilities: { knows: { Condition: ['subject'] }, honoursStrict: true } },
      {},
    ],
  ];
  test.each(servers)('%s', async (_, server, declared) => {
    const plain = await serve({ pageSize: 500 });
    const { source } = await serve(server, declared);
    expect(await inputsFrom(source)).toEqual(await inputsFrom(plain.source));
  });
});

describe('a server that cannot give what is asked for is not silently asked for less', () => {
  test('one that wants a category for diagnoses, and nobody says which there are', async () => {
    const abilities = { needs: { Condition: ['category'] } };
    const silent = await serve({ abilities });
    expect(await refusal(rowsOf(silent.source, 'conditions'))).toContain('refused the request (400)');
    const { source } = await serve({ abilities }, { types: { Condition: { needs: ['category'] } } });
    expect(await refusal(rowsOf(source, 'conditions'))).toMatch(
      /needs category to search Condition.*types\.Condition of FHIR_SERVER_PROFILE/,
    );
  });

  test('one whose diagnoses stand under two categories gives those of both', async () => {
    const { source, stub } = await serve({}, { types: { Condition: { needs: ['category'], allCategories } } });
    const plain = await serve({});
    const ids = (rows: readonly Resource[]) => rows.map(({ id }) => id).sort();
    for (const [patient] of patients) {
      const id = patient?.id ?? '';
      expect(ids(await rowsOf(source, 'conditions', id))).toEqual(ids(await rowsOf(plain.source, 'conditions', id)));
    }
    expect(searchesFor(stub, 'Condition')[0]).toContain(
      `category=${clinical}|problem-list-item,${clinical}|encounter-diagnosis`,
    );
  });

  test('one that does not search a type, as its /metadata says', async () => {
    const { source, stub } = await serve({ abilities: { states: { without: ['Consent', 'MedicationRequest'] } } });
    expect(await refusal(rowsOf(source, 'medicationRequests'))).toMatch(/does not search MedicationRequest/);
    expect(await refusal(rowsOf(source, 'consents'))).toMatch(/set OPT_OUT_BY/);
    expect(searchesFor(stub, 'Consent')).toEqual([]);
  });

  test('one that knows no parameter for the patient', async () => {
    const { source } = await serve({ abilities: { knows: { Condition: ['code'], Group: ['code'] } } });
    expect(await refusal(rowsOf(source, 'conditions'))).toMatch(/does not search Condition by patient/);
    expect(await refusal(rowsOf(source, 'optOutGroups'))).toMatch(/does not search Group by member.*OPT_OUT_BY/);
  });

  test('one that ignores the patient and says so in its self link, though every row is of the subject', async () => {
    const resources = records.filter(({ resourceType }) => resourceType !== 'Observation');
    const own: Observation = {
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2093-3' }] },
      subject: { reference: 'Patient/sample-0001' },
    };
    const abilities = { knows: { Observation: ['code'] }, states: { silent: true } };
    const { source } = await serve({ resources: [...resources, own], abilities });
    expect(await refusal(rowsOf(source, 'observations'))).toContain(
      'ignored the parameter patient, by its own account',
    );
  });

  test('one that ignores the patient and hides it', async () => {
    const abilities = { knows: { Observation: ['code'] }, states: { silent: true }, hidesWhatItIgnored: true };
    const { source } = await serve({ abilities });
    expect(await refusal(inputsFrom(source))).toContain('answered with resources of another patient');
  });

  test('one that is strict about a parameter that its /metadata did not list', async () => {
    const abilities = { knows: { Observation: ['patient'] }, states: { silent: true }, honoursStrict: true };
    const { source } = await serve({ abilities });
    expect(await refusal(rowsOf(source, 'observations'))).toContain('refused the request (400)');
    const told = await serve({ abilities }, { types: { Observation: { parameters: ['patient'] } } });
    expect(await rowsOf(told.source, 'observations')).not.toEqual([]);
  });
});

describe('the searches of a site', () => {
  test('stand in the place of ours, with the id of the subject and the limit of the date', async () => {
    const { source, stub } = await serve({});
    const site = {
      observations: `Observation?subject=Patient/{{patient}}&code=${queriesOf()[0]?.codes?.join(',')}`,
      encounters: 'Encounter?patient={{patient}}&date=ge{{since}}',
    };
    const plain = await serve({});
    expect(await inputsFrom(source, queriesOf(site))).toEqual(await inputsFrom(plain.source));
    expect(searchesFor(stub, 'Observation')[0]).toContain(
      '?subject=Patient/sample-0001&_count=200&code=http://loinc.org|',
    );
    expect(searchesFor(stub, 'Encounter')[0]).toMatch(/\?patient=sample-0001&date=ge\d{4}-\d\d-\d\dT[^{]*Z&/);
  });
});

describe('/metadata', () => {
  const asked = ({ requests }: StubFhirServer) => requests.filter(({ url }) => url === '/fhir/metadata').length;

  test('is read once, also by many at once', async () => {
    const { source, stub, profile } = await serve({});
    await Promise.all([profile(), profile(), rowsOf(source, 'conditions'), rowsOf(source, 'observations')]);
    await inputsFrom(source);
    expect(asked(stub)).toBe(1);
  });

  test('is read again where it could not be read', async () => {
    const { source, stub } = await serve({ faults: [{ kind: 'status', status: 500, on: 'metadata', times: 1 }] });
    expect(await refusal(rowsOf(source, 'conditions'))).toMatch(/failed \(500\) \(capabilities\)/);
    expect(await rowsOf(source, 'conditions', 'sample-0002')).toBeInstanceOf(Array);
    expect(asked(stub)).toBe(2);
  });

  test('that is none is refused, and not read where the site says so', async () => {
    const faults: StubFault[] = [{ kind: 'patient-instead', on: 'metadata' }];
    const { source } = await serve({ faults });
    expect(await refusal(rowsOf(source, 'conditions'))).toMatch(/"metadata": "ignore"/);
    const told = await serve({ faults }, { metadata: 'ignore' });
    await rowsOf(told.source, 'conditions');
    expect(asked(told.stub)).toBe(0);
  });

  test('that hangs holds nobody longer than they wait', async () => {
    const { profile } = await serve({ faults: [{ kind: 'hang', on: 'metadata' }] });
    const controller = new AbortController();
    const waiting = profile(controller.signal);
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
  });
});
