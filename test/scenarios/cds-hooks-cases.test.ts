import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Encounter, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookNames } from '../../src/model-catalog/hook-library.ts';
import { casesDir, casesPresent } from '../support/cases.ts';
import { callHook } from '../support/cds-call.ts';
import { cdsResponseFindings } from '../support/cds-response-checker.ts';
import type { Answer } from '../support/fhir-test-server.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: the cases are JSON of every form
type Body = any;

/** Requests of others that CDS Hooks 2.0.1 allows. */
const valid = [
  'hl7_validator_cases/cdshooks-request-pv-good.json',
  'spec_examples/request__cdsh__old-docs__quickstart__2.json',
  'spec_examples/request__cdsh__old-docs__examples__2.json',
  'crd_requests/ri_crd_server__appointment_book_request_bodies_1.json',
  'crd_requests/ri_crd_server__encounter_discharge_request_bodies_0.json',
  'crd_requests/ri_crd_server__order_sign_request_bodies_0.json',
];
/** What it forbids, and which word of the answer names it. */
const invalid: Readonly<Record<string, string>> = {
  'spec_examples/request__cdsh__old-docs__examples__0.json': 'draftOrders', // of CDS Hooks 1.0: medications
  'crd_requests/ri_crd_server__order_dispatch_request_bodies_0.json': 'hookInstance', // holds a v
  'other_requests/cqfr__plugin__cds-hooks__html-request.json': 'hookInstance',
  'other_requests/cqfr__plugin__cds-hooks__request-HighRiskIDUPatient.json': 'hookInstance',
  'other_requests/cqfr__plugin__cds-hooks__unicode-request.json': 'hookInstance',
  'other_requests/dvcrd__resources__org__hl7__davinci__r4__crdhook__ordersign__requestWithHydratedPrefetchBundle.json':
    'fhirAuthorization', // null
  'other_requests/dvcrd__server__deviceRequestEmptyPrefetch_r4.json': 'fhirAuthorization',
  'other_requests/dvcrd__server__requests__deviceRequestNoPrefetch.json': 'fhirAuthorization',
  'other_requests/dvcrd__server__requests__deviceRequestPrefetch.json': 'fhirServer',
  'other_requests/dvcrd__server__requests__medicationRequestNoPrefetch.json': 'fhirAuthorization',
};
const pvGood = 'hl7_validator_cases/cdshooks-request-pv-good.json';

const held: Resource[] = [];
let models: ModelFolder;
let ehr: StubFhirServer;
let server: StartedFhirsight;

beforeAll(async () => {
  models = await copyModel('prevent-base');
  await models.edit('manifest.json', (manifest) => {
    const [service] = manifest.cdsHooks;
    // Whoever the patient of a request is, there is a card to judge.
    service.cards.notEligible = 'info';
    manifest.cdsHooks = hookNames.map((hook) => ({ ...service, id: 'any-hook', hook }));
  });
  ehr = await startStubFhirServer({ resources: held });
  server = await startFhirsight({
    clock: { now: () => new Date('2026-03-01T12:00:00Z') },
    settings: { MODELS_DIR: models.modelsDir, CDS_FHIR_SERVERS: ehr.base, CDS_DEADLINE_MS: '10000' },
  });
});
afterAll(async () => {
  await server?.close();
  await ehr?.close();
  await models?.[Symbol.asyncDispose]();
});

function readCase(file: string): Body {
  return JSON.parse(readFileSync(path.join(casesDir, 'cds_hooks', file), 'utf8'));
}

/** Puts the patient and the encounter that a request names on the server in the place of the last ones. */
function holdFor({ context }: Body): void {
  const visit = { id: context.encounterId, subject: { reference: `Patient/${context.patientId}` } };
  const encounter: Encounter = {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    period: { start: '2026-03-01T08:00:00Z' },
    ...visit,
  };
  held.splice(
    0,
    held.length,
    ...scorablePatient(context.patientId),
    ...(context.encounterId === undefined ? [] : [encounter]),
  );
}

const call = (body: Body): Promise<Answer> => callHook(server.url, 'any-hook', body);

function expectClientError(answer: Answer, names?: string): void {
  expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
  expect(answer.status, answer.text).toBeLessThan(500);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.body.resourceType).toBe('OperationOutcome');
  if (names !== undefined) expect(answer.text).toContain(names);
}

