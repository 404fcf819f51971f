import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMonitoring, type Monitoring } from '../../src/monitoring/monitored-predict.ts';
import { readPredictionLog } from '../../src/monitoring/prediction-log.ts';
import type { PredictionRow } from '../../src/monitoring/prediction-row.ts';
import { keepToldReports } from '../../src/monitoring/told-reports.ts';
import type { Database } from '../../src/platform/database.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import { scoredRecord } from '../support/outcome-record.ts';
import { predictionRequest, scoredOutcome } from '../support/prediction-outcome.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const now = new Date('2026-03-01T12:00:31.250Z');
const base = 'http://127.0.0.1:8080/fhir/R4';
let opened: TestDatabase;
let statements: string[];
let failing: Error | undefined;
let tenant: string;
let events: LogEvent[];
let seen: PredictionRow[];
let monitoring: Monitoring;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

beforeEach(() => {
  statements = [];
  failing = undefined;
  tenant = randomUUID();
  events = [];
  seen = [];
  const database: Database = {
    ...opened.database,
    query: (text, values) => {
      statements.push(text);
      if (failing !== undefined) return Promise.reject(failing);
      return opened.database.query(text, values);
    },
  };
  monitoring = createMonitoring({
    database,
    clock: { now: () => now },
    tenant,
    newId: randomUUID,
    findModel: (id) => (id === 'prevent-base' ? scoredOutcome().model : undefined),
    subjectBase: base,
    subjectBaseOf: async (named) => (named === 'https://named.example/fhir' ? base : named),
    onPrediction: (row) => void seen.push(row),
    event: (event) => void events.push(event),
  });
});

async function rows(): Promise<readonly PredictionRow[]> {
  return (await readPredictionLog(opened.database, tenant, { newestFirst: true, count: 1000 })).rows;
}

