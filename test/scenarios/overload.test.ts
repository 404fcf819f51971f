import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import { type FhirsightProcess, startFhirsightProcess } from '../support/fhirsight-process.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { slowModelFolder } from '../support/slow-model.ts';

/** A server whose one model takes about a tenth of a second for a run, and that has places for eight requests. */
const places = 8;

let models: ModelFolder;
let dataDir: string;
let server: FhirsightProcess;

beforeAll(async () => {
  models = await slowModelFolder({ size: 640 });
  dataDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-overload-'));
  await fillDataDir(dataDir);
  server = await startFhirsightProcess({
    DATA_DIR: dataDir,
    MODELS_DIR: models.modelsDir,
    SAMPLE_PATIENTS: '2',
    MAX_OPEN_REQUESTS: String(places),
    LOG_LEVEL: 'info',
  });
});
afterAll(async () => {
  server.child.kill('SIGKILL');
  await models[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

async function predict(): Promise<Response> {
  return await fetch(`${server.fhir}/Patient/sample-0001/$predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({
      resourceType: 'Parameters',
      parameter: [{ name: 'model', valueString: 'prevent-base' }],
    }),
  });
}

function events(name: string): Record<string, unknown>[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(`"${name}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a heavy model runs apart from the main thread, and /models says why', async () => {
  const model = (await (await fetch(`${server.url}/models/prevent-base`)).json()) as { engine: unknown };
  expect(model.engine).toMatchObject({
    place: 'thread',
    because: expect.stringMatching(/one row.* ms.*the main thread gives/),
    runs: expect.arrayContaining([{ rows: expect.any(Number), ms: expect.any(Number) }]),
  });
});

test('others are answered while a heavy model runs', async () => {
  let answered = 0;
  const running = { ends: false };
  const answer = predict().finally(() => {
    running.ends = true;
  });
  while (!running.ends) {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    answered += 1;
  }
  expect((await answer).status).toBe(200);
  expect(answered).toBeGreaterThan(0);
});

describe('with many times as many requests as it has places', () => {
  let answers: { status: number; retryAfter: string | null; body: unknown }[];
  beforeAll(async () => {
    answers = await Promise.all(
      Array.from({ length: 8 * places }, async () => {
        const response = await predict();
        return {
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          body: await response.json(),
        };
      }),
    );
  });

  test('as many as it has places for are answered in full', () => {
    const full = answers.filter(({ status }) => status === 200);
    expect(full.length).toBeGreaterThanOrEqual(places);
    for (const { body } of full) expect(body).toMatchObject({ resourceType: 'RiskAssessment' });
  });

  test('all others hear at once that they are too many, and when to come again', () => {
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(places);
    for (const { status, retryAfter, body } of refused) {
      expect([status, retryAfter]).toEqual([503, '1']);
      expect(body).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'throttled', diagnostics: expect.stringContaining('Try again') }],
      });
    }
  });

  test('a call of CDS Hooks is refused as JSON', async () => {
    const call = { hook: 'patient-view', hookInstance: crypto.randomUUID(), context: { userId: 'Practitioner/x' } };
    const hooks = await Promise.all(
      Array.from({ length: 8 * places }, () =>
        fetch(`${server.url}/cds-services/prevent-base`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...call, context: { ...call.context, patientId: 'sample-0001' } }),
        }),
      ),
    );
    const refused = hooks.filter(({ headers }) => headers.get('retry-after') === '1');
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, headers } of refused)
      expect([status, headers.get('content-type')]).toEqual([503, 'application/json']);
  });

  test('it is in order again right after, and the log says when and how many', async () => {
    expect((await predict()).status).toBe(200);
    await vi.waitUntil(() => events('overload.ended').length === events('overload.started').length, 10_000);
    const refused = answers.filter(({ status }) => status === 503).length;
    const told = events('overload.ended').reduce((sum, event) => sum + Number(event.refused), 0);
    expect(told).toBeGreaterThanOrEqual(refused);
  });
});
