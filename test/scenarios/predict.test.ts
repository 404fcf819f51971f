import type { Bundle, Device, Provenance, Reference, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PredictCall, predictOverHttp, readInputs, readOutcomes } from '../support/predict-call.ts';
import { diagnosis, laboratoryResult, privateDetails, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const supersededTag = { system: 'https://fhirsight.org/fhir/CodeSystem/result-state', code: 'superseded' };
const log = captureLog('debug');
const signals = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'exit',
  'beforeExit',
  'uncaughtException',
  'unhandledRejection',
] as const;

let now = new Date('2026-03-01T10:20:30.400Z');
let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({
    settings: { SITE_TIME_ZONE: 'Europe/Berlin', LOG_LEVEL: 'debug' },
    clock: { now: () => now },
    logger: log.logger,
  });
});
afterAll(() => server?.close());

async function store(resources: readonly Resource[]): Promise<void> {
  const stored = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
}

function predict(patient: string, call: Partial<PredictCall> = {}): Promise<Answer> {
  return predictOverHttp(server.fhir, patient, { model: 'prevent-base', ...call });
}

/** Predicts, expecting a result. */
async function scored(patient: string, call: Partial<PredictCall> = {}): Promise<RiskAssessment & { id?: string }> {
  const answer = await predict(patient, call);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
  expect(answer.body.resourceType).toBe('RiskAssessment');
  expect(checkResource(answer.body)).toEqual([]);
  return answer.body;
}

function asOfOf(result: RiskAssessment): string | undefined {
  return result.extension?.find(({ url }) => url.endsWith('/prediction-as-of'))?.valueDateTime;
}

function percentOf(result: RiskAssessment, outcome = 'ascvd-10y'): number | undefined {
  return result.prediction?.find(({ extension = [] }) => extension.some(({ valueCode }) => valueCode === outcome))
    ?.probabilityDecimal;
}

async function search(query: string): Promise<Bundle> {
  const found = await send(`${server.fhir}/${query}`);
  expect(found.status, found.text).toBe(200);
  return found.body;
}

async function idsOf(query: string): Promise<(string | undefined)[]> {
  return ((await search(query)).entry ?? []).map(({ resource }) => resource?.id);
}

async function read<Kind extends Resource>(reference: string): Promise<Kind> {
  const found = await send(`${server.fhir}/${reference}`);
  expect(found.status, found.text).toBe(200);
  return found.body;
}

async function countOf(type: string): Promise<number | undefined> {
  return (await search(`${type}?_summary=count`)).total;
}

describe('as-of', () => {
  it('is now, cut to the minute, where the caller names none; computed is now', async () => {
    await store(scorablePatient('asof-default'));
    const result = await scored('asof-default');
    expect(asOfOf(result)).toBe('2026-03-01T11:20:00+01:00');
    expect(result.occurrenceDateTime).toMatch(/^2026-03-01T11:20:30/);
    expect(result.prediction?.[0]?.whenPeriod?.start).toBe('2026-03-01T11:20:00+01:00');
    expect(result.prediction?.[0]?.whenPeriod?.end).toBe('2036-03-01T11:20:00+01:00');
  });

  it('as a bare date is the end of that day in the zone of the site', async () => {
    await store([
      ...scorablePatient('asof-date'),
      laboratoryResult('asof-date', 'last-minute', '2093-3', 180, 'mg/dL', '2026-02-28T22:59:59Z'),
      laboratoryResult('asof-date', 'next-day', '2093-3', 190, 'mg/dL', '2026-02-28T23:00:00Z'),
    ]);
    const answer = await predict('asof-date', { asOf: '2026-02-28' });
    expect(asOfOf(answer.body)).toBe('2026-02-28T23:59:59.999+01:00');
    expect(readInputs(answer).get('totalCholesterol')).toMatchObject({ value: 180 });
    expect(readInputs(await predict('asof-date')).get('totalCholesterol')).toMatchObject({ value: 190 });
  });

  it('with a zone is that instant: what came later is not known', async () => {
    await store([
      ...scorablePatient('asof-instant'),
      laboratoryResult('asof-instant', 'later', '2093-3', 199, 'mg/dL', '2026-02-01T12:00:01+01:00'),
    ]);
    const before = await predict('asof-instant', { asOf: '2026-02-01T11:00:00Z' });
    expect(readInputs(before).get('totalCholesterol')).toMatchObject({ value: privateDetails.cholesterol });
    const after = await predict('asof-instant', { asOf: '2026-02-01T06:00:01-05:00' });
    expect(readInputs(after).get('totalCholesterol')).toMatchObject({ value: 199 });
  });
});

