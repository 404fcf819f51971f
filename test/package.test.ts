import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scorablePatient } from './support/scorable-patient.ts';
import { transactionOf } from './support/transaction-of.ts';

const root = path.resolve(import.meta.dirname, '..');
const app = mkdtempSync(path.join(tmpdir(), 'fhirsight-app-'));
afterAll(() => rm(app, { recursive: true, force: true }));

/** How a machine reaches its package registry: certificates and proxies that its user has set. */
const network = Object.entries(process.env).filter(([name]) =>
  /^(NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(HTTPS?|NO)_PROXY)$/i.test(name),
);

/** Runs a program as it would run in somebody's shell, without what `npm test` puts into the environment. */
async function run(program: string, args: readonly string[], cwd = app): Promise<{ stdout: string; stderr: string }> {
  const env = { ...Object.fromEntries(network), PATH: process.env.PATH, HOME: process.env.HOME };
  const options = { cwd, env, maxBuffer: 32 * 1024 * 1024 };
  return await promisify(execFile)(program, args, options).catch((failed: { stdout: string; stderr: string }) => {
    throw new Error(`${program} ${args.join(' ')} failed:\n${failed.stdout}${failed.stderr}`);
  });
}

/** An Express app of somebody else that mounts the package below /risk, predicts once over HTTP and closes. */
const embedding = `
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import express from 'express';
import { createFhirsight } from 'fhirsight';

const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'beforeExit', 'exit'];
const listeners = () => events.map((name) => process.listenerCount(name));

const app = express();
app.get('/', (request, response) => response.send('the app'));
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = 'http://127.0.0.1:' + server.address().port;
const before = listeners();
const fhirsight = createFhirsight({ settings: { DATA_DIR: 'data', PUBLIC_BASE_URL: url + '/risk', LOG_LEVEL: 'warn' } });
app.use('/risk', fhirsight.router);
const early = await fetch(url + '/risk/models');
await fhirsight.start();
const during = listeners();

const send = async (path, body) => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
};
const stored = await send('/risk/fhir/R4', JSON.parse(await readFile('record.json', 'utf8')));
const predicted = await send('/risk/fhir/R4/Patient/embedded/$predict', {
  resourceType: 'Parameters',
  parameter: [{ name: 'model', valueString: 'prevent-base' }, { name: 'writeBack', valueBoolean: true }],
});
const created = await fetch(url + '/risk/fhir/R4/Basic', {
  method: 'POST',
  headers: { 'content-type': 'application/fhir+json' },
  body: JSON.stringify({ resourceType: 'Basic', code: { text: 'synthetic' } }),
});
await fhirsight.close();
const late = await fetch(url + '/risk/models');
const own = await (await fetch(url + '/')).text();
const after = listeners();
server.close();
server.closeAllConnections();
console.log(JSON.stringify({
  early: early.status, stored: stored.status, predicted, location: created.headers.get('location'), url,
  late: late.status, own, before, during, after,
}));
`;

/** Types that are \`any\` would let the last lines pass without an error to expect. */
const typed = `
import { createServer } from 'node:http';
import { createFhirsight, type Fhirsight, type FhirsightOptions, PredictionError } from 'fhirsight';

const options: FhirsightOptions = { settings: { DATA_DIR: 'data' }, clock: { now: () => new Date() } };
const fhirsight: Fhirsight = createFhirsight(options);
createServer(fhirsight.router);
await fhirsight.start({ prepare: async ({ catalog, fhirBase }) => void [catalog.list().map(({ key }) => key), fhirBase] });
await fhirsight.close();
export const code = (error: PredictionError): 'ABSTAINED' | undefined => (error.code === 'ABSTAINED' ? error.code : undefined);
// @ts-expect-error a setting is a text
createFhirsight({ settings: { PORT: 8080 } });
// @ts-expect-error there is no such method
fhirsight.stop();
`;

describe('the package, built, packed and installed in an empty app', () => {
  beforeAll(async () => {
    await run('npm', ['run', 'build'], root);
    await run('npm', ['pack', '--pack-destination', app], root);
    const [tarball = ''] = readdirSync(app).filter((name) => name.endsWith('.tgz'));
    const { version } = JSON.parse(await readFile(path.join(root, 'node_modules/@types/node/package.json'), 'utf8'));
    const manifest = {
      name: 'somebodys-app',
      private: true,
      type: 'module',
      allowScripts: { 'onnxruntime-node': false, protobufjs: false },
      dependencies: { fhirsight: `file:${tarball}`, express: '5.3.0' },
      devDependencies: { '@types/node': version },
    };
    await writeFile(path.join(app, 'package.json'), JSON.stringify(manifest));
    await writeFile(path.join(app, '.npmrc'), 'onnxruntime-node-install=skip\n');
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund']);
  }, 300_000);

  const inPackage = (...parts: string[]): string => path.join(app, 'node_modules/fhirsight', ...parts);

  it('holds what runs, and neither sources nor tests', () => {
    const top = readdirSync(inPackage());
    expect(top).toEqual(
      expect.arrayContaining(['bin', 'dist', 'models', 'fhir-profiles', 'schemas', '.env.example', 'package.json']),
    );
    for (const name of ['src', 'test', 'node_modules', 'tsconfig.json', '.npmrc']) expect(top).not.toContain(name);
    const files = readdirSync(inPackage('dist'), { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(expect.arrayContaining(['index.js', 'index.d.ts', 'main.js', 'platform/pglite-worker.js']));
    expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([]);
  });

  it('is mounted in an Express app, starts, predicts over HTTP, and closes so that the process ends by itself', async () => {
    await writeFile(path.join(app, 'app.js'), embedding);
    const record = transactionOf(scorablePatient('embedded'), { fullUrls: false });
    await writeFile(path.join(app, 'record.json'), JSON.stringify(record));
    const { stdout, stderr } = await run(process.execPath, ['app.js']);
    const seen = JSON.parse(stdout);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ error: { code: 'STARTING' } }, { error: { code: 'SHUTTING_DOWN' } }]);
    expect(seen).toMatchObject({ early: 503, stored: 200, late: 503, own: 'the app' });
    expect(seen.predicted).toMatchObject({
      status: 200,
      body: { resourceType: 'RiskAssessment', id: expect.any(String) },
    });
    expect(seen.predicted.body.prediction).toHaveLength(10);
    expect(seen.location).toMatch(new RegExp(`^${seen.url}/risk/fhir/R4/Basic/[^/]+/_history/1$`));
    // The data directory's lock lets go of itself at exit; nothing else is installed, and nothing stays.
    expect(seen.during.slice(0, -1)).toEqual(seen.before.slice(0, -1));
    expect(seen.after).toEqual(seen.before);
  });

  it('gives its types to TypeScript', async () => {
    await writeFile(path.join(app, 'typed.ts'), typed);
    const tsc = path.join(root, 'node_modules/.bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--types',
      'node',
    ];
    expect(await run(tsc, [...flags, 'typed.ts'])).toMatchObject({ stdout: '' });
  });

  it('brings the command fhirsight', async () => {
    const { stdout } = await run(path.join(app, 'node_modules/.bin/fhirsight'), ['sample', '--patients', '1']);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ resourceType: 'Patient', id: 'sample-0001' });
  });
});
