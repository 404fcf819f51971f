import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { copyModel, folderAt, type ModelFolder } from '../support/model-folder.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';

const model = 'prevent-base';
const log = captureLog('info');

let folder: ModelFolder;
let data: TestDataDir;
let server: StartedFhirsight;
let token = '';

beforeAll(async () => {
  folder = await copyModel(model);
  data = await createTestDataDir();
  server = await startFhirsight({ data, settings: { MODELS_DIR: folder.modelsDir }, logger: log.logger });
  const written = await readFile(path.join(String(data.settings.DATA_DIR), 'server.admin-token'), 'utf8');
  token = written.trim();
  for (const resource of scorablePatient('one')) await server.house.repository.updateResource(resource as never);
});
afterAll(async () => {
  await server?.close();
  await data?.remove();
  await folder?.[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: answers of many kinds are looked into
type Answer = { status: number; body: any };

async function send(place: string, body?: unknown, bearer = token): Promise<Answer> {
  const response = await fetch(`${server.url}${place}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const change = (name: string, body: object = {}): Promise<Answer> => send(`/admin/models/${model}/${name}`, body);
const reload = (): Promise<Answer> => send('/admin/models/reload', {});

async function predict(version?: string, writeBack?: boolean): Promise<Answer> {
  const parameter = [
    { name: 'model', valueString: model },
    { name: 'asOf', valueDateTime: '2026-03-01T12:00:00Z' },
    ...(version === undefined ? [] : [{ name: 'version', valueString: version }]),
    ...(writeBack === undefined ? [] : [{ name: 'writeBack', valueBoolean: writeBack }]),
  ];
  return await send('/fhir/R4/Patient/one/$predict', { resourceType: 'Parameters', parameter });
}

/** Which version a result says it is from. */
function versionOf({ body }: Answer): string {
  return String(body.performer?.identifier?.value ?? JSON.stringify(body)).split('|')[1] ?? 'none';
}

async function addVersion(version: string): Promise<ModelFolder> {
  const copy = folderAt(folder.modelsDir, model, version);
  await cp(folder.dir, copy.dir, { recursive: true });
  for (const file of ['manifest.json', 'model-card.json']) {
    await copy.edit(file, (json) => {
      json.version = version;
    });
  }
  await copy.seal();
  return copy;
}

const callHook = (): Promise<Answer> =>
  send(`/cds-services/${model}`, {
    hook: 'patient-view',
    hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    context: { userId: 'Practitioner/1', patientId: 'one' },
    fhirServer: server.fhir,
  });

describe('the token', () => {
  test('of this process lies beside the lock, for its user alone', async () => {
    const { mode } = await stat(path.join(String(data.settings.DATA_DIR), 'server.admin-token'));
    expect((mode & 0o777).toString(8)).toBe('600');
    expect(token).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(['', 'wrong', `${'0'.repeat(64)}`])(
    "a call that shows '%s' is refused, and nothing has changed",
    async (shown) => {
      const refused = await send(`/admin/models/${model}/disable`, { because: 'x' }, shown);
      expect(refused.status).toBe(401);
      expect(refused.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
      expect((await predict()).status).toBe(200);
    },
  );
});

describe('a new version', () => {
  test('is loaded by a reload beside the one that serves, and is a candidate', async () => {
    await addVersion('1.1.0');
    const { status, body } = await reload();
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { loaded: ['prevent-base@1.1.0'], kept: ['prevent-base@1.0.0'], removed: [], refused: [] },
    });
    const { body: listed } = await send('/models');
    expect(listed.models).toMatchObject([
      { version: '1.1.0', state: 'candidate', default: false },
      { version: '1.0.0', state: 'default', default: true },
    ]);
    expect(versionOf(await predict())).toBe('1.0.0');
    expect(versionOf(await predict('1.1.0'))).toBe('1.1.0');
  });

  test('writes nothing back, and supersedes nothing, while it is a candidate', async () => {
    const refused = await predict('1.1.0', true);
    expect(refused.status).toBe(422);
    expect(refused.body.issue[0].diagnostics).toContain('prevent-base@1.1.0 is a candidate');
    const { rows } = await server.house.database.query("select 1 from outcomes where model_version = '1.1.0'");
    expect(rows).toEqual([]);
    const run = await send('/runs', { model, version: '1.1.0', cohort: { all: true } });
    expect(run.status).toBe(422);
  });

  test('that does not load changes nothing, and its reason is told', async () => {
    const broken = await addVersion('1.2.0');
    await broken.write('feature-map.json', '{}');
    const { status, body } = await reload();
    expect(status).toBe(200);
    expect(body).toMatchObject({ loaded: [], kept: ['prevent-base@1.1.0', 'prevent-base@1.0.0'] });
    expect(body.refused).toMatchObject([
      { folder: 'prevent-base/1.2.0', reason: expect.stringContaining('has a wrong checksum') },
    ]);
    expect(versionOf(await predict())).toBe('1.0.0');
    await rm(broken.dir, { recursive: true });
  });

  test('under the number of one that is served is refused: a version is immutable', async () => {
    const served = folderAt(folder.modelsDir, model, '1.1.0');
    await served.edit('manifest.json', (manifest) => {
      manifest.title = 'Another title';
    });
    const { body } = await reload();
    expect(body.refused).toMatchObject([
      { folder: 'prevent-base/1.1.0', reason: expect.stringContaining('A version is immutable') },
    ]);
    expect((await send(`/models/${model}?version=1.1.0`)).body.title).not.toBe('Another title');
    await rm(served.dir, { recursive: true });
    expect((await reload()).body).toMatchObject({ removed: ['prevent-base@1.1.0'], refused: [] });
    await addVersion('1.1.0');
    expect((await reload()).body).toMatchObject({ loaded: ['prevent-base@1.1.0'] });
  });
});

describe('a shadow', () => {
  test('is scored beside the default on the same request; the log and the metrics have it, nobody sees it', async () => {
    await change('shadow', { version: '1.1.0', on: true, because: 'To compare.' });
    const shown = await predict();
    expect(versionOf(shown)).toBe('1.0.0');
    await expect
      .poll(async () => (await server.house.database.query('select 1 from prediction_log where shadow')).rows.length, {
        timeout: 10_000,
      })
      .toBe(1);
    const { rows } = await server.house.database.query<{ scores: string; model_version: string }>(
      'select model_version, scores::text as scores from prediction_log where shadow or (not shadow and model_version = $1) order by recorded desc limit 2',
      ['1.0.0'],
    );
    expect(rows.map(({ model_version }) => model_version).sort()).toEqual(['1.0.0', '1.1.0']);
    expect(rows[0]?.scores).toBe(rows[1]?.scores);
    const outcomes = await server.house.database.query("select 1 from outcomes where model_version = '1.1.0'");
    expect(outcomes.rows).toEqual([]);
    const { body } = await send('/fhir/R4/RiskAssessment?subject=Patient/one');
    expect(JSON.stringify(body)).not.toContain('1.1.0');
    await change('shadow', { version: '1.1.0', on: false });
  });
});

describe('promotion', () => {
  test('makes the version the default of $predict and of CDS Hooks at once, and a roll back unmakes it', async () => {
    expect((await callHook()).body.cards).toHaveLength(1);
    const { status, body } = await change('promote', { version: '1.1.0', by: 'ada', because: 'Evaluated in May.' });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { action: 'promote', version: '1.1.0', from: { version: '1.0.0' }, requester: 'ada', way: 'command-line' },
    });
    expect(versionOf(await predict())).toBe('1.1.0');
    expect((await callHook()).body.cards).toHaveLength(1);
    // The log is written after the answer.
    await expect
      .poll(async () => {
        const { rows } = await server.house.database.query<{ model_version: string }>(
          "select model_version from prediction_log where entrance = 'cds-hooks' order by recorded desc limit 1",
        );
        return rows;
      })
      .toEqual([{ model_version: '1.1.0' }]);
    await change('roll-back', { because: 'Too many alarms.' });
    expect(versionOf(await predict())).toBe('1.0.0');
    expect((await send(`/admin/models/${model}/records`)).body.records.at(-1)).toMatchObject({ action: 'roll-back' });
  });
});

describe('a kill switch', () => {
  test('of a model: $predict says so, discovery lists no service, and a hook is answered with no card (CDS-30)', async () => {
    await change('disable', { because: 'Wrong units since noon.' });
    const refused = await predict();
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'business-rule' }] });
    expect(refused.body.issue[0].diagnostics).toContain('Wrong units since noon.');
    expect((await send('/cds-services')).body).toEqual({ services: [] });
    expect(await callHook()).toEqual({ status: 200, body: { cards: [] } });
    expect(
      log.lines().some(({ message, event, name }) => [message, event, name].includes('cds-hook.switched-off')),
    ).toBe(true);
    expect((await send('/runs', { model, cohort: { all: true } })).status).toBe(422);
    await change('enable', {});
    expect((await predict()).status).toBe(200);
    expect((await send('/cds-services')).body.services).toHaveLength(1);
  });

  test('of a service leaves $predict alone', async () => {
    await change('disable', { service: model, because: 'Not on this ward.' });
    expect((await send('/cds-services')).body).toEqual({ services: [] });
    expect((await predict()).status).toBe(200);
    await change('enable', { service: model });
  });

  test('needs a reason, and the body is told what is wrong with it', async () => {
    const { status, body } = await change('disable', { why: 'x' });
    expect(status).toBe(400);
    expect(body.issue.map(({ expression }: { expression: string[] }) => expression)).toEqual([['why'], ['because']]);
  });
});

test('`fhirsight models` finds the running server and its token, and shows the record', async () => {
  const promoted = await runFhirsight(
    ['models', 'promote', 'prevent-base@1.1.0', '--because', 'By hand.'],
    data.settings,
  );
  expect(promoted).toMatchObject({ code: 0, stderr: '' });
  expect(promoted.stdout).toMatch(
    /prevent-base@1\.1\.0 .*was made the default in the place of 1\.0\.0 .*: By hand\.\n/,
  );
  const again = await runFhirsight(['models', 'promote', 'prevent-base@1.1.0'], data.settings);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is the default') });
});

test('after a restart with the default changed and a scheduled version switched off, the server starts and the model refuses until it is promoted again; the CLI does it without a server', async () => {
  await change('disable', { version: '1.0.0', because: 'Wrong units since noon.' });
  await server.close();
  const schedulesFile = path.join(folder.modelsDir, '..', `${path.basename(folder.modelsDir)}-schedules.json`);
  const nightly = { cron: '0 2 * * *', timeZone: 'UTC', model, cohort: { all: true }, missed: 'skip' };
  const schedules = [
    { ...nightly, name: 'changed' },
    { ...nightly, name: 'switched-off', version: '1.0.0' },
  ];
  await writeFile(schedulesFile, JSON.stringify({ schedules }));
  onTestFinished(() => rm(schedulesFile));
  const served = folderAt(folder.modelsDir, model, '1.1.0');
  await served.edit('manifest.json', (manifest) => {
    manifest.title = 'Another title';
  });
  server = await startFhirsight({
    data,
    settings: { MODELS_DIR: folder.modelsDir, SCHEDULES_FILE: schedulesFile },
    logger: log.logger,
  });
  const refused = await predict();
  expect(refused.status).toBe(503);
  expect(refused.body.issue[0].diagnostics).toMatch(/prevent-base@1\.1\.0 was promoted with digest .*is now another/);
  expect((await send('/cds-services')).body).toEqual({ services: [] });
  await server.close();
  const settings = { ...data.settings, MODELS_DIR: folder.modelsDir, SCHEDULES_FILE: schedulesFile };
  const promoted = await runFhirsight(
    ['models', 'promote', 'prevent-base@1.1.0', '--because', 'Title only.'],
    settings,
  );
  expect(promoted).toMatchObject({ code: 0 });
  const history = await runFhirsight(['models', 'history', model], settings);
  expect(history.stdout.trim().split('\n').at(-1)).toContain('Title only.');
});