describe('what the call may add', () => {
  it('names the encounter in the result, at type level too', async () => {
    await store(scorablePatient('with-encounter'));
    const result = await scored('with-encounter', { encounter: 'Encounter/with-encounter-visit' });
    expect(result.encounter?.reference).toBe('Encounter/with-encounter-visit');
    const atType = await send(`${server.fhir}/Patient/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: 'prevent-base' },
        { name: 'version', valueString: '1.0.0' },
        { name: 'subject', valueString: `${server.fhir}/Patient/with-encounter` },
        { name: 'encounter', valueString: 'Encounter/with-encounter-visit' },
      ],
    });
    expect(atType.status, atType.text).toBe(200);
    expect(atType.body.identifier).toEqual(result.identifier);
  });

  it('completes the record with resources the caller holds, alone or in a Bundle, and stores none of them', async () => {
    const [patient, ...rest] = scorablePatient('with-seeds');
    const seeds = rest.filter(({ resourceType }) => resourceType === 'Observation');
    await store([patient as Resource, ...rest.filter(({ resourceType }) => resourceType !== 'Observation')]);
    expect((await predict('with-seeds')).status).toBe(422);

    const result = await scored('with-seeds', { resources: seeds });
    const bundle: Bundle = {
      resourceType: 'Bundle',
      type: 'collection',
      entry: seeds.map((resource) => ({ resource })),
    };
    expect(percentOf(await scored('with-seeds', { resources: [bundle] }))).toBe(percentOf(result));
    await store(scorablePatient('without-seeds'));
    expect(percentOf(result)).toBe(percentOf(await scored('without-seeds')));
    expect((await search('Observation?patient=with-seeds&_summary=count')).total).toBe(0);
  });

  it('shows what would be if a value were another, marks it as asserted, and stores nothing', async () => {
    await store(scorablePatient('what-if'));
    const asIs = await scored('what-if', { writeBack: true });
    const answer = await predict('what-if', { inputs: { systolicBloodPressure: 120, currentSmoker: false } });
    expect(answer.status).toBe(200);
    expect(percentOf(answer.body)).toBeLessThan(percentOf(asIs) ?? 0);
    expect(readInputs(answer).get('systolicBloodPressure')).toMatchObject({ state: 'asserted', value: 120 });
    expect(answer.body.id).toBeUndefined();
    expect(answer.body.identifier).not.toEqual(asIs.identifier);
    expect(await idsOf('RiskAssessment?patient=what-if')).toEqual([asIs.id]);
    expect((await read<RiskAssessment>(`RiskAssessment/${asIs.id}`)).meta?.tag).toBeUndefined();
  });

  it('converts an asserted Quantity to the unit of the feature', async () => {
    await store(scorablePatient('quantity'));
    const cholesterol = { value: 5, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
    const answer = await send(`${server.fhir}/Patient/quantity/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: 'prevent-base' },
        {
          name: 'input',
          part: [
            { name: 'name', valueString: 'totalCholesterol' },
            { name: 'value', valueQuantity: cholesterol },
          ],
        },
      ],
    });
    expect(readInputs(answer).get('totalCholesterol')?.value).toBeCloseTo(193.35, 9);
  });
});