describe('the prediction log', () => {
  it('keeps what AUD-1 asks: who, when, by which model, about whom, from what, and what came of it', async () => {
    const caller = { user: 'Practitioner/17', client: 'ehr', service: 'risk', card: randomUUID(), run: randomUUID() };
    const request = predictionRequest({ caller, encounter: 'visit', requestId: 'abc', entrance: 'cds-hooks' });
    const outcome = scoredOutcome();
    expect(await monitoring.watched(async () => outcome, request)).toBe(outcome);
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      tenant,
      recorded: now,
      entrance: 'cds-hooks',
      request_id: 'abc',
      user_ref: 'Practitioner/17',
      client: 'ehr',
      service: 'risk',
      card: caller.card,
      run: caller.run,
      fhir_base: base,
      subject_id: 'one',
      encounter_id: 'visit',
      model_id: 'prevent-base',
      model_version: '1.0.0',
      model_digest: 'd'.repeat(64),
      as_of: outcome.asOf,
      result: outcome.identifier,
      state: 'scored',
      error_code: null,
      what_if: false,
      shadow: false,
      scores: { 'ascvd-10y': 0.30000000000000004 },
      verdicts: {
        'hf-10y': { state: 'insufficient-data', reasons: ['creatinine:not-found'] },
      },
      input_references: ['Patient/one/_history/1', 'Observation/chol/_history/3'],
      missing: { creatinine: 'not-found', magnesium: 'as-missing:not-found', phosphate: 'imputed:not-found' },
      assumed: ['diabetes'],
      written: null,
      gather_ms: 2.5,
      write_ms: 1.5,
    });
    expect(row?.total_ms).toBeGreaterThanOrEqual(0);
    expect(row?.input_hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('holds no value of a feature, neither as a number nor as text', async () => {
    await monitoring.watched(async () => scoredOutcome(), predictionRequest());
    const { rows: texts } = await opened.database.query<{ text: string }>(
      'select prediction_log::text as text from prediction_log where tenant = $1',
      [tenant],
    );
    expect(texts[0]?.text).toContain('prevent-base');
    // Its first digits alone may stand in an id or a duration.
    expect(texts[0]?.text).not.toContain('213.456');
  });

  it('hashes the inputs alike in any order of features and of sources, and differently where one value differs', async () => {
    const { features, verdicts } = scoredOutcome().inputs;
    const turned = new Map([...features].reverse());
    const other = new Map(features).set('cholesterol', { state: 'observed', value: 213.457, sources: [] });
    for (const map of [features, turned, other]) {
      const outcome = scoredOutcome({ inputs: { features: map, verdicts, basis: [] } });
      await monitoring.watched(async () => outcome, predictionRequest());
    }
    const hashes = seen.map(({ input_hash }) => input_hash);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('names the stored result where the call wrote it, and only there', async () => {
    const resource = { resourceType: 'RiskAssessment' as const, id: 'stored', status: 'final' as const, subject: {} };
    const outcome = scoredOutcome({ resource });
    await monitoring.watched(async () => outcome, predictionRequest({ writeBack: true }));
    await monitoring.watched(async () => outcome, predictionRequest());
    expect(seen.map(({ written }) => written)).toEqual(['stored', null]);
  });

  it('gives the answer only when its row is kept, and keeps the rows of one moment in one statement', async () => {
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        monitoring.watched(async () => scoredOutcome(), predictionRequest({ subject: `p${index}` })),
      ),
    );
    expect(await rows()).toHaveLength(300);
    expect(statements).toHaveLength(1);
  });

  it('gives no prediction whose row cannot be kept, but counts it and says so, for nobody may be listening any more', async () => {
    failing = new PredictionError('DATABASE_UNAVAILABLE', 'gone');
    await expect(monitoring.watched(async () => scoredOutcome(), predictionRequest())).rejects.toBe(failing);
    expect(seen).toHaveLength(1);
    expect(events).toEqual([{ name: 'prediction-log.failed', error: failing }]);
    failing = undefined;
    await expect(monitoring.watched(async () => scoredOutcome(), predictionRequest())).resolves.toBeDefined();
  });

  it('keeps failures with their code, and throws what was thrown', async () => {
    const error = new PredictionError('SUBJECT_UNKNOWN', 'No Patient/nobody.');
    const failed = monitoring.watched(() => Promise.reject(error), predictionRequest({ subject: 'nobody' }));
    await expect(failed).rejects.toBe(error);
    expect(await rows()).toMatchObject([
      { state: 'failed', error_code: 'SUBJECT_UNKNOWN', subject_id: 'nobody', model_id: 'prevent-base', result: null },
    ]);
  });

  it('keeps a failure that is a bug as INTERNAL', async () => {
    await expect(
      monitoring.watched(() => Promise.reject(new TypeError('x is not a function')), predictionRequest()),
    ).rejects.toThrow('x is not');
    expect(await rows()).toMatchObject([{ state: 'failed', error_code: 'INTERNAL' }]);
  });

  it('throws the failure of the prediction, not that of its row, and logs the latter', async () => {
    failing = new PredictionError('STORAGE_FULL', 'full');
    const error = new PredictionError('RECORD_UNREACHABLE', 'hangs');
    await expect(monitoring.watched(() => Promise.reject(error), predictionRequest())).rejects.toBe(error);
    expect(events).toEqual([{ name: 'prediction-log.failed', error: failing }]);
  });

  it('keeps nothing of a model or a subject that can be neither: it may be a name', async () => {
    const request = predictionRequest({ model: 'Jane Doe', subject: 'Jane Doe', encounter: 'Jane Doe' });
    const error = new PredictionError('MODEL_UNKNOWN', 'unknown');
    await expect(monitoring.watched(() => Promise.reject(error), request)).rejects.toBe(error);
    expect(await rows()).toMatchObject([{ model_id: null, subject_id: null, encounter_id: null }]);
    expect(JSON.stringify(await rows())).not.toContain('Jane');
  });

  it('keeps the base of the server that a call names, and says where only the caller holds the record', async () => {
    const error = new PredictionError('SUBJECT_UNKNOWN', 'unknown');
    for (const origin of [
      { from: 'server', base: 'https://ehr.example/fhir', answers: new Map() },
      { from: 'caller' },
    ] as const) {
      await expect(monitoring.watched(() => Promise.reject(error), predictionRequest({ origin }))).rejects.toBe(error);
    }
    expect(seen.map(({ fhir_base }) => fhir_base)).toEqual(['https://ehr.example/fhir', 'urn:fhirsight:caller']);
  });

  it('keeps a failure under the base that a result would have, however the call spelled it', async () => {
    const origin = { from: 'server', base: 'https://named.example/fhir', answers: new Map() } as const;
    const error = new PredictionError('SUBJECT_UNKNOWN', 'unknown');
    await expect(monitoring.watched(() => Promise.reject(error), predictionRequest({ origin }))).rejects.toBe(error);
    expect(seen.map(({ fhir_base }) => fhir_base)).toEqual([base]);
  });

  it.each([
    ['a NUL', 'a\0b', 'a\u{fffd}b'],
    ['half a character', 'a\ud800b', 'a\u{fffd}b'],
    ['a line break', 'a\nb', 'a\u{fffd}b'],
    ['a megabyte', 'x'.repeat(1_000_000), 'x'.repeat(512)],
    ['what looks like SQL and JSON', `'); drop table prediction_log; --"}]`, `'); drop table prediction_log; --"}]`],
  ])('keeps a caller that sends %s without harm to the rows beside it', async (_, sent, kept) => {
    await Promise.all([
      monitoring.watched(async () => scoredOutcome(), predictionRequest({ caller: { user: sent, client: sent } })),
      monitoring.watched(async () => scoredOutcome(), predictionRequest()),
    ]);
    expect(new Set((await rows()).map(({ user_ref }) => user_ref))).toEqual(new Set([kept, null]));
  });

  it('stops at the close what still reads, and keeps its row', async () => {
    const reads = (request: { signal?: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason));
      });
    const late = [predictionRequest(), predictionRequest({ signal: new AbortController().signal })].map((request) =>
      expect(monitoring.watched(reads, request)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' }),
    );
    await monitoring.close();
    await Promise.all(late);
    expect((await rows()).map(({ error_code }) => error_code)).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
  });

  it('takes nothing more once it is closed, and keeps what it took', async () => {
    const taken = monitoring.watched(async () => scoredOutcome(), predictionRequest());
    await new Promise((resolve) => setImmediate(resolve));
    await monitoring.close();
    await taken;
    expect(await rows()).toHaveLength(1);
    await expect(monitoring.watched(async () => scoredOutcome(), predictionRequest())).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
  });

  it.each(["update prediction_log set state = 'scored'", 'delete from prediction_log', 'truncate prediction_log'])(
    'is append-only: the database refuses %s',
    async (statement) => {
      await monitoring.watched(async () => scoredOutcome(), predictionRequest());
      await expect(opened.database.query(statement)).rejects.toThrow('append-only');
      expect(await rows()).toHaveLength(1);
    },
  );
});

