import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { bulkExport } from '../../src/model-catalog/bulk-export.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import type { RecordQuery } from '../../src/model-catalog/record-queries.ts';
import { type InputParts, type InputRequest, readModelInputs } from '../../src/prediction/model-inputs.ts';
import type { PredictableModel } from '../../src/prediction/prediction-parts.ts';
import type { RecordOrigin, Seed } from '../../src/prediction/prediction-request.ts';
import { withRecordsOf } from '../../src/prediction/with-records-of.ts';
import { recordTypes } from '../../src/records/clinical-record.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import type { RecordSource } from '../../src/records/record-source.ts';
import { makeMatrix } from '../support/make-matrix.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { startStubFhirServer } from '../support/stub-fhir-server.ts';
import { bitsOf, sourcesOf, type ToldRow, toldBy, toldByCsv, toldByParquet } from '../support/told-row.ts';

/** In CI a tenth of those that `npm run soak` asks about: the 1,000 take several minutes. */
const patients = Number(process.env.FOUR_WAYS_PATIENTS ?? 100);
const atOnce = 20;
/** A search of the own store costs ten times what one of the small server does: it is asked about one patient in ten. */
const ownEvery = 10;
const asOf = new Date('2026-11-22T15:30:00Z');
const optOutBy = ['consent', 'group'] as const;

let server: StartedFhirsight;
let models: { readonly key: string; readonly map: FeatureMap; readonly model: PredictableModel }[] = [];
let parts: InputParts & Pick<StartedFhirsight['house']['prediction'], 'findModel'>;
const ids = Array.from({ length: patients }, (_, index) => `sample-${String(index + 1).padStart(4, '0')}`);

beforeAll(async () => {
  server = await startFhirsight({ models: 'published', clock: { now: () => asOf } });
  await loadSamplePatients(server.house, { patients, seed: 1, referenceDate: '2026-11-22' });
  const { prediction, catalog } = server.house;
  // What the store holds was validated when it was stored; here it would cost the test more than all else.
  parts = { ...prediction, validate: () => undefined };
  models = catalog.list().map(({ key, featureMap, manifest }) => ({
    key,
    map: featureMap,
    model: prediction.findModel(manifest.id, manifest.version),
  }));
}, 300_000);
afterAll(() => server?.close());

/** The whole records of some patients, as a client that holds everything has them. */
async function wholeRecords(subjects: readonly string[]): Promise<Map<string, Resource[]>> {
  const { source } = parts;
  const queries = recordTypes
    .filter((type): type is RecordQuery['type'] => type !== 'Patient' && type !== 'Medication')
    .map((type): RecordQuery => ({ key: type, type, subjectParameter: type === 'Group' ? 'member' : 'patient' }));
  const read = await source.readMany?.({ subjects, queries, also: [] });
  if (read === undefined) throw new Error('the own store reads many at once');
  const medications = [...read.others.values()];
  return new Map(
    subjects.map((id) => {
      const { patient, rows = [] } = read.subjects.get(id) ?? {};
      if (patient === undefined) throw new Error(`there is no ${id}`);
      // Ids of sample resources begin with those of their patient.
      return [id, [patient, ...rows, ...medications.filter((found) => found.id?.startsWith(`${id}-`))]];
    }),
  );
}

const seedsOf = (resources: readonly Resource[]): Seed[] =>
  resources.map((resource, index) => ({ resource, expression: `resource[${index}]` }));

/** What an EHR answers to a search by type and code. */
function found(record: readonly Resource[], search: string): Resource[] {
  const [type = '', query = ''] = search.split('?');
  const codes = new URLSearchParams(query).get('code')?.split(',');
  const matches = record.filter((resource) => {
    if (resource.resourceType !== type) return false;
    const { coding = [] } =
      (resource as { readonly code?: { coding?: { system?: string; code?: string }[] } }).code ?? {};
    return codes === undefined || coding.some(({ system, code }) => codes.includes(`${system}|${code}`));
  });
  // A referenced Medication comes with the orders, for nobody can be asked for it.
  return type.startsWith('Medication') && type !== 'Medication'
    ? [...matches, ...record.filter(({ resourceType }) => resourceType === 'Medication')]
    : matches;
}

function prefetched(record: readonly Resource[], map: FeatureMap): RecordOrigin {
  const templates = Object.entries(prefetchTemplates(map, optOutBy));
  const answers = templates.map(([key, template]): [string, Seed[]] => [
    key,
    seedsOf(found(record, template.startsWith('Patient/') ? 'Patient' : template)),
  ]);
  return { from: 'caller', answers: new Map(answers) };
}

/** The rows of a Bulk Data export that the model asks for. */
function exported(record: readonly Resource[], map: FeatureMap): Seed[] {
  const { _type, _typeFilter } = bulkExport([map], optOutBy);
  return seedsOf(
    _type.split(',').flatMap((type) => {
      const filters = _typeFilter.filter((filter) => filter.startsWith(`${type}?`));
      const rows = filters.length === 0 ? [type] : filters;
      return [...new Set(rows.flatMap((filter) => found(record, filter)))].filter(
        ({ resourceType }) => resourceType === type,
      );
    }),
  );
}

