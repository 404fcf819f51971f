import { afterAll, beforeAll, expect, it } from 'vitest';
import { hookServices } from '../../src/entrances/cds-hooks/hook-service.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { catalogOfVersions } from '../support/catalog-of-versions.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { unloadedEngine } from '../support/unloaded-engine.ts';

let folder: ModelFolder;
beforeAll(async () => {
  folder = await copyModel('chest-phantom');
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Reads the model of drawn pictures with a service, and what a test declares of it. */
async function withService(declared: Readonly<Record<string, unknown>> = {}) {
  await folder.edit('manifest.json', (json) => {
    const scored = json.outcomes[0].classes.map(({ code }: { code: string }) => ({ band: code, show: 'info' }));
    const cards = { scored, abstained: 'info', notEligible: 'none' };
    const service = { hook: 'patient-view', title: 'Drawn', description: 'Drawn pictures.', outcome: 'drawn', cards };
    json.cdsHooks = [{ ...service, ...declared }];
  });
  await folder.seal();
  return await readModelFolder(folder.dir);
}

it('CDS-29: a service of a model with reports asks a client for nothing, and shows reports', async () => {
  const version = { ...(await withService()), ...unloadedEngine };
  const [service] = hookServices(catalogOfVersions([version]), ['consent', 'group'], true);
  expect(service).toMatchObject({ showsReports: true, prefetch: {} });
  expect(service?.answerTypes.size).toBe(0);
});

it.each([
  [
    'an earlier result in the place of a late one',
    { reuse: 'PT8H' },
    '/cdsHooks/0/reuse: is not for a model with reports',
  ],
  [
    'a result that the client keeps',
    { systemActions: ['create-result'] },
    '/cdsHooks/0/systemActions: is not for a model',
  ],
  [
    'a prefetch key',
    { prefetch: { imagingStudies: 'client-only' } },
    'it has none: who reads images takes nothing out of',
  ],
])('a service of a model with reports that declares %s is refused', async (_, declared, words) => {
  await expect(withService(declared)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining(words),
  });
});
