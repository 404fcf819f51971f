import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTreeShapWorker } from '../src/explanation/trees/tree-shap-worker.ts';
import type { InferenceEngine } from '../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../src/inference/onnx-engine.ts';
import { systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { imageServers, openImageReading, openImaging } from '../src/wire-imaging.ts';
import { loadModels } from '../src/wire-models.ts';
import { captureLog } from './support/captured-log.ts';
import { imageModelFolder } from './support/image-model.ts';
import type { ModelFolder } from './support/model-folder.ts';
import { outboundTo } from './support/outbound-to.ts';

let engine: InferenceEngine;
let folder: ModelFolder;

beforeAll(async () => {
  engine = createOnnxEngine();
  folder = await imageModelFolder();
});
afterAll(async () => {
  await engine.close();
  await folder[Symbol.asyncDispose]();
});

/** Models of which it is said at start that they read images and no image server is configured. */
async function saidAtStart(settings: Readonly<Record<string, string>>): Promise<unknown[]> {
  const log = captureLog();
  const worker = createTreeShapWorker();
  const config = readConfig({ MODELS_DIR: folder.modelsDir, ...settings });
  const { contents } = await loadModels(config, engine, { logger: log.logger, clock: systemClock }, worker);
  expect(contents.refused.map(({ error }) => error.message)).toEqual([]);
  for (const version of contents.versions) await version.release();
  await worker.close();
  return log
    .lines()
    .filter(({ event }) => event === 'model.images-unconfigured')
    .map(({ model }) => model);
}

it('says at start that a model reads images and none can be read, unless IMAGING_FILE is set', async () => {
  expect(await saidAtStart({})).toEqual([expect.stringMatching(/^pce-2013@/)]);
  expect(await saidAtStart({ IMAGING_FILE: '/etc/fhirsight/imaging.json' })).toEqual([]);
});

it('makes what images are read by of IMAGING_FILE, and nothing where there is none', async () => {
  const opened: (() => Promise<void>)[] = [];
  const logged = { clock: systemClock, logger: captureLog().logger };
  expect(imageServers(undefined)).toEqual([]);
  expect(openImageReading(undefined, logged, (close) => opened.push(close))).toBeUndefined();
  expect(opened).toEqual([]);

  const url = 'http://127.0.0.1:8042/dicom-web';
  const imaging = openImaging(
    {
      servers: { pacs: { url, endpoints: [], allowPlainHttp: false, connections: 4 } },
      limits: { timeoutMs: 1_000, objectBytes: 1, metadataBytes: 2, studyBytes: 3, frames: 4, memoryBytes: 5 },
      quietPeriodMs: 5_000,
      patientIdentifiers: [{ system: 'urn:oid:2.999.1' }],
    },
    outboundTo(url),
    (close) => opened.push(close),
  );
  const reading = openImageReading(imaging, logged, (close) => opened.push(close));
  expect(reading).toMatchObject({
    limits: { objectBytes: 1, studyBytes: 3, frames: 4 },
    memory: { bytes: 5, free: 5 },
    quietPeriodMs: 5_000,
    patientIdentifiers: [{ system: 'urn:oid:2.999.1' }],
  });
  expect(reading?.sources.sourceFor(`${url}/studies`)?.name).toBe('pacs');
  for (const close of opened.reverse()) await close();
});
