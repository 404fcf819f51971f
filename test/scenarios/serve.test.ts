import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Bundle, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseCurl } from '../support/curl-command.ts';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import {
  type FhirsightProcess,
  root,
  runFhirsight,
  spawnFhirsight,
  startFhirsightProcess,
} from '../support/fhirsight-process.ts';
import { copyModel, folderAt, shippedModels } from '../support/model-folder.ts';
import { slowModelFolder } from '../support/slow-model.ts';
import { someModels } from '../support/some-models.ts';

const marked = ['--import', path.join(root, 'test/support/mark-statements.ts')];

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

function newDataDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-serve-'));
  folders.push(folder);
  return folder;
}

/** A folder whose database exists, empty: for what is not about a first start. */
async function knownDataDir(): Promise<string> {
  const folder = newDataDir();
  await fillDataDir(folder);
  return folder;
}

/** A server that does not outlive the test. */
async function start(env: Record<string, string>): Promise<FhirsightProcess> {
  const server = await startFhirsightProcess(env);
  onTestFinished(() => {
    server.child.kill('SIGKILL');
  });
  return server;
}

const few = await someModels(['prevent-base']);

const predictBody = (model = 'prevent-base', parameters: object[] = []): string =>
  JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'model', valueString: model }, ...parameters] });

