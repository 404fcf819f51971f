import type { Device, Extension, Observation, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkResource } from '../support/checked/check-resource.ts';
import { send } from '../support/fhir-test-server.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { predictOverHttp, readInputs } from '../support/predict-call.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { siteOf, type WrittenSite, writeSite } from '../support/site-file.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

// One server with a site file and one without, both with a model whose creatinine and cholesterol are concepts.

const local = 'urn:oid:1.2.3.4.5';
const clock = { now: () => new Date('2026-03-01T10:00:00Z') };
let folder: ModelFolder;
let site: WrittenSite;
let withSite: StartedFhirsight;
let without: StartedFhirsight;
let resultOfSite: RiskAssessment | undefined;

beforeAll(async () => {
  folder = await copyModel('prevent-base');
  await folder.edit('feature-map.json', (map) => {
    map.concepts = {};
    for (const name of ['creatinine', 'totalCholesterol']) {
      map.concepts[name] = { display: map.features[name].label, codes: map.features[name].codes };
      map.features[name].codes = [{ concept: name }];
    }
    map.concepts.creatinine.codes = [{ valueSet: 'creatinine' }];
  });
  await folder.write(
    'valueSets/creatinine.json',
    JSON.stringify({
      resourceType: 'ValueSet',
      url: 'http://example.org/ValueSet/creatinine',
      version: '2026',
      compose: { include: [{ system: 'http://loinc.org', concept: [{ code: '2160-0' }, { code: '38483-4' }] }] },
    }),
  );
  await folder.seal();
  site = await writeSite(
    siteOf({ creatinine: { codes: [`${local}|CREA`], units: { 'mgs/dl': 'mg/dL' } } }, '2026-03-01'),
  );
  withSite = await startFhirsight({ settings: { MODELS_DIR: folder.modelsDir, SITE_FILE: site.file }, clock });
  without = await startFhirsight({ settings: { MODELS_DIR: folder.modelsDir }, clock });
});
afterAll(async () => {
  await withSite?.close();
  await without?.close();
  await site?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** A patient all of whose creatinine is coded and measured in the way of the site. */
function localPatient(id: string, changes: Readonly<Record<string, Partial<Observation>>>): Resource[] {
  return scorablePatient(id).map((resource) => {
    const change = changes[String(resource.id).slice(id.length + 1)];
    return resource.resourceType === 'Observation' && change !== undefined ? { ...resource, ...change } : resource;
  });
}

const localCreatinine: Partial<Observation> = {
  code: { coding: [{ system: local, code: 'CREA' }] },
  valueQuantity: { value: 0.97, unit: 'mgs/dl' },
};

async function predictBoth(id: string, resources: readonly Resource[]) {
  const answers = await Promise.all(
    [withSite, without].map(async (server) => {
      const stored = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
      expect(stored.status, stored.text).toBe(200);
      return predictOverHttp(server.fhir, id, { model: 'prevent-base', writeBack: true });
    }),
  );
  const [local, plain] = answers;
  if (local === undefined || plain === undefined) throw new Error('two servers were asked');
  return { local, plain };
}

function deviceOf(server: StartedFhirsight, result: RiskAssessment): Promise<Device> {
  return send(`${server.fhir}/${result.performer?.reference}`, 'GET').then(({ body }) => body as Device);
}

function inputExtension(result: RiskAssessment, name: string): Extension[] {
  const inputs = (result.extension ?? []).filter(({ url }) => url.endsWith('/prediction-input'));
  const found = inputs.find(({ extension = [] }) =>
    extension.some(({ url, valueString }) => url === 'name' && valueString === name),
  );
  return found?.extension ?? [];
}

describe('a result that rests on a site file', () => {
  test('has the local value as its input, and says by which site file of which version it was read', async () => {
    const { local, plain } = await predictBoth('one', localPatient('one', { creatinine: localCreatinine }));
    expect(readInputs(local).get('creatinine')).toMatchObject({ state: 'observed', value: 0.97, unit: 'mg/dL' });
    // Without the site file the same record has no creatinine.
    expect(plain.status).toBe(422);
    expect(plain.text).toContain('creatinine:not-found');

    const result = local.body as RiskAssessment;
    expect(inputExtension(result, 'creatinine')).toEqual(
      expect.arrayContaining([
        { url: 'original', valueQuantity: { value: 0.97, unit: 'mgs/dl' } },
        { url: 'detail', valueString: expect.stringContaining('by site file st-elsewhere version 2026-03-01') },
      ]),
    );
    const sentence = 'Local codes and units of creatinine were read by site file st-elsewhere version 2026-03-01.';
    const notes = result.note?.map(({ text }) => text).join(' ');
    expect(notes).toContain(sentence);
    expect(notes).toContain('local unit mgs/dl read as mg/dL by site file st-elsewhere version 2026-03-01');
    expect((await deviceOf(withSite, result)).note).toContainEqual({ text: sentence });
    resultOfSite = result;
  });

  test('is the same as one of standard codes and units, but for the digest that tells them apart', async () => {
    const { local: own } = await predictBoth('two', localPatient('two', { creatinine: localCreatinine }));
    const { local: standard, plain } = await predictBoth('three', scorablePatient('three'));
    const probabilities = ({ body }: typeof own) =>
      (body as RiskAssessment).prediction?.map(({ probabilityDecimal }) => probabilityDecimal);
    expect(probabilities(own)).toEqual(probabilities(standard));
    expect(probabilities(plain)).toEqual(probabilities(standard));
    expect((standard.body as RiskAssessment).performer).not.toEqual((plain.body as RiskAssessment).performer);
    expect((standard.body as RiskAssessment).identifier).not.toEqual((plain.body as RiskAssessment).identifier);
    expect(plain.text).not.toContain('site file');
  });

  test('never rests on a local unit of another concept', async () => {
    const { local } = await predictBoth(
      'four',
      localPatient('four', { cholesterol: { valueQuantity: { value: 213, unit: 'mgs/dl' } } }),
    );
    expect(local.status).toBe(422);
    expect(local.text).toContain('totalCholesterol:unit-unknown');
  });

  test('never rests on a local code of another system or of another concept', async () => {
    const other = { code: { coding: [{ system: 'urn:oid:9.9.9', code: 'CREA' }] } };
    const { local: foreign } = await predictBoth(
      'five',
      localPatient('five', { creatinine: { ...localCreatinine, ...other } }),
    );
    expect(foreign.text).toContain('creatinine:not-found');
    const code = { code: { coding: [{ system: local, code: 'CREA' }] } };
    const { local: asCholesterol } = await predictBoth('six', localPatient('six', { cholesterol: code }));
    expect(asCholesterol.status).toBe(422);
    expect(asCholesterol.text).toContain('totalCholesterol:not-found');
  });
});

describe('GET /models/{id}', () => {
  test('shows what the site file adds, in the codes of the features too', async () => {
    const { body } = await send(`${withSite.url}/models/prevent-base`, 'GET');
    const model = body as unknown as Record<string, unknown>;
    expect(model.site).toEqual({
      id: 'st-elsewhere',
      version: '2026-03-01',
      concepts: { creatinine: { codes: [`${local}|CREA`], units: { 'mgs/dl': 'mg/dL' } } },
    });
    expect(model.valueSets).toEqual([
      { name: 'creatinine', url: 'http://example.org/ValueSet/creatinine', version: '2026', codes: 2 },
    ]);
    expect(model.features).toMatchObject({ creatinine: { codes: expect.arrayContaining([`${local}|CREA`]) } });
    const plain = await send(`${without.url}/models/prevent-base`, 'GET');
    expect(plain.body).not.toHaveProperty('site');
    expect((plain.body as unknown as Record<string, unknown>).digest).not.toBe(model.digest);
  });
});

test('a CDS Hooks client is asked for the local codes too', async () => {
  const { text } = await send(`${withSite.url}/cds-services`, 'GET');
  expect(text).toContain(`${local}|CREA`);
  expect((await send(`${without.url}/cds-services`, 'GET')).text).not.toContain(local);
});

test('the server does not start with a site file that is wrong', async () => {
  await using wrong = await writeSite({
    id: 'st-elsewhere',
    version: '1',
    concepts: { creatinine: { codes: ['CREA'] } },
  });
  await expect(startFhirsight({ settings: { SITE_FILE: wrong.file } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`SITE_FILE ${wrong.file} /concepts/creatinine/codes/0: must match pattern`),
  });
});

// The last one: it computes for so long that connections which are kept alive end meanwhile.
test('a result that rests on a site file is valid R4 to a checker of somebody else', () => {
  if (resultOfSite === undefined) throw new Error('no result was made');
  expect(checkResource(resultOfSite)).toEqual([]);
});
