import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { observation, patient } from '../support/build-record.ts';
import { captureLog } from '../support/captured-log.ts';
import { everyColumnModel, everyColumnModels } from '../support/every-column-model.ts';
import { send } from '../support/fhir-test-server.ts';
import { makeMatrix } from '../support/make-matrix.ts';
import { folderAt, type ModelFolder } from '../support/model-folder.ts';
import { predictOverHttp, readInputs } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const features: Record<string, FeatureDefinition> = {
  triageNote: {
    kind: 'text',
    label: 'Triage note',
    codes: ['http://loinc.org|54094-8'],
    window: 'P1D',
    pick: 'latest',
    normalise: 'none',
    maxLength: 200,
    missing: 'abstain',
  },
  chiefComplaint: {
    kind: 'text',
    label: 'Chief complaint',
    codes: ['http://loinc.org|8661-1'],
    window: 'P1D',
    pick: 'latest',
    normalise: 'trim-and-collapse',
    maxLength: 10,
    longer: 'cut',
    missing: 'abstain',
  },
  radiograph: {
    kind: 'text',
    label: 'Radiograph',
    from: 'report',
    codes: ['http://loinc.org|36643-5'],
    window: 'P1Y',
    pick: 'latest',
    normalise: 'none',
    maxLength: 100,
    missing: 'abstain',
  },
};

const note = '=Mrs Zzyzxnote, "fell"\n- at home, caf\u00e9 \u{1f642}';
const said = (id: string, code: string, valueString: string) =>
  observation(code, undefined, '2026-03-01T09:00:00Z', { id, valueString });
const person: Resource[] = [
  patient({ id: '1' }),
  said('note', '54094-8', note),
  said('complaint', '8661-1', 'Zzyzxcomplaint of the chest'),
  {
    resourceType: 'DiagnosticReport',
    id: 'radiograph',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '36643-5' }] },
    subject: { reference: 'Patient/1' },
    effectiveDateTime: '2026-02-20T09:00:00Z',
    issued: '2026-02-20T10:00:00Z',
    conclusion: 'Zzyzxshadow',
  },
];
const other: Resource[] = [
  patient({ id: '2' }),
  { ...said('long', '54094-8', 'Zzyzxlong '.repeat(30)), subject: { reference: 'Patient/2' } },
  { ...said('marked', '8661-1', '<b>Zzyzxmarked</b>'), subject: { reference: 'Patient/2' } },
];

const log = captureLog();
let models: ModelFolder;
let server: StartedFhirsight;
let reader: StartedFhirsight;
beforeAll(async () => {
  models = await everyColumnModels();
  const model = folderAt(models.modelsDir, everyColumnModel, '1.0.0');
  await model.edit('feature-map.json', (map) => Object.assign(map.features, features));
  await model.seal();
  const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
  const settings = { MODELS_DIR: models.modelsDir };
  server = await startFhirsight({ clock, settings, logger: log.logger });
  const stored = await send(server.fhir, 'POST', transactionOf([...person, ...other], { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  reader = await startFhirsight({ clock, settings: { ...settings, FHIR_BASE_URL: server.fhir }, logger: log.logger });
});
afterAll(async () => {
  await reader?.close();
  await server?.close();
  await models?.[Symbol.asyncDispose]();
});

describe('texts', () => {
  it.each(['own store', 'another server'])('are read from the %s and told by their length', async (from) => {
    const { fhir } = from === 'own store' ? server : reader;
    const inputs = readInputs(await predictOverHttp(fhir, '1', { model: everyColumnModel }));
    expect(inputs.get('triageNote')).toMatchObject({ state: 'observed', value: 40, unit: '{character}' });
    expect(inputs.get('triageNote')?.sources[0]?.reference).toMatch(/Observation\/note/);
    expect(inputs.get('chiefComplaint')).toMatchObject({ state: 'observed', value: 10 });
    expect(inputs.get('radiograph')).toMatchObject({ state: 'observed', value: 11 });
    expect(inputs.get('radiograph')?.sources[0]?.reference).toMatch(/DiagnosticReport\/radiograph/);
    const missing = readInputs(await predictOverHttp(fhir, '2', { model: everyColumnModel }));
    expect(missing.get('triageNote')).toMatchObject({ state: 'missing', reason: 'too-long' });
    expect(missing.get('chiefComplaint')).toMatchObject({ state: 'missing', reason: 'undecodable' });
  });

  it('stand in no result, no log, no metric, no AuditEvent and no row of a prediction', async () => {
    const answers = [];
    for (const id of ['1', '2'])
      answers.push(await predictOverHttp(server.fhir, id, { model: everyColumnModel, writeBack: true }));
    for (const path of ['RiskAssessment', 'AuditEvent', 'Provenance', 'Device']) {
      const found = await send(`${server.fhir}/${path}${path === 'AuditEvent' ? '?patient=1' : ''}`);
      expect(found.status, found.text).toBe(200);
      answers.push(found);
    }
    answers.push(await send(`${server.url}/models/${everyColumnModel}`));
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('triageNote');
    const tables = [];
    for (const table of ['prediction_log', 'outcomes']) {
      const { rows } = await server.house.database.query<{ text: string }>(`select t::text as text from ${table} t`);
      expect(rows.length).toBeGreaterThan(0);
      tables.push(...rows);
    }
    const all = [log.text(), metrics, JSON.stringify(tables), ...answers.map(({ text }) => text)];
    expect(all.map((text) => text.includes('Zzyzx'))).toEqual(all.map(() => false));
    expect(log.text().length).toBeGreaterThan(1000);
  });

  it('are written for training, word for word, and that one was cut', async () => {
    const args = ['--model', everyColumnModel, '--cohort', 'all', '--as-of', '2026-03-01T12:00:00Z'];
    const { rows, tally } = await makeMatrix(server.house, args);
    const row = rows.find(({ subject }) => subject === '1');
    expect(row).toMatchObject({
      triageNote: `'${note}`,
      'triageNote.cut': 'false',
      'triageNote.state': 'observed',
      chiefComplaint: 'Zzyzxcompl',
      'chiefComplaint.cut': 'true',
      radiograph: 'Zzyzxshadow',
    });
    expect(rows.find(({ subject }) => subject === '2')).toMatchObject({
      triageNote: '',
      'triageNote.reason': 'too-long',
      'triageNote.cut': '',
    });
    const { objects } = await makeMatrix(server.house, args, 'parquet');
    expect(objects.find(({ subject }) => subject === '1')).toMatchObject({
      triageNote: note,
      'triageNote.cut': false,
      chiefComplaint: 'Zzyzxcompl',
    });
    expect(tally.text()).not.toContain('Zzyzx');
  });
});
