import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Device, DocumentReference, OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cardPath, cardRoutes } from '../../../src/entrances/models/card-routes.ts';
import { createApp } from '../../../src/http/server-app.ts';
import type { ModelCard } from '../../../src/model-catalog/model-card-schema.ts';
import type { LoadedVersion } from '../../../src/model-catalog/model-version.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import { deviceOf } from '../../../src/wire-served-models.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { shippedModels } from '../../support/model-folder.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

let version: LoadedVersion;
let url = '';
let close = (): void => undefined;
beforeAll(async () => {
  version = { ...(await readModelFolder(path.join(shippedModels, 'kfre-4', '1.0.0'))), ...unloadedEngine };
  const handler = cardRoutes({
    catalog: catalogOfVersions([version]),
    deviceOf,
    today: () => '2026-11-28',
  });
  const app = createApp({
    routes: [
      { path: '/', handler: (_request, _response, next) => next(), ownFormat: [cardPath] },
      { path: '/models', handler, ownFormat: true },
    ],
    newRequestId: () => 'one',
    logger: silentLogger,
    notReady: async () => [],
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/kfre-4/versions/1.0.0/card`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterAll(() => close());

/** What the tests read of an answer in JSON. */
interface Body {
  readonly model: string;
  readonly card: ModelCard;
  readonly digest: string;
  readonly sourceAttributes: Readonly<Record<string, object>>;
}
const bodyOf = async (answer: Response): Promise<Body> => (await answer.json()) as Body;
const diagnosticsOf = async (answer: Response): Promise<string | undefined> =>
  ((await answer.json()) as OperationOutcome).issue?.[0]?.diagnostics;

const get = (query = '', accept = '*/*') => fetch(`${url}${query}`, { headers: { accept } });
const html = 'text/html; charset=utf-8';
const json = 'application/json; charset=utf-8';
const markdown = 'text/markdown; charset=utf-8';
const fhir = 'application/fhir+json; charset=utf-8';

describe('GET /models/{id}/versions/{version}/card', () => {
  test.each([
    ['', '*/*', html],
    ['', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', html],
    ['', 'application/json', json],
    ['', 'text/markdown', markdown],
    ['', 'application/fhir+json', fhir],
    ['', 'text/html;q=0.5, application/json', json],
    ['', 'image/png, text/*;q=0.1', html],
    ['?format=json', 'text/html', json],
    ['?format=md', '*/*', markdown],
    ['?_format=text/html', 'application/json', html],
    ['?_format=application/fhir+json', '*/*', fhir],
  ])('%s with Accept %s is %s', async (query, accept, type) => {
    const answer = await get(query, accept);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('vary')).toContain('Accept');
  });

  test('as JSON is the card of the folder, with the 31 source attributes', async () => {
    const body = await bodyOf(await get('?format=json'));
    expect(body.card).toEqual(version.card);
    expect(body.digest).toBe(version.digest);
    expect(Object.keys(body.sourceAttributes)).toHaveLength(31);
  });

  test('AIT-3 AIT-5 as FHIR is the Device that holds it', async () => {
    const device = (await (await get('?format=fhir')).json()) as Device;
    const served = await (await get('?format=markdown')).text();
    expect(device.identifier?.[1]?.value).toBe(`kfre-4|1.0.0|${version.digest}`);
    const [document] = device.contained ?? [];
    const { data = '' } = (document as DocumentReference).content?.[0]?.attachment ?? {};
    const held = Buffer.from(data, 'base64').toString();
    expect(served.startsWith(held.slice(0, held.indexOf('## Licences')))).toBe(true);
  });

  test('a page may not run anything, whatever stands in it', async () => {
    const policy = (await get()).headers.get('content-security-policy');
    expect(policy).toMatch(/script-src 'self'/);
    expect((await get()).headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    ['?format=pdf', '*/*', 400, "no format 'pdf'"],
    ['?format=*/*', '*/*', 400, 'There are html (text/html)'],
    ['?format=json&format=html', '*/*', 400, 'no format'],
    ['', 'application/pdf', 406, 'None of'],
  ])('%s with Accept %s is refused with %d', async (query, accept, status, says) => {
    const answer = await get(query, accept);
    expect(answer.status).toBe(status);
    expect(await diagnosticsOf(answer)).toContain(says);
  });

  test.each([
    ['kfre-5/versions/1.0.0/card', 'There is no model kfre-5@1.0.0'],
    ['kfre-4/versions/9.0.0/card', 'There is no model kfre-4@9.0.0'],
    ['kfre-4/versions/9.0.0/card/dsi', 'There is no model kfre-4@9.0.0'],
  ])('%s is not known', async (place, says) => {
    const answer = await fetch(new URL(`/models/${place}`, url));
    expect(answer.status).toBe(404);
    expect(await diagnosticsOf(answer)).toContain(says);
  });

  test('is only read', async () => {
    const answer = await fetch(url, { method: 'PUT' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

test('GET …/card/dsi gives the 31 source attributes of the very version (DSI-40)', async () => {
  const answer = await fetch(`${url}/dsi`);
  const body = await bodyOf(answer);
  expect(body).toMatchObject({ model: 'kfre-4', version: '1.0.0', digest: version.digest });
  expect(Object.keys(body.sourceAttributes)).toHaveLength(31);
});