function predict(server: FhirsightProcess, patient: string, body = predictBody()): Promise<Response> {
  return fetch(`${server.fhir}/Patient/${patient}/$predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body,
  });
}

async function countPatients(server: FhirsightProcess): Promise<number | undefined> {
  const bundle = (await (await fetch(`${server.fhir}/Patient?_summary=count`)).json()) as Bundle;
  return bundle.total;
}

/** Every command of the printed text, as somebody would copy it: a line that begins with it, and the lines it goes on. */
function printedCommands(output: string): string[] {
  return [...output.matchAll(/^ {2}(curl (?:.*\\\n)*.*)$/gm)].map(([, command = '']) => command);
}

/** Pastes a command into a shell; a machine that has no curl gets the same request otherwise. */
async function paste(command: string): Promise<{ status: number; body: unknown }> {
  const shell = async (line: string): Promise<string> => (await promisify(execFile)('bash', ['-c', line])).stdout;
  if ((await shell('command -v curl || true')) === '') {
    const { url, ...request } = parseCurl(command);
    const response = await fetch(url, request);
    return { status: response.status, body: await response.json() };
  }
  const body = JSON.parse(await shell(command));
  return { status: Number(await shell(`${command} -o /dev/null -w '%{http_code}'`)), body };
}

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

function logLines(output: string): LogLine[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{"time"'))
    .map((line) => JSON.parse(line) as LogLine);
}

/** Resolves once a request is under way: its only model takes its time. */
async function untilBusy(server: FhirsightProcess): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/^fhirsight_http_requests_open [1-9]/m.test(metrics)) return;
    await wait(10);
  }
  throw new Error('the server was never busy');
}

describe('fhirsight serve on a new data directory', () => {
  it('loads 100 sample patients once, prints commands that work as pasted, and finds the same data at the second start', async () => {
    const env = { DATA_DIR: newDataDir(), SAMPLE_PATIENTS: '100', LOG_LEVEL: 'info' };
    const first = await start(env);
    expect(await countPatients(first)).toBe(100);
    expect(first.output()).toContain('synthetic');

    const commands = printedCommands(first.output());
    expect(commands).toHaveLength(6);
    const answers: unknown[] = [];
    for (const command of commands) {
      const { status, body } = await paste(command);
      expect(status, command).toBe(command.includes('/runs') ? 202 : 200);
      answers.push(body);
    }
    const [models, prediction, cards, run, whatIf, observations] = answers;
    expect(models).toMatchObject({
      models: [
        { id: 'cha2ds2-vasc' },
        { id: 'chest-phantom' },
        { id: 'ckd-epi-2021' },
        { id: 'demo-breast-cancer-boosting' },
        { id: 'demo-breast-cancer-dense' },
        { id: 'demo-breast-cancer-forest' },
        { id: 'demo-breast-cancer-logistic' },
        { id: 'demo-breast-cancer-svm' },
        { id: 'demo-deterioration' },
        { id: 'demo-diabetes-progression' },
        { id: 'demo-lab-anomaly' },
        { id: 'demo-report-triage' },
        { id: 'fib4' },
        { id: 'hospital' },
        { id: 'kfre-4' },
        { id: 'lace' },
        { id: 'meld3' },
        { id: 'news2' },
        { id: 'pce-2013' },
        { id: 'prevent-base' },
        { id: 'prevent-full' },
        { id: 'score2' },
      ],
      refused: [],
    });
    expect(prediction).toMatchObject({ resourceType: 'RiskAssessment', status: 'preliminary' });
    expect((prediction as RiskAssessment).prediction).toHaveLength(10);
    expect((cards as { cards: unknown[] }).cards).toHaveLength(1);
    expect(run).toMatchObject({ model: { id: 'prevent-base' }, cohort: { all: true } });
    expect(whatIf).toMatchObject({ resourceType: 'RiskAssessment' });
    expect(percents(whatIf)).not.toEqual(percents(prediction));
    expect(observations).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect((observations as Bundle).entry).toHaveLength(5);
    const before = await (await fetch(`${first.fhir}/Patient/sample-0042`)).text();
    expect(await first.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(logLines(first.output()).filter(({ event }) => event === 'sample.loaded')).toHaveLength(1);

    const second = await start(env);
    expect(await countPatients(second)).toBe(100);
    expect(await (await fetch(`${second.fhir}/Patient/sample-0042`)).text()).toBe(before);
    expect(await second.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(logLines(second.output()).filter(({ event }) => event === 'sample.loaded')).toEqual([]);
  });

  it('goes on to exactly 100 patients when the first start was killed while they were loaded', async () => {
    const env = { DATA_DIR: await knownDataDir(), MODELS_DIR: few, SAMPLE_PATIENTS: '100', LOG_LEVEL: 'info' };
    const child = spawnFhirsight(['serve'], env, marked);
    let output = '';
    child.stdout.resume();
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        const [, loading = ''] = output.split('sample.load-started');
        // The second is sent only when the first is kept.
        if (loading.split('«commit»').length > 2) resolve();
      });
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(output).not.toContain('sample.loaded');

    const server = await start(env);
    expect(await countPatients(server)).toBe(100);
    const [loaded] = logLines(server.output()).filter(({ event }) => event === 'sample.loaded');
    expect(loaded).toMatchObject({ patients: 100 });
    expect(loaded?.resources).toBeLessThan(6_000);
    expect(logLines(server.output()).map(({ event }) => event)).toContain('data-dir.lock-taken-over');
    expect((await predict(server, 'sample-0001')).status).toBe(200);
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });
});

describe('fhirsight serve without sample patients', () => {
  const env = { DATA_DIR: newDataDir(), MODELS_DIR: few, SAMPLE_PATIENTS: '0' };
  let first: FhirsightProcess;
  beforeAll(async () => {
    await fillDataDir(env.DATA_DIR);
    first = await startFhirsightProcess(env);
  });
  afterAll(() => first?.stop('SIGKILL'));

  it('loads no patient where SAMPLE_PATIENTS is 0, and says how to', async () => {
    expect(await countPatients(first)).toBe(0);
    expect(first.output()).toContain('sample --patients 100 --load');
  });

  it('refuses a second start on a data directory that it holds, naming its process and URL', async () => {
    const second = await runFhirsight(['serve'], env);
    expect(second).toMatchObject({ code: 1, signal: null });
    expect(second.stderr).toContain(
      `DATA_DIR_LOCKED: The data directory ${env.DATA_DIR} is held by process ${first.child.pid}`,
    );
    expect(second.stderr).toContain(hostname());
    expect(second.stderr).toContain(first.url);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
  });

  it('refuses to start on a port that it has taken', async () => {
    const { port } = new URL(first.url);
    const ended = await runFhirsight(['serve'], { DATA_DIR: newDataDir(), MODELS_DIR: few, PORT: port });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`PORT ${port} cannot be listened on (EADDRINUSE)`);
  });
});

describe('fhirsight serve on a stop signal', () => {
  it.each([
    ['SIGTERM', 'SIGTERM', []],
    ['SIGINT, and is not hurried by a second and a third', 'SIGINT', ['SIGINT', 'SIGTERM']],
  ] as const)('answers the prediction under way and exits 0 on %s', async (_what, signal, later) => {
    await using models = await slowModelFolder();
    const env = {
      DATA_DIR: await knownDataDir(),
      MODELS_DIR: models.modelsDir,
      SAMPLE_PATIENTS: '2',
      LOG_LEVEL: 'info',
    };
    const server = await start(env);
    const answer = predict(server, 'sample-0001');
    await untilBusy(server);
    const stopped = server.stop(signal);
    for (const another of later) server.child.kill(another);
    const response = await answer;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ resourceType: 'RiskAssessment' });
    expect(await stopped).toEqual({ code: 0, signal: null });
    const drains = logLines(server.output()).filter(({ event }) => event.startsWith('drain.'));
    expect(drains).toMatchObject([
      { event: 'drain.started', inFlight: 1 },
      { event: 'drain.finished', abandoned: 0 },
    ]);
  });

  it('exits 0 on a signal that comes while it starts, and leaves a data directory that opens', async () => {
    const env = { DATA_DIR: newDataDir(), MODELS_DIR: few, LOG_LEVEL: 'info' };
    const child = spawnFhirsight(['serve'], env);
    child.stdout.resume();
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    const server = await start(env);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });
});

describe('fhirsight serve refuses to start', () => {
  it.each([
    ['a host that is not loopback', { HOST: '0.0.0.0' }, 'HOST is "0.0.0.0"'],
    ['a port that is none', { PORT: '80800' }, 'PORT is "80800"'],
    [
      'a setting that does not exist',
      { DATA_DIRECTORY: '/tmp' },
      'DATA_DIRECTORY is not a setting of fhirsight. Did you mean DATA_DIR?',
    ],
    ['a misspelt setting', { MODEL_DIR: '/tmp' }, 'MODEL_DIR is not a setting of fhirsight. Did you mean MODELS_DIR?'],
    ['a time zone that does not exist', { SITE_TIME_ZONE: 'Europe/Atlantis' }, 'SITE_TIME_ZONE is "Europe/Atlantis"'],
    ['a FHIR server that is no URL', { FHIR_BASE_URL: 'ftp://example.org' }, 'FHIR_BASE_URL is "ftp://example.org"'],
    [
      'a database that is no URL, without showing it',
      { DATABASE_URL: 'mysql://u:secret@h/d' },
      'DATABASE_URL is not valid',
    ],
    [
      'a models folder that is absent',
      { MODELS_DIR: '/nonexistent/models' },
      'MODELS_DIR /nonexistent/models cannot be read',
    ],
  ])('on %s, naming the variable', async (_what, settings, message) => {
    const ended = await runFhirsight(['serve'], { DATA_DIR: newDataDir(), MODELS_DIR: few, ...settings });
    expect(ended).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(ended.stderr).toContain('CONFIG_INVALID: ');
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toContain('secret');
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });

  it('where the database server cannot be reached, without its password', async () => {
    const env = { DATA_DIR: newDataDir(), MODELS_DIR: few, DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/none' };
    const ended = await runFhirsight(['serve'], env);
    expect(ended).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(ended.stderr).toContain('DATABASE_UNAVAILABLE: The database does not answer (ECONNREFUSED)');
    expect(ended.stderr).toContain('DATABASE_URL');
    expect(ended.stderr).not.toContain('secret');
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });

  it('where the data directory cannot be written', async () => {
    const file = path.join(newDataDir(), 'file');
    writeFileSync(file, '');
    for (const dataDir of [file, path.join(file, 'below'), '/sys/fhirsight']) {
      const ended = await runFhirsight(['serve'], { DATA_DIR: dataDir });
      expect(ended).toMatchObject({ code: 1, signal: null, stdout: '' });
      expect(ended.stderr).toContain(
        `DATA_DIR is ${JSON.stringify(dataDir)}; allowed is a folder that this user may write to`,
      );
    }
  });

  it('on an option it does not have', async () => {
    const ended = await runFhirsight(['serve', '--port', '80'], { DATA_DIR: newDataDir() });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("'--port'");
    expect(ended.stderr).toContain('fhirsight <command>');
  });
});

describe('fhirsight serve with a model folder whose checksum is wrong', () => {
  it('refuses that folder loudly and serves the others', async () => {
    await using models = await copyModel('prevent-base');
    const bad = folderAt(models.modelsDir, 'pce-2013', '1.0.0');
    await promisify(execFile)('cp', ['-r', path.join(shippedModels, 'pce-2013'), models.modelsDir]);
    const artefact = await readFile(path.join(bad.dir, 'model.onnx'));
    artefact[artefact.length - 40] = (artefact[artefact.length - 40] ?? 0) ^ 1;
    await bad.write('model.onnx', artefact);
    const env = {
      DATA_DIR: await knownDataDir(),
      MODELS_DIR: models.modelsDir,
      SAMPLE_PATIENTS: '1',
      LOG_LEVEL: 'info',
    };
    const server = await start(env);

    const refusals = logLines(server.output()).filter(({ event }) => event === 'model.refused');
    expect(refusals).toMatchObject([{ level: 'error', folder: 'pce-2013/1.0.0', error: { code: 'MODEL_INVALID' } }]);
    expect(JSON.stringify(refusals)).toContain('model.onnx');
    const listed = await (await fetch(`${server.url}/models`)).json();
    expect(listed).toMatchObject({ models: [{ id: 'prevent-base' }], refused: [{ folder: 'pce-2013/1.0.0' }] });
    expect((await predict(server, 'sample-0001')).status).toBe(200);
    const unready = await predict(server, 'sample-0001', predictBody('pce-2013'));
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'transient' }] });
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });
});

function percents(resource: unknown): (number | undefined)[] {
  return ((resource as RiskAssessment).prediction ?? []).map(({ probabilityDecimal }) => probabilityDecimal);
}