interface SearchedServer {
  readonly parts: InputParts;
  close(): Promise<void>;
}

/** A FHIR server over HTTP; a search that several models send about one patient is sent once. */
function searchedOverHttp(base: string): SearchedServer {
  const client = createFhirClient({ base, outbound: outboundTo(base), timeoutMs: 30_000, maxResources: 10_000 });
  const source = createHttpRecordSource(client, { findings: () => [] });
  const answers = new Map<string, Promise<unknown>>();
  const once = async <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = (answers.get(key) as Promise<T> | undefined) ?? ask();
    answers.set(key, answer);
    return await answer;
  };
  const remembering: RecordSource = {
    ...source,
    readPatient: (id) => once(`Patient/${id}`, () => source.readPatient(id)),
    read: (type, id) => once(`${type}/${id}`, () => source.read(type, id)),
    async *search(query, id) {
      const { key: _, ...asked } = query;
      yield* await once(JSON.stringify([asked, id]), () => Array.fromAsync(source.search(query, id)));
    },
  };
  return { parts: { ...parts, source: remembering }, close: () => client.close() };
}

/** The columns in which a row is not what it must be. */
function differences(where: string, row: ToldRow | undefined, wanted: ToldRow): string[] {
  if (row === undefined) return [`${where}: no row`];
  return Object.keys(wanted)
    .filter((name) => row[name] !== wanted[name])
    .map((name) => `${where} ${name}: ${row[name]} instead of ${wanted[name]}`);
}

describe('the inputs of every bundled model', () => {
  it('are bit-identical by prefetch, FHIR search, batch rows, Bulk Data and extract, over many sample patients', async () => {
    expect(models.length).toBeGreaterThan(2);
    const wanted = new Map<string, ToldRow>();
    const different: string[] = [];
    let values = 0;
    for (let at = 0; at < patients; at += atOnce) {
      const slice = ids.slice(at, at + atOnce);
      const whole = await wholeRecords(slice);
      const elsewhere = await startStubFhirServer({ resources: [...whole.values()].flat(), pageSize: 40 });
      const [stub, own] = [searchedOverHttp(elsewhere.base), searchedOverHttp(server.fhir)];
      for (const { key, map, model } of models) {
        const batch = await withRecordsOf(parts, slice, model.queriesAt(asOf));
        await Promise.all(
          slice.map(async (subject) => {
            const record = whole.get(subject) ?? [];
            const read = async (from: InputParts, more: Partial<InputRequest> = {}) =>
              (await readModelInputs(from, model, { subject, asOf, seed: [], inputs: [], ...more })).inputs;
            const where = `${key} ${subject}`;
            const inputs = await read(batch);
            const told = toldBy(model, inputs);
            const sources = sourcesOf(inputs);
            wanted.set(where, { ...told, ...sources });
            values += [...inputs.features.values()].filter(({ state }) => state !== 'missing').length;

            const searched = await read(stub.parts);
            different.push(...differences(`search ${where}`, toldBy(model, searched), told));
            different.push(...differences(`search ${where}`, sourcesOf(searched, elsewhere.base), sources));
            if (slice.indexOf(subject) % ownEvery === 0) {
              const answered = await read(own.parts);
              different.push(...differences(`own search ${where}`, toldBy(model, answered), told));
              different.push(...differences(`own search ${where}`, sourcesOf(answered, server.fhir), sources));
            }
            const hooked = await read(parts, { origin: prefetched(record, map) });
            different.push(...differences(`prefetch ${where}`, toldBy(model, hooked), told));
            const bulk = await read(parts, { origin: { from: 'caller' }, seed: exported(record, map) });
            different.push(...differences(`bulk ${where}`, toldBy(model, bulk), told));
          }),
        );
      }
      await Promise.all([stub.close(), own.close(), elsewhere.close()]);
    }
    expect(different).toEqual([]);

    for (const { key, model } of models) {
      const args = ['--model', key, '--cohort', 'all', '--as-of', asOf.toISOString()];
      const { rows, tally } = await makeMatrix(server.house, args);
      const { objects } = await makeMatrix(server.house, args, 'parquet');
      expect([tally.failed, rows.length, objects.length]).toEqual([0, patients, patients]);
      for (const row of rows) {
        const where = `${key} ${row.subject}`;
        different.push(...differences(`csv ${where}`, toldByCsv(model, row), wanted.get(where) ?? {}));
      }
      for (const row of objects) {
        const where = `${key} ${bitsOf(row.subject)}`;
        different.push(...differences(`parquet ${where}`, toldByParquet(row), wanted.get(where) ?? {}));
      }
      expect(new Set(rows.map(({ subject }) => subject)).size).toBe(patients);
    }
    expect(different).toEqual([]);
    expect(wanted.size).toBe(patients * models.length);
    expect(values).toBeGreaterThan(patients * models.length);
  }, 600_000);
});
