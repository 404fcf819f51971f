import type { AuditEvent, Bundle, Observation, Provenance, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addVersion } from '../support/add-version.ts';
import { callHook, fullPrefetch, patientView } from '../support/cds-call.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { copyModel } from '../support/model-folder.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

/** Written nowhere else: a pressure, the id of its measurement, and the label of the feature. */
const pressure = 157.25;
const secrets = [String(pressure), 'one-secret', 'Systolic blood pressure'];
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const restricted = { system: confidentiality, code: 'R', display: 'restricted' };

let server: StartedFhirsight;
let record: Resource[];

beforeAll(async () => {
  const plain = await copyModel('prevent-base');
  const hiding = await addVersion(plain, '1.1.0');
  await hiding.edit('feature-map.json', (map) => {
    map.features.systolicBloodPressure.sensitive = 'a test: the pressure of this person is nobody else’s business';
  });
  await hiding.seal();
  server = await startFhirsight({
    settings: { MODELS_DIR: plain.modelsDir },
    clock: { now: () => new Date('2026-03-01T10:20:30.400Z') },
  });
  record = scorablePatient('one').map((resource) => (isPressure(resource) ? hidden(resource) : resource));
  const stored = await send(
    server.fhir,
    'POST',
    transactionOf([...record, ...scorablePatient('two')], { fullUrls: false }),
  );
  expect(stored.status, stored.text).toBe(200);
});
afterAll(() => server?.close());

function isPressure(resource: Resource): resource is Observation {
  return resource.resourceType === 'Observation' && resource.code.coding?.[0]?.code === '8480-6';
}

function hidden(observation: Observation): Observation {
  const valueQuantity = { ...observation.valueQuantity, value: pressure };
  return { ...observation, id: 'one-secret', meta: { security: [restricted] }, valueQuantity };
}

async function predict(patient: string, version: string, more: object[] = []): Promise<Answer> {
  const parameter = [
    { name: 'model', valueString: 'prevent-base' },
    { name: 'version', valueString: version },
    ...more,
  ];
  return send(`${server.fhir}/Patient/${patient}/$predict`, 'POST', { resourceType: 'Parameters', parameter });
}

const percents = (result: RiskAssessment) => result.prediction?.map(({ probabilityDecimal }) => probabilityDecimal);

function expectNoSecret(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret);
}

it('a sensitive feature is scored and not shown, and the result says how many are not', async () => {
  const told = await predict('one', '1.0.0');
  for (const secret of secrets) expect(told.text).toContain(secret);
  const answer = await predict('one', '1.1.0');
  expect(answer.status, answer.text).toBe(200);
  expect(percents(answer.body)).toEqual(percents(told.body));
  expectNoSecret(answer.text);
  const notes = (answer.body as RiskAssessment).note?.map(({ text }) => text);
  expect(notes).toContain('Not shown: 1 input of the model, since it is sensitive; the score rests on it too.');
  expect(checkResource(answer.body)).toEqual([]);
});

it('an abstention that a sensitive feature is the cause of says neither which nor how', async () => {
  const input = {
    name: 'input',
    part: [
      { name: 'name', valueString: 'systolicBloodPressure' },
      { name: 'value', valueDecimal: 230 },
    ],
  };
  const told = await predict('one', '1.0.0', [input]);
  expect(told.status).toBe(422);
  expect(told.text).toContain('systolicBloodPressure');
  const answer = await predict('one', '1.1.0', [input]);
  expect(answer.status, answer.text).toBe(422);
  expect(answer.text).toContain('an input that is sensitive, and not shown');
  expect(answer.text).not.toMatch(/systolic/i);
});

it('a what-if of a sensitive feature says that it is one, and not of what', async () => {
  const input = {
    name: 'input',
    part: [
      { name: 'name', valueString: 'systolicBloodPressure' },
      { name: 'value', valueDecimal: 131 },
    ],
  };
  const { body, text } = await predict('one', '1.1.0', [input]);
  expectNoSecret(text);
  expect(JSON.stringify(body.note)).toContain(
    'asserted by the caller, not taken from the record: an input that is not shown',
  );
});

async function read(query: string): Promise<string> {
  const { status, text } = await send(`${server.fhir}/${query}`);
  expect(status, text).toBe(200);
  return text;
}

it('PRV-2 AUD-1: what is written of it and its log name neither the feature, nor its value, nor its source; both are labelled', async () => {
  const written = await predict('one', '1.1.0', [{ name: 'writeBack', valueBoolean: true }]);
  expect(written.status, written.text).toBe(200);
  expectNoSecret(written.text);
  expect((written.body as RiskAssessment).meta?.security).toContainEqual(restricted);
  const provenance = await read('Provenance?_sort=-_lastUpdated&_count=1');
  expectNoSecret(provenance);
  const [made] = (JSON.parse(provenance) as Bundle<Provenance>).entry ?? [];
  expect(made?.resource?.target[0]?.reference).toContain(`RiskAssessment/${written.body.id}`);
  expect(made?.resource?.meta?.security).toEqual([restricted]);
  expect(made?.resource?.entity?.length).toBeGreaterThan(3);
  const events = (JSON.parse(await read('AuditEvent?patient=one&_count=100')) as Bundle<AuditEvent>).entry ?? [];
  const hiding = events.map(({ resource }) => JSON.stringify(resource)).filter((text) => text.includes('"1.1.0"'));
  expect(hiding.length).toBeGreaterThan(2);
  for (const event of hiding) {
    expectNoSecret(event);
    expect(event).not.toMatch(/systolicBloodPressure/);
  }
});

it('a result of what has no confidentiality label has none', async () => {
  const { body } = await predict('two', '1.1.0');
  const { meta } = body as RiskAssessment;
  expect(meta?.security?.filter(({ system }) => system === confidentiality)).toEqual([]);
});

it('RA-6: the card of a model with a sensitive feature shows the others', async () => {
  const call = patientView({ patient: 'one', prefetch: fullPrefetch(record) });
  const { status, text } = await callHook(server.url, 'prevent-base', call);
  expect(status, text).toBe(200);
  expectNoSecret(text);
  expect(text).toContain('Not shown: 1 input');
  expect(text).toContain('Largest contributions');
});