describe('writeBack', () => {
  it('stores the result with its Device and Provenance, to be read and searched', async () => {
    await store(scorablePatient('written'));
    const result = await scored('written', { writeBack: true, encounter: 'Encounter/written-visit' });
    expect(result.id).toBeDefined();
    expect(await read<RiskAssessment>(`RiskAssessment/${result.id}`)).toEqual(result);
    const device = await read<Device>(result.performer?.reference ?? '');
    expect(device).toMatchObject({
      resourceType: 'Device',
      modelNumber: 'prevent-base',
      version: [{ value: '1.0.0' }],
    });
    for (const { reference = '' } of result.basis ?? []) {
      expect(reference).toMatch(/\/_history\/\d+$/);
      await read(reference);
    }

    const [{ system, value } = {}] = result.identifier ?? [];
    for (const query of [
      'patient=written',
      'subject=Patient/written',
      `identifier=${system}|${value}`,
      'encounter=Encounter/written-visit',
      'patient=written&date=2026-03-01',
      `_id=${result.id}`,
    ]) {
      expect(await idsOf(`RiskAssessment?${query}`), query).toEqual([result.id]);
    }
    expect(await idsOf('RiskAssessment?patient=written&date=lt2026-03-01')).toEqual([]);

    const provenances =
      (await search('Provenance?_count=100')).entry?.map(({ resource }) => resource as Provenance) ?? [];
    const own = provenances.filter(({ target }) => target[0]?.reference === `RiskAssessment/${result.id}/_history/1`);
    expect(own).toHaveLength(1);
    expect(own[0]?.agent[0]?.who?.reference).toBe(result.performer?.reference);
    expect(own[0]?.entity?.map(({ what }) => what.reference).sort()).toEqual(references(result.basis));
  });

  it('DSI-40 AIT-5 leads from the stored result to the card of the version, by its link and by its Device', async () => {
    await store(scorablePatient('card'));
    const result = await scored('card', { writeBack: true });
    const link = result.extension?.find(({ url }) => url.endsWith('/StructureDefinition/model-card'))?.valueUrl ?? '';
    expect(link).toBe(`${server.url}/models/prevent-base/versions/1.0.0/card`);
    const page = await fetch(link, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('AHA PREVENT 2023, base model, version 1.0.0');

    const device = await read<Device>(result.performer?.reference ?? '');
    const [card] = device.contained ?? [];
    if (card?.resourceType !== 'DocumentReference') throw new Error('the Device holds no card');
    expect(device.extension?.[0]?.valueReference?.reference).toBe(`#${card.id}`);
    const text = Buffer.from(card.content?.[0]?.attachment?.data ?? '', 'base64').toString();
    expect(text).toMatch(/^# AHA PREVENT 2023, base model, version 1\.0\.0\n/);
    const served = await send(`${link}?format=fhir`);
    expect(served.body).toMatchObject({ id: device.id, contained: device.contained });

    const inventory = await send(`${server.url}/models`);
    const [entry] = inventory.body.models;
    expect(entry).toMatchObject({ id: 'prevent-base', state: 'default', regulatory: [{ status: 'none' }] });
    for (const there of Object.values(entry.links))
      expect((await fetch(String(there))).status, String(there)).toBe(200);
  });

  it('is off unless asked for: nothing is stored, and the result has no id', async () => {
    await store(scorablePatient('unwritten'));
    const result = await scored('unwritten');
    expect(result.id).toBeUndefined();
    expect(await idsOf('RiskAssessment?patient=unwritten')).toEqual([]);
  });

  it('gives the same call the same id, and makes no new version of anything', async () => {
    await store(scorablePatient('repeated'));
    const first = await scored('repeated', { writeBack: true });
    const counts = await Promise.all(['RiskAssessment', 'Device', 'Provenance'].map(countOf));
    now = new Date(now.getTime() + 5_000);
    const second = await scored('repeated', { writeBack: true });
    const unwritten = await scored('repeated');
    expect(second).toEqual(first);
    expect(unwritten.identifier).toEqual(first.identifier);
    expect(await Promise.all(['RiskAssessment', 'Device', 'Provenance'].map(countOf))).toEqual(counts);
    for (const reference of [`RiskAssessment/${first.id}`, first.performer?.reference]) {
      expect(await search(`${reference}/_history`)).toMatchObject({ total: 1 });
    }
  });

  it('stores what an earlier call computed without it, under the same identifier', async () => {
    await store(scorablePatient('later-written'));
    const unwritten = await scored('later-written');
    const written = await scored('later-written', { writeBack: true });
    expect(written.identifier).toEqual(unwritten.identifier);
    expect(await idsOf('RiskAssessment?patient=later-written')).toEqual([written.id]);
  });

  it('RA-7 tags the earlier result when one for a later as-of supersedes it, and never the other way round', async () => {
    await store(scorablePatient('superseded'));
    const first = await scored('superseded', { writeBack: true, asOf: '2026-02-01' });
    const second = await scored('superseded', { writeBack: true, asOf: '2026-02-15' });
    const afterwards = await read<RiskAssessment>(`RiskAssessment/${first.id}`);
    expect(afterwards.meta?.tag).toMatchObject([supersededTag]);
    expect(percentOf(afterwards)).toBe(percentOf(first));
    expect((await read<RiskAssessment>(`RiskAssessment/${second.id}`)).meta?.tag).toBeUndefined();
    const late = await scored('superseded', { writeBack: true, asOf: '2026-02-10' });
    expect(late.meta?.tag).toMatchObject([supersededTag]);
    expect((await read<RiskAssessment>(`RiskAssessment/${second.id}`)).meta?.tag).toBeUndefined();
  });

  it('lets an abstention supersede an earlier number, and leaves other encounters and models alone', async () => {
    await store(scorablePatient('abstained-later'));
    const number = await scored('abstained-later', { writeBack: true });
    const other = await scored('abstained-later', { writeBack: true, encounter: 'Encounter/abstained-later-visit' });
    await store([diagnosis('abstained-later', 'infarction', '22298006', '2026-02-20')]);
    now = new Date(now.getTime() + 60_000);
    expect((await predict('abstained-later')).status).toBe(422);
    expect((await read<RiskAssessment>(`RiskAssessment/${number.id}`)).meta?.tag).toMatchObject([supersededTag]);
    expect((await read<RiskAssessment>(`RiskAssessment/${other.id}`)).meta?.tag).toBeUndefined();
  });
});

describe('what a model may not say', () => {
  it('abstains with 422 that names each input and why, and gives no number', async () => {
    const resources = scorablePatient('abstained').filter(({ id }) => id !== 'abstained-hdl' && id !== 'abstained-bmi');
    await store([...resources, laboratoryResult('abstained', 'bmi', '39156-5', 27.5, 'kg')]);
    const answer = await predict('abstained');
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome' });
    for (const issue of answer.body.issue) {
      expect(issue).toMatchObject({ severity: 'error', code: 'business-rule' });
      expect(issue.details.coding[0].code).toBe('insufficient-data');
      expect(issue.diagnostics).not.toMatch(/%/);
    }
    const outcomes = readOutcomes(answer);
    expect(outcomes.size).toBe(10);
    for (const outcome of outcomes.values()) {
      expect(outcome).toEqual({
        state: 'insufficient-data',
        reasons: ['hdlCholesterol:not-found', 'bodyMassIndex:unconvertible'],
      });
    }
    expect(await idsOf('RiskAssessment?patient=abstained')).toEqual([]);
  });

  it('scores ten years and withholds thirty at the age of 65, saying why', async () => {
    await store(scorablePatient('mixed', { birthDate: '1960-06-01' }));
    const answer = await predict('mixed', { writeBack: true });
    const outcomes = [...readOutcomes(answer)];
    expect(outcomes).toHaveLength(10);
    for (const [id, outcome] of outcomes) {
      if (id.endsWith('10y')) expect(outcome.state, id).toBe('score');
      else expect(outcome, id).toEqual({ state: 'not-eligible', reasons: ['age'] });
    }
    expect(answer.body.prediction).toHaveLength(5);
    expect(answer.body.text.div).toMatch(/30/);
  });

  it('says what it assumed to be absent, and on what ground', async () => {
    await store(scorablePatient('assumed'));
    const inputs = readInputs(await predict('assumed'));
    for (const name of ['diabetes', 'statinMedication', 'antihypertensiveMedication', 'priorCardiovascularDisease']) {
      expect(inputs.get(name)).toMatchObject({ state: 'assumed-absent', value: false });
      expect(inputs.get(name)?.sources.map(({ reference }) => reference)).toEqual([
        'Encounter/assumed-visit/_history/1',
      ]);
    }
    const [, , ...withoutEncounter] = scorablePatient('not-assumed');
    await store([scorablePatient('not-assumed')[0] as Resource, ...withoutEncounter]);
    const outcome = readOutcomes(await predict('not-assumed')).get('ascvd-10y');
    expect(outcome).toMatchObject({ state: 'insufficient-data' });
    expect(JSON.stringify(outcome)).toContain('diabetes:no-recent-encounter');
  });
});

describe('around the call', () => {
  it('echoes the request id of the caller and puts it into every line about the request', async () => {
    await store(scorablePatient('echoed'));
    const answer = await send(
      `${server.fhir}/Patient/echoed/$predict`,
      'POST',
      { resourceType: 'Parameters', parameter: [{ name: 'model', valueString: 'prevent-base' }] },
      { 'x-request-id': 'ward-7.42' },
    );
    expect(answer.headers.get('x-request-id')).toBe('ward-7.42');
    const lines = log.lines().filter(({ requestId }) => requestId === 'ward-7.42');
    expect(lines).toMatchObject([
      { event: 'prediction.made', model: 'prevent-base@1.0.0', predictions: 10, whatIf: false },
      { event: 'request.finished', route: '/fhir/R4/Patient/:id/$predict', status: 200 },
    ]);
  });

  it('logs nothing that tells of a patient, whatever went well or wrong', async () => {
    await store(scorablePatient('secretive'));
    await scored('secretive', { writeBack: true });
    const conflict = laboratoryResult('secretive', 'cholesterol', '2093-3', 777.125, 'mg/dL');
    expect((await predict('secretive', { resources: [conflict] })).status).toBe(422);
    expect((await predict('secretive-nobody')).status).toBe(404);
    expect((await predict('secretive', { inputs: { systolicBloodPressure: 987.5 } })).status).toBe(400);
    expect((await predict('secretive', { inputs: { Zzyzxfamily: 1 } })).status).toBe(400);
    expect((await predict('secretive', { encounter: 'Encounter/secretive-none' })).status).toBe(404);
    for (const place of [
      'Patient/secretive',
      'Patient/secretive-nobody',
      `Patient?name=${privateDetails.family}`,
      `Patient?identifier=${privateDetails.identifier}`,
      `Patient/${privateDetails.family}/$everything`,
      `Observation/${privateDetails.identifier}/_history/9`,
    ]) {
      await send(`${server.fhir}/${place}`);
    }
    const broken = { ...scorablePatient('secretive')[0], birthDate: privateDetails.family };
    expect((await send(`${server.fhir}/Patient/secretive`, 'PUT', broken)).status).toBe(400);

    const text = log.text();
    expect(text.split('\n').length).toBeGreaterThan(50);
    const secrets = [
      ...Object.values(privateDetails).map(String),
      'secretive',
      '777.125',
      '987.5',
      'echoed-cholesterol',
    ];
    const leaks = log.lines().filter((line) => secrets.some((secret) => JSON.stringify(line).includes(secret)));
    expect(leaks).toEqual([]);
  });

  it('installs no signal handler and no exit handler but for the lock of the data directory', async () => {
    const counts = () => signals.map((name) => [name, process.listenerCount(name)]);
    const before = counts();
    const another = await startFhirsight();
    const during = counts();
    await another.close();
    expect(during.filter(([name]) => name !== 'exit')).toEqual(before.filter(([name]) => name !== 'exit'));
    expect(counts()).toEqual(before);
  });
});

function references(list: readonly Reference[] | undefined): (string | undefined)[] {
  return (list ?? []).map(({ reference }) => reference).sort();
}
