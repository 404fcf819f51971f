import { mkdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { type CatalogContents, loadContents } from '../../src/model-catalog/catalog-contents.ts';
import { createLiveCatalog, type LiveCatalog } from '../../src/model-catalog/live-catalog.ts';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { highestStands } from '../../src/model-catalog/standing.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { addVersion } from '../support/add-version.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';

const model = 'pce-2013';
const person = [[55, 1, 0, 213, 50, 120, 0, 0, 0]];

let engine: InferenceEngine;
let folder: ModelFolder;
let serving: CatalogContents;
beforeEach(async () => {
  engine = createOnnxEngine();
  folder = await copyModel(model);
  serving = await loadContents({ modelsDir: folder.modelsDir, engine, clock: systemClock });
});
afterEach(async () => {
  await engine.close();
  await folder[Symbol.asyncDispose]();
});

const again = (mustStay?: (version: LoadedVersion) => string | undefined): Promise<CatalogContents> =>
  loadContents(
    { modelsDir: folder.modelsDir, engine, clock: systemClock, ...(mustStay && { mustStay: async () => mustStay }) },
    serving,
  );

function live(): LiveCatalog {
  const standing = highestStands(serving.versions);
  return createLiveCatalog(serving, () => standing);
}

test('what has not changed is kept as it is, and what is new is loaded beside it', async () => {
  await addVersion(folder, '1.1.0');
  const next = await again();
  expect(next.refused).toEqual([]);
  expect(next.versions.map(({ key }) => key)).toEqual(['pce-2013@1.1.0', 'pce-2013@1.0.0']);
  expect(next.versions[1]).toBe(serving.versions[0]);
});

test('a folder that was touched and says the same is kept; one that says something else is refused and its version kept', async () => {
  await folder.edit('manifest.json', () => undefined);
  await folder.seal();
  const { digest } = serving.versions[0] ?? {};
  const touched = await again();
  const [kept] = touched.versions;
  expect(kept?.digest).toBe(digest);
  await folder.edit('manifest.json', (manifest) => {
    manifest.title = 'Another title';
  });
  const changed = await again();
  expect(changed.versions).toEqual([serving.versions[0]]);
  expect(changed.refused.map(({ reason }) => reason)).toEqual([expect.stringContaining('A version is immutable')]);
});

test('a folder that is gone takes its version with it, unless it has to stay; that is told', async () => {
  await addVersion(folder, '1.1.0');
  serving = await again();
  await rm(folder.dir, { recursive: true });
  expect((await again()).versions.map(({ key }) => key)).toEqual(['pce-2013@1.1.0']);
  const kept = await again(({ key }) => (key === 'pce-2013@1.0.0' ? 'it is the default of its model' : undefined));
  expect(kept.versions.map(({ key }) => key)).toEqual(['pce-2013@1.1.0', 'pce-2013@1.0.0']);
  expect(kept.refused).toMatchObject([{ reason: expect.stringContaining('because it is the default of its model') }]);
});

test('a models folder that cannot be read changes nothing', async () => {
  await rm(folder.modelsDir, { recursive: true });
  await expect(again()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect((await serving.versions[0]?.run(person))?.[0]?.[0]).toBeCloseTo(0.020557, 5);
  await mkdir(folder.modelsDir);
});

test('who has begun with a version ends with it after it was removed; then it is released', async () => {
  await addVersion(folder, '1.1.0');
  serving = await again();
  const catalog = live();
  const borrowed = catalog.borrow();
  const early = borrowed.catalog.find(model, '1.0.0');
  await rm(folder.dir, { recursive: true });
  const { removed, released } = catalog.swap(await again());
  expect(removed).toEqual([early]);
  expect(() => catalog.find(model, '1.0.0')).toThrowError(expect.objectContaining({ code: 'MODEL_UNKNOWN' }));
  expect(borrowed.catalog.find(model, '1.0.0')).toBe(early);
  expect((await early.run(person))[0]?.[0]).toBeCloseTo(0.020557, 5);
  borrowed.giveBack();
  await released;
  await expect(early.run(person)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
});

test('a version that was removed by a later swap waits for who began before an earlier one', async () => {
  await addVersion(folder, '1.1.0');
  serving = await again();
  const catalog = live();
  const borrowed = catalog.borrow();
  const early = borrowed.catalog.find(model, '1.0.0');
  catalog.swap(serving);
  const { released } = catalog.swap({ ...serving, versions: serving.versions.filter((version) => version !== early) });
  expect(await early.run(person)).toHaveLength(1);
  borrowed.giveBack();
  await released;
  await expect(early.run(person)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
});