describe('what a hook tells of a study without a prediction', () => {
  const call = predictionRequest({
    caller: { user: 'Practitioner/17', service: 'chest', card: randomUUID() },
    entrance: 'cds-hooks',
    subject: '17',
  });

  it('AUD-1: a look-up that fails is kept with its patient and user as a prediction that fails, and counted as none', async () => {
    const unreachable = new PredictionError('RECORD_UNREACHABLE', 'It refuses.');
    await expect(monitoring.lookedUp(() => Promise.reject(unreachable), call)).rejects.toBe(unreachable);
    expect(await rows()).toMatchObject([
      {
        state: 'failed',
        error_code: 'RECORD_UNREACHABLE',
        user_ref: 'Practitioner/17',
        subject_id: '17',
        fhir_base: base,
      },
    ]);
    expect(seen).toEqual([]);
    expect(await monitoring.lookedUp(async () => 'found', call)).toBe('found');
    expect(await rows()).toHaveLength(1);
  });

  it('a look-up under way is stopped by the end of the server, which waits for its row', async () => {
    const looking = monitoring.lookedUp(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
      call,
    );
    const ended = expect(looking).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await monitoring.close();
    await ended;
    expect(await rows()).toMatchObject([{ error_code: 'SHUTTING_DOWN' }]);
  });

  it('AUD-1: cards with a number and without one are kept in one statement, and what is withheld or computed has no scores', async () => {
    const { model } = scoredOutcome();
    const unsaid = { study: 'ImagingStudy/s2', model, subjectBase: base, asOf: now, outcome: 'drawn' };
    const told = [
      { request: call, totalMs: 3, unsaid: { ...unsaid, state: 'computing' as const } },
      {
        request: call,
        totalMs: 3,
        said: { study: { reference: 'ImagingStudy/s1', at: '2026-02-01' }, outcome: scoredRecord('s1') },
      },
    ];
    const sql: Database = {
      ...opened.database,
      query: (text, values) => {
        statements.push(text);
        return opened.database.query(text, values);
      },
    };
    await keepToldReports({ database: sql, clock: { now: () => now }, tenant, newId: randomUUID }, told);
    expect(statements).toHaveLength(1);
    const kept = (await rows()).toSorted((one, other) => ((one.focus ?? '') < (other.focus ?? '') ? -1 : 1));
    expect(kept).toMatchObject([
      { focus: 'ImagingStudy/s1', state: 'scored', scores: { 'ascvd-10y': 0.147 } },
      {
        focus: 'ImagingStudy/s2',
        state: 'abstained',
        result: null,
        scores: null,
        verdicts: { drawn: { state: 'computing', reasons: [] } },
        user_ref: 'Practitioner/17',
        subject_id: '17',
        fhir_base: base,
        model_id: model.id,
      },
    ]);
    await keepToldReports({ database: sql, clock: { now: () => now }, tenant, newId: randomUUID }, []);
    expect(statements).toHaveLength(1);
  });
});
