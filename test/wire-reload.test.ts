import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InferenceEngine } from '../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../src/inference/onnx-engine.ts';
import { loadContents } from '../src/model-catalog/catalog-contents.ts';
import { createLiveCatalog, type LiveCatalog } from '../src/model-catalog/live-catalog.ts';
import { highestStands, type Standing } from '../src/model-catalog/standing.ts';
import { systemClock } from '../src/platform/clock.ts';
import { createReloader, type Reloader } from '../src/wire-reload.ts';
import { addVersion } from './support/add-version.ts';
import { copyModel, folderAt, type ModelFolder } from './support/model-folder.ts';
import { silentLogger } from './support/silent-logger.ts';

const model = 'pce-2013';

let engine: InferenceEngine;
let folder: ModelFolder;
let catalog: LiveCatalog;
let standing: Standing;
let reloader: Reloader;
/** Versions that runs go on with. */
let runs: Map<string, string>;
/** What happens while a folder is loaded, and when all were. */
let whileLoading: () => void;
let whenLoaded: () => void;
let read: number;

beforeEach(async () => {
  engine = createOnnxEngine();
  folder = await copyModel(model);
  await addVersion(folder, '1.1.0');
  const options = { modelsDir: folder.modelsDir, engine, clock: systemClock };
  const serving = await loadContents(options);
  standing = highestStands(serving.versions);
  catalog = createLiveCatalog(serving, () => standing);
  runs = new Map();
  read = 0;
  whileLoading = () => undefined;
  whenLoaded = () => undefined;
  const accept = (): void => {
    read++;
    whileLoading();
  };
  reloader = createReloader({
    loaded: {
      async loadAgain(from, again) {
        const next = await loadContents({ ...options, ...again, accept }, from);
        whenLoaded();
        return next;
      },
    },
    served: { catalog },
    standing: () => standing,
    inUse: async () => new Map(runs),
    logger: silentLogger,
  });
  // 1.0.0 is gone and nobody needs it; 1.2.0 has come.
  await addVersion(folder, '1.2.0');
  await rm(folder.dir, { recursive: true });
});
afterEach(async () => {
  await reloader.close();
  await engine.close();
  await folder[Symbol.asyncDispose]();
});

test('a version is removed that nobody needs', async () => {
  expect(await reloader.reload()).toMatchObject({ loaded: [`${model}@1.2.0`], removed: [`${model}@1.0.0`] });
});

test('a run that begins while models are loaded keeps its version', async () => {
  whileLoading = () => runs.set(`${model}@1.0.0`, 'the run 1 goes on with it');
  const { removed, refused } = await reloader.reload();
  expect(removed).toEqual([]);
  expect(refused).toMatchObject([{ reason: expect.stringContaining('the run 1 goes on with it') }]);
  expect(catalog.find(model, '1.0.0').manifest.version).toBe('1.0.0');
});

test('a version that is promoted in the last moment before the others are served stays and answers', async () => {
  whenLoaded = () => {
    standing = highestStands([catalog.find(model, '1.0.0')]);
  };
  expect((await reloader.reload()).removed).toEqual([]);
  expect(catalog.find(model).manifest.version).toBe('1.0.0');
});

test('the end of the server waits for one folder of a reload at most, and nothing has changed', async () => {
  await addVersion(folderAt(folder.modelsDir, model, '1.1.0'), '1.3.0');
  const before = catalog.contents();
  let closed: Promise<void> | undefined;
  whileLoading = () => {
    closed ??= reloader.close();
  };
  await expect(reloader.reload()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await closed;
  expect(read).toBe(1);
  expect(catalog.contents()).toBe(before);
});
