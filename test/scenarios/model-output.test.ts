import type {
  Bundle,
  Encounter,
  Extension,
  Observation,
  OperationOutcome,
  Procedure,
  Resource,
  RiskAssessment,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mgPerDl, observation } from '../support/build-record.ts';
import { callHook, cardPrediction, fullPrefetch, patientView } from '../support/cds-call.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { send } from '../support/fhir-test-server.ts';
import { makeMatrix } from '../support/make-matrix.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import {
  addUserOf,
  addUserOfCategory,
  columnOfCategory,
  egfrOfCkdEpi,
  preventOfCkdEpi,
} from '../support/models-that-use-others.ts';
import { type PredictCall, predictOverHttp, readInputs, readOutcomes } from '../support/predict-call.ts';
import { readScores } from '../support/read-scores.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { shippedModel } from '../support/shipped-model.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended, membersOf } from '../support/test-runs.ts';
import { transactionOf } from '../support/transaction-of.ts';

// prevent-base with the eGFR of ckd-epi-2021 as a feature; third, whose feature is a risk of that; and the shipped ckd-epi-2021.

const clock = { now: () => new Date('2026-03-01T10:00:00Z') };
const asOf = '2026-03-01T10:00:00Z';
const riskOfPrevent = {
  kind: 'model',
  label: 'Risk as if it was creatinine',
  model: 'prevent-base',
  version: '1.0.0',
  outcome: 'total-cvd-10y',
  unit: '1',
  plausible: [0, 1],
} as const;
let folder: ModelFolder;
let server: StartedFhirsight;

beforeAll(async () => {
  // The first call holds the thread for seconds: a connection that is kept would be closed meanwhile.
  checkResource({ resourceType: 'Patient' });
  folder = await preventOfCkdEpi();
  await addUserOf(folder.modelsDir, 'third', riskOfPrevent);
  await addUserOfCategory(folder.modelsDir);
  await addModelOfStay(folder.modelsDir);
  server = await startFhirsight({ settings: { MODELS_DIR: folder.modelsDir }, clock });
});
afterAll(async () => {
  await server?.close();
  await folder?.[Symbol.asyncDispose]();
});

/** `of-stay`, whose numbers rest on the encounter of the call, and `of-any-day`, which takes its output and asks for none itself. */
async function addModelOfStay(modelsDir: string): Promise<void> {
  const { creatinine: atStart } = (await shippedModel('ckd-epi-2021')).featureMap.features;
  const sum = { kind: 'derived', label: 'Sum', unit: 'mg/dL', source: 'made for this test' };
  await addUserOf(modelsDir, 'of-stay', { ...sum, expression: ['+', 'atStart', 'procedures'] }, async ({ edit }) => {
    await edit('feature-map.json', ({ features }) => {
      features.atStart = { ...atStart, anchor: 'encounter-start' };
      features.procedures = { kind: 'procedure', label: 'Procedures', during: 'encounter', pick: 'count' };
    });
  });
  const output = { ...egfrOfCkdEpi, model: 'of-stay', plausible: [0, 250] };
  await addUserOf(modelsDir, 'of-any-day', output);
}

/** Stores the scorable patient with another creatinine, or with none. */
async function stored(id: string, creatinine?: Partial<Observation>, changes: object = {}): Promise<string> {
  const resources = scorablePatient(id, changes).flatMap((resource): Resource[] => {
    if (resource.id !== `${id}-creatinine`) return [resource];
    return creatinine === undefined ? [] : [{ ...(resource as Observation), ...creatinine }];
  });
  const answer = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
  expect(answer.status, answer.text).toBe(200);
  return id;
}

const ask = (id: string, model: string, more: Partial<PredictCall> = {}) =>
  predictOverHttp(server.fhir, id, { model, asOf, ...more });

async function scoreOf(id: string, model: string, outcome: string): Promise<number> {
  const score = readScores(await ask(id, model)).get(outcome);
  if (score === undefined || !('value' in score))
    throw new Error(`${model} gives no ${outcome}: ${JSON.stringify(score)}`);
  return score.value;
}