describe.runIf(casesPresent)('requests of others', () => {
  it('are all sorted into valid and invalid ones', () => {
    const all = globSync('{crd_requests,other_requests}/*.json', { cwd: path.join(casesDir, 'cds_hooks') });
    const examples = globSync('{spec_examples/request__,hl7_validator_cases/cdshooks-request}*.json', {
      cwd: path.join(casesDir, 'cds_hooks'),
    });
    expect([...valid, ...Object.keys(invalid)].sort()).toEqual([...all, ...examples].sort());
  });

  it.each(valid)(
    '%s: 200 with cards that pass CDS-30 to CDS-43, its fhirServer being one that exists',
    async (file) => {
      const body = readCase(file);
      holdFor(body);
      const answer = await call({ ...body, fhirServer: ehr.base });
      expect(answer.status, answer.text).toBe(200);
      expect(cdsResponseFindings(answer.body)).toEqual([]);
      expect(answer.body.cards).toHaveLength(1);
    },
  );

  it.each(valid)('CDS-26 %s as it is: 412, for its fhirServer is not listed', async (file) => {
    const answer = await call(readCase(file));
    expectClientError(answer, 'CDS_FHIR_SERVERS');
    expect(answer.status).toBe(412);
  });

  it.each(Object.entries(invalid))('%s: 400 that names %s', async (file, names) => {
    const answer = await call(readCase(file));
    expectClientError(answer);
    expect(answer.status).toBe(400);
    if (readCase(file).hook !== 'medication-prescribe') expect(answer.text).toContain(names);
  });

  it('order-dispatch of another server, its hookInstance repaired: 200', async () => {
    const body = readCase('crd_requests/ri_crd_server__order_dispatch_request_bodies_0.json');
    holdFor(body);
    const hookInstance = 'f3945c39-dfbe-444f-ba6d-3e05e123b2ea';
    const answer = await call({ ...body, hookInstance, fhirServer: ehr.base });
    expect(answer.status, answer.text).toBe(200);
    expect(cdsResponseFindings(answer.body)).toEqual([]);
  });

  it.each(
    valid.flatMap((file) =>
      (casesPresent ? requiredOf(readCase(file)) : []).map((field) => [field.join('.'), file, field] as const),
    ),
  )('without, or with a bad, %s %s is refused in JSON, never 500', async (_, file, field) => {
    const good = { ...readCase(file), fhirServer: ehr.base };
    holdFor(good);
    const name = field.at(-1) ?? '';
    for (const bad of [undefined, null, '', name === 'expires_in' ? 0.5 : 7, [], {}, true]) {
      expectClientError(await call(changed(good, field, bad)), name);
    }
  });

  it.each([
    ['a patient with a type', ['context', 'patientId'], 'Patient/1288992'],
    ['a patient of 65 characters', ['context', 'patientId'], 'x'.repeat(65)],
    ['a path for a patient', ['context', 'patientId'], '../Patient/1'],
    ['an encounter with a type', ['context', 'encounterId'], 'Encounter/89284'],
    ['a bare user', ['context', 'userId'], 'example'],
    ['another hook', ['hook'], 'order-dispatch'],
    ['a hook that nobody knows', ['hook'], 'com.example.hover'],
    ['a hookInstance with a prefix', ['hookInstance'], 'urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea'],
    ['a token without a server', ['fhirServer'], undefined],
    ['a server that is no URL', ['fhirServer'], 'ehr'],
    ['a server of another protocol', ['fhirServer'], 'file:///etc'],
    ['a token of two lines', ['fhirAuthorization', 'access_token'], 'a\r\nHost: b'],
    ['a prefetch that is a list', ['prefetch'], []],
    ['a patient that is text', ['prefetch', 'patient'], 'text'],
    ['another patient', ['prefetch', 'patient'], { resourceType: 'Patient', id: '2' }],
  ])('the good one with %s is refused in JSON, never 500', async (_, field, value) => {
    const good = { ...readCase(pvGood), fhirServer: ehr.base };
    holdFor(good);
    expectClientError(await call(changed(good, field, value)));
  });
});

/** Paths of what the specification requires in this request. */
function requiredOf(body: Body): string[][] {
  return [
    ['hook'],
    ['hookInstance'],
    ['context'],
    ...Object.keys(body.context)
      .filter((name) => name !== 'encounterId' || body.hook.startsWith('encounter-'))
      .map((name) => ['context', name]),
    ...(body.fhirAuthorization === undefined
      ? []
      : ['access_token', 'token_type', 'expires_in', 'scope', 'subject'].map((name) => ['fhirAuthorization', name])),
  ];
}

/** A copy with one field changed; undefined takes it away. */
function changed(body: Body, field: readonly string[], value: unknown): Body {
  const copy = structuredClone(body);
  const [last = ''] = field.slice(-1);
  let holder = copy;
  for (const name of field.slice(0, -1)) holder = holder[name];
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}
