import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { send } from '../support/fhir-test-server.ts';
import { type PredictCall, predictOverHttp } from '../support/predict-call.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const log = captureLog('debug');
const faults: StubFault[] = [];
let own: StartedFhirsight;
let stub: StubFhirServer;
let remote: StartedFhirsight;

beforeAll(async () => {
  own = await startFhirsight({ clock, logger: log.logger });
  const stored = await send(own.fhir, 'POST', transactionOf(scorablePatient('logged'), { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  stub = await startStubFhirServer({ resources: scorablePatient('logged'), faults });
  remote = await startFhirsight({ clock, logger: log.logger, settings: { FHIR_BASE_URL: stub.base } });
});
afterAll(async () => {
  await remote?.close();
  await own?.close();
  await stub?.close();
});

/** The events that one call leaves in the log, without those of the request as such. */
async function eventsOf(server: StartedFhirsight, call: Partial<PredictCall>) {
  const before = log.lines().length;
  const answer = await predictOverHttp(server.fhir, 'logged', { model: 'prevent-base', ...call });
  const lines = log.lines().slice(before);
  return { answer, lines: lines.filter(({ event }) => /^(prediction|result|record)\./.test(String(event))) };
}

test('a result that is written is in the log with its resource, and so is a repeat that finds it', async () => {
  const first = await eventsOf(own, { writeBack: true, asOf: '2026-02-01' });
  const { id, identifier } = first.answer.body;
  const written = { event: 'result.written', level: 'info', result: identifier[0].value, resourceId: id };
  expect(first.lines).toMatchObject([{ ...written, created: true }, { event: 'prediction.made' }]);
  const again = await eventsOf(own, { writeBack: true, asOf: '2026-02-01' });
  expect(again.lines).toMatchObject([{ ...written, created: false }, { event: 'prediction.made' }]);
  expect(first.lines[0]?.requestId).toMatch(/\S/);
});

test('a result that is superseded is in the log with the one that took its place, and once', async () => {
  const early = await eventsOf(own, { asOf: '2026-02-10' });
  const late = await eventsOf(own, { asOf: '2026-02-11' });
  expect(late.lines.filter(({ event }) => event === 'result.superseded')).toMatchObject([
    { result: early.answer.body.identifier[0].value, supersededBy: late.answer.body.identifier[0].value },
  ]);
  const again = await eventsOf(own, { asOf: '2026-02-11' });
  expect(again.lines.map(({ event }) => event)).toEqual(['prediction.made']);
});

test('a record that cannot be read is in the log with the server that holds it', async () => {
  faults.push({ kind: 'status', status: 500, on: 'search', type: 'Condition' });
  const { answer, lines } = await eventsOf(remote, {});
  faults.length = 0;
  expect(answer.status).toBe(503);
  expect(lines).toMatchObject([
    { event: 'record.unreachable', level: 'warn', base: stub.base, error: { code: 'RECORD_UNREACHABLE' } },
    { event: 'prediction.failed', model: 'prevent-base@1.0.0' },
  ]);
});

test('what a caller sends as the model is not in the log unless it is one: it may be the name of a person', async () => {
  const { answer, lines } = await eventsOf(own, { model: 'a name typed into the wrong field' });
  expect(answer.status).toBe(404);
  expect(lines).toMatchObject([{ event: 'prediction.failed', error: { code: 'MODEL_UNKNOWN' } }]);
  expect(lines[0]).not.toHaveProperty('model');
  expect(log.text()).not.toContain('a name typed');
});

test('a failed prediction of a known model names the model', async () => {
  const { lines } = await eventsOf(own, { asOf: '2999-01-01' });
  expect(lines).toMatchObject([{ event: 'prediction.failed', model: 'prevent-base@1.0.0' }]);
});