function inputOf(result: RiskAssessment, name: string): Extension[] {
  const input = result.extension?.find(({ extension }) =>
    extension?.some(({ url, valueString }) => url === 'name' && valueString === name),
  );
  return input?.extension ?? [];
}

/** The row of a patient in the training matrix of a model. */
async function rowOf(id: string, model: string) {
  const { rows } = await makeMatrix(server.house, ['--model', model, '--cohort', 'all', '--as-of', asOf]);
  const row = rows.find(({ subject }) => subject === id);
  if (row === undefined) throw new Error(`no row of ${id}`);
  return row;
}

const said = (answer: { readonly body: unknown }) =>
  ((answer.body as OperationOutcome).issue ?? []).map(({ diagnostics = '' }) => diagnostics).join('\n');

describe('an input that is the output of another model', () => {
  it('has the very bits of what that model says itself', async () => {
    for (const value of [0.6, 0.97, 1.234567, 2.9]) {
      const id = await stored(`bits-${String(value).replace('.', '-')}`, {
        valueQuantity: { value, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
      });
      const input = readInputs(await ask(id, 'prevent-base')).get('estimatedGfr');
      expect(input).toMatchObject({ state: 'derived', value: await scoreOf(id, 'ckd-epi-2021', 'egfr') });
    }
  });

  it('is as old as its creatinine, names the model and every source, and makes a valid result', async () => {
    const id = await stored('old', { effectiveDateTime: '2023-05-06T07:08:00Z' });
    const answer = await ask(id, 'prevent-base', { writeBack: true });
    const result = answer.body as RiskAssessment;
    const parts = inputOf(result, 'estimatedGfr');
    const part = (url: string) => parts.filter((each) => each.url === url);
    expect(part('at')).toEqual([{ url: 'at', valueDateTime: '2023-05-06T07:08:00Z' }]);
    expect(part('model')).toEqual([{ url: 'model', valueString: 'ckd-epi-2021@1.0.0' }]);
    expect(part('source').map(({ valueReference }) => valueReference?.reference)).toEqual([
      expect.stringMatching(/^Patient\/old\//),
      expect.stringMatching(/^Observation\/old-creatinine\//),
    ]);
    expect(result.basis?.map(({ reference }) => reference)).toContainEqual(
      expect.stringMatching(/^Observation\/old-creatinine\//),
    );
    expect(result.note?.map(({ text }) => text)).toContain(
      'Output of another model: Estimated GFR (egfr of ckd-epi-2021@1.0.0).',
    );
    expect(result.text?.div).toContain('output of ckd-epi-2021@1.0.0');
    const { body } = await send(`${server.fhir}/Provenance?_count=1000`, 'GET');
    const made = ((body as Bundle).entry ?? []).map(({ resource }) => JSON.stringify(resource));
    expect(made.find((text) => text.includes(`RiskAssessment/${result.id}/`))).toContain('Observation/old-creatinine/');
    expect(checkResource(result)).toEqual([]);
  });

  it.each([
    ['there is no creatinine', undefined, {}, 'insufficient-data', 'creatinine'],
    ['its creatinine has no unit', { valueQuantity: { value: 0.97 } }, {}, 'insufficient-data', 'unit'],
    [
      'its creatinine is too old for that model',
      { effectiveDateTime: '2020-01-01T08:00:00Z' },
      {},
      'insufficient-data',
      'creatinine',
    ],
    ['that model is not for children', {}, { birthDate: '2012-03-04' }, 'not-eligible', 'published for adults'],
  ] as const)('is missing, and says why, where %s', async (why, creatinine, changes, state, reason) => {
    const id = await stored(`lacks-${why.length}`, creatinine, changes);
    expect([...readOutcomes(await ask(id, 'ckd-epi-2021')).values()][0]?.state).toBe(state);
    const answer = await ask(id, 'by-category');
    expect(answer.status).toBe(422);
    expect(said(answer)).toContain('insufficient-data: creatinine:input-missing: ');
    expect(said(answer)).toContain(`of ckd-epi-2021@1.0.0, which abstains (${state})`);
    expect(said(answer)).toContain(reason);
    const outer = await ask(id, 'prevent-base');
    expect(outer.status).toBe(422);
    if (state === 'insufficient-data') expect(said(outer)).toContain('estimatedGfr:input-missing');
  });

  it('may be a class, and the code of it is the input', async () => {
    const id = await stored('class', {
      valueQuantity: { value: 2.9, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
    });
    const score = readScores(await ask(id, 'ckd-epi-2021')).get('gfr-category');
    const row = await rowOf(id, 'by-category');
    expect(score).toMatchObject({ code: 'G4' });
    expect([row.creatinine, row['x.2.creatinine']]).toEqual(['G4', String(columnOfCategory.G4)]);
  });

  it('may rest on yet another model, whose output it is', async () => {
    const id = await stored('nested', {});
    const answer = await ask(id, 'third');
    const own = await server.house.predict({
      requestId: id,
      entrance: 'fhir-operation',
      model: 'prevent-base',
      subject: id,
      asOf: new Date(asOf),
      seed: [],
      inputs: [],
      writeBack: false,
    });
    const risk = own.state === 'scored' ? own.scores.get('total-cvd-10y') : undefined;
    const input = readInputs(answer).get('creatinine');
    expect(input?.value).toBe(risk);
    expect((await rowOf(id, 'third'))['x.2.creatinine']).toBe(String(risk));
    const sources = input?.sources.map(({ reference = '' }) => reference.split('/')[1]);
    expect(sources).toEqual(expect.arrayContaining(['nested-creatinine', 'nested-cholesterol', 'nested-smoking']));
    const remarks = (answer.body as Observation).note?.map(({ text }) => text).join('\n');
    expect(remarks).toContain(
      '(total-cvd-10y of prevent-base@1.0.0; used there: Estimated GFR (egfr of ckd-epi-2021@1.0.0); assumed absent there: Diabetes (',
    );
  });

  it('rests on the encounter of the call as that model does, although its own map asks for none: else it would be of another stay', async () => {
    const id = 'stays';
    const subject = { reference: `Patient/${id}` };
    const stays = ['2026-01-05', '2026-02-05'].map(
      (start, index): Encounter => ({
        resourceType: 'Encounter',
        id: `${id}-${index}`,
        status: 'finished',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
        subject,
        period: { start: `${start}T08:00:00Z`, end: `${start}T20:00:00Z` },
      }),
    );
    const before = observation('2160-0', mgPerDl(1.7), '2026-01-01T08:00:00Z', { id: `${id}-before`, subject });
    const [first, second] = stays.map((stay) => `Encounter/${stay.id}`);
    // One procedure in the first, two in the second.
    const done = [first, second, second].map(
      (reference = '', index): Procedure => ({
        resourceType: 'Procedure',
        id: `${id}-procedure-${index}`,
        status: 'completed',
        code: { text: 'any' },
        subject,
        encounter: { reference },
        performedDateTime: index === 0 ? '2026-01-05T10:00:00Z' : '2026-02-05T10:00:00Z',
      }),
    );
    const resources = [...scorablePatient(id), ...stays, before, ...done];
    const answer = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
    expect(answer.status, answer.text).toBe(200);
    const scores = new Set<number>();
    for (const encounter of [first ?? '', second ?? '']) {
      const own = readScores(await ask(id, 'of-stay', { encounter })).get('egfr');
      const input = readInputs(await ask(id, 'of-any-day', { encounter })).get('creatinine');
      if (own === undefined || !('value' in own)) throw new Error(`of-stay gives nothing: ${JSON.stringify(own)}`);
      expect(input).toMatchObject({ state: 'derived', value: own.value });
      scores.add(own.value);
    }
    expect(scores.size).toBe(2);
    expect(said(await ask(id, 'of-any-day'))).toMatch(/of of-stay@1.0.0, which abstains .*encounter/);
  });

  it('abstains through every model that rests on it', async () => {
    const id = await stored('nested-lacks');
    expect(said(await ask(id, 'third'))).toMatch(
      /total-cvd-10y of prevent-base@1.0.0, which abstains .* egfr of ckd-epi-2021@1.0.0, which abstains .*reatinine/s,
    );
  });

  it('is not asked for where the caller asserts it', async () => {
    const id = await stored('asserted');
    const answer = await ask(id, 'prevent-base', { inputs: { estimatedGfr: 77.5 } });
    expect(readInputs(answer).get('estimatedGfr')).toMatchObject({ state: 'asserted', value: 77.5, sources: [] });
    const impossible = await ask(id, 'prevent-base', { inputs: { estimatedGfr: 400 } });
    expect([impossible.status, said(impossible)]).toEqual([
      400,
      expect.stringContaining('outside the plausible 1 to 250'),
    ]);
  });

  it('refuses an age that the caller asserts for one model alone, lest one result speaks of two persons', async () => {
    const id = await stored('two-persons', {});
    const half = await ask(id, 'prevent-base', { inputs: { age: 77 } });
    expect([half.status, said(half)]).toEqual([
      400,
      "Input 'age' is asserted, but estimatedGfr would be computed by another model from what the record says of it. Assert estimatedGfr too.",
    ]);
    expect((await ask(id, 'prevent-base', { inputs: { age: 77, estimatedGfr: 60 } })).status).toBe(200);
    expect((await ask(id, 'prevent-base', { inputs: { systolicBloodPressure: 120 } })).status).toBe(200);
  });

  it('is in a row of the training matrix and in a cohort run what it is in a prediction', async () => {
    const id = await stored('matrix', {});
    const answer = await ask(id, 'prevent-base');
    const row = await rowOf(id, 'prevent-base');
    const input = readInputs(answer).get('estimatedGfr');
    expect([Number(row.estimatedGfr), row['estimatedGfr.state'], row['estimatedGfr.at']]).toEqual([
      input?.value,
      'derived',
      input?.at,
    ]);
    expect(Number(row['x.6.estimatedGfr'])).toBe(input?.value);
    expect(row.digest).toBe(server.house.catalog.find('prevent-base').digest);

    const { runs } = server.house;
    const { run } = await runs.create(
      { model: 'prevent-base', cohort: { all: true }, asOf: new Date(asOf), writeBack: false },
      {},
    );
    await ended(runs, run.id);
    const member = (await membersOf(runs, run.id)).get(id);
    const risk = readOutcomes(answer).get(member?.outcome ?? '');
    expect(member?.state).toBe('scored');
    expect(risk).toEqual({ state: 'score', probability: expect.closeTo(member?.score ?? 0, 14) });
  });

  it('is read with the answers to the prefetch templates of the service alone', async () => {
    const discovered = await send(`${server.url}/cds-services`, 'GET');
    expect(discovered.text).toContain('2160-0');
    const id = await stored('hooked', {});
    const prefetch = fullPrefetch(scorablePatient(id));
    const { score } = cardPrediction(
      await callHook(server.url, 'prevent-base', patientView({ patient: id, prefetch })),
    );
    const risk = readOutcomes(await ask(id, 'prevent-base')).get('total-cvd-10y');
    expect(risk).toEqual({ state: 'score', probability: expect.closeTo(score ?? 0, 14) });
  });

  it('is described with the version and the digest of the model that it comes from', async () => {
    const { body } = await send(`${server.url}/models/prevent-base`, 'GET');
    const { digest } = server.house.catalog.find('ckd-epi-2021');
    expect(body).toMatchObject({
      uses: [{ id: 'ckd-epi-2021', version: '1.0.0', title: 'CKD-EPI 2021, estimated GFR from creatinine', digest }],
    });
    expect((await send(`${server.url}/models/prevent-base/scopes`, 'GET')).status).toBe(200);
  });
});
