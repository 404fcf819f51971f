import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelRoutes } from '../../../src/entrances/models/model-routes.ts';
import { createApp } from '../../../src/http/server-app.ts';
import { findOutput, outputNames, outputText } from '../../../src/model-catalog/model-outputs.ts';
import type { LoadedVersion } from '../../../src/model-catalog/model-version.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { runFhirsight } from '../../support/fhirsight-process.ts';
import { copyModel } from '../../support/model-folder.ts';
import { shippedModel } from '../../support/shipped-model.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { siteOf, writeSite } from '../../support/site-file.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

const models = await Promise.all(['kfre-4', 'prevent-base'].map((id) => shippedModel(id)));
const versions = models.map((model): LoadedVersion => ({ ...model, ...unloadedEngine }));
const catalog = catalogOfVersions(versions);
const app = createApp({
  routes: [
    {
      path: '/models',
      handler: modelRoutes(catalog, ['consent'], { serverUrl: 'http://127.0.0.1', today: () => '2026-11-28' }),
    },
  ],
  newRequestId: () => 'one',
  logger: silentLogger,
  notReady: async () => [],
});
const server = createServer(app);
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

function textOf(name: string, made: readonly LoadedVersion[]): string {
  const output = findOutput(name);
  if (output === undefined) throw new Error(`there is no output ${name}`);
  return outputText(output, made, ['consent']);
}

describe('GET /models/{id}/{output}', () => {
  test.each(outputNames)('gives %s of one model', async (name) => {
    const answer = await fetch(`${url}/prevent-base/${name}?version=1.0.0`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      `${findOutput(name)?.contentType}; charset=utf-8`,
    ]);
    expect(await answer.text()).toBe(textOf(name, versions.slice(1)));
  });

  test.each(outputNames.filter((name) => findOutput(name)?.joins))('gives %s of several models', async (name) => {
    const answer = await fetch(`${url}/prevent-base/${name}?with=kfre-4@1.0.0`);
    expect(await answer.text()).toBe(textOf(name, [...versions].reverse()));
  });

  test.each([
    ['prevent-base/nothing', 404],
    ['prevent-base/toString', 404],
    ['nobody/scopes', 404],
    ['prevent-base/scopes?with=nobody', 404],
    ['prevent-base/scopes?version=9.9.9', 404],
    ['prevent-base/scopes?with=kfre-4@1.0.0@2', 400],
    ['prevent-base/prefetch?with=kfre-4', 400],
    ['prevent-base/scopes?version=1.0.0&version=1.0.0', 400],
  ])('answers %s with %i', async (path, status) => {
    expect((await fetch(`${url}/${path}`)).status).toBe(status);
  });

  test('refuses to be written', async () => {
    expect((await fetch(`${url}/prevent-base/scopes`, { method: 'DELETE' })).status).toBe(405);
  });
});

describe('fhirsight describe', () => {
  test('prints what the server gives', async () => {
    const env = { OPT_OUT_BY: 'consent' };
    const [lone, several] = await Promise.all([
      runFhirsight(['describe', 'prevent-base', '--as', 'prefetch'], env),
      runFhirsight(['describe', 'models/prevent-base/1.0.0', 'kfre-4', '--as', 'bulk-export'], env),
    ]);
    expect(lone).toMatchObject({ code: 0, stderr: '', stdout: textOf('prefetch', versions.slice(1)) });
    expect(several).toMatchObject({ code: 0, stdout: textOf('bulk-export', [...versions].reverse()) });
  });

  test('asks for the local codes of the site too, as the server does', async () => {
    await using folder = await copyModel('pce-2013');
    await folder.edit('feature-map.json', (map) => {
      map.concepts = { totalCholesterol: { display: 'Total cholesterol', codes: map.features.totalCholesterol.codes } };
      map.features.totalCholesterol.codes = [{ concept: 'totalCholesterol' }];
    });
    await folder.seal();
    await using site = await writeSite(siteOf({ totalCholesterol: { codes: ['urn:lab|CHOL'] } }));
    const bulk = await runFhirsight(['describe', folder.dir, '--as', 'bulk-export'], { SITE_FILE: site.file });
    expect(bulk).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(bulk.stdout)._typeFilter[0]).toContain('urn:lab|CHOL');
  });

  test.each([
    [['prevent-base']],
    [['prevent-base', '--as', 'nothing']],
    [['--as', 'scopes']],
    [['prevent-base', 'kfre-4', '--as', 'prefetch']],
    [['nobody', '--as', 'scopes']],
  ])('%j is a wrong command line', async (args) => {
    expect(await runFhirsight(['describe', ...args])).toMatchObject({ code: 2, stdout: '' });
  });

  test('names every output in its help', async () => {
    const { stdout } = await runFhirsight(['help']);
    const [, options = ''] = stdout.split('describe MODEL');
    for (const name of outputNames) expect(options.split('--version')[0]).toContain(name);
  });
});

test('the tests of a version are told at its own address, and for no other', async () => {
  const response = await fetch(`${url}/kfre-4/versions/1.0.0`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    id: 'kfre-4',
    version: '1.0.0',
    state: 'default',
    registration: { state: 'ready', at: '2026-03-01T09:00:00.000Z', checks: [] },
  });
  const unknown = await fetch(`${url}/kfre-4/versions/9.0.0`);
  expect(unknown.status).toBe(404);
  expect(await unknown.text()).toContain('There is no version 9.0.0 of a model kfre-4. Below /models there are');
});
