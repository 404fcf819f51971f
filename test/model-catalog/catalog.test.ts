import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { bandsOf } from '../../src/model-catalog/outcome-score.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { demonstrations, publishedModels } from '../support/demonstrations.ts';
import { copyModel, folderAt, type ModelFolder, shippedModels } from '../support/model-folder.ts';
import { onnxBytes, sigmoidModel } from '../support/onnx-model.ts';
import { someModels } from '../support/some-models.ts';

let engine: InferenceEngine;
let folder: ModelFolder;
beforeEach(async () => {
  engine = createOnnxEngine();
  folder = await copyModel('pce-2013');
});
afterEach(async () => {
  await engine.close();
  await folder[Symbol.asyncDispose]();
});

/** Adds a copy of the model under another version. */
async function addVersion(version: string): Promise<void> {
  const copy = folderAt(folder.modelsDir, 'pce-2013', version);
  await cp(folder.dir, copy.dir, { recursive: true });
  for (const file of ['manifest.json', 'model-card.json']) {
    await copy.edit(file, (json) => {
      json.version = version;
    });
  }
  await copy.seal();
}

describe('the shipped models', () => {
  test('are served, each with its golden cases passed, and run', async () => {
    const catalog = await loadCatalog({ modelsDir: shippedModels, engine, clock: systemClock });
    expect(catalog.refused).toEqual([]);
    expect(catalog.list().map(({ key }) => key)).toEqual([
      'cha2ds2-vasc@1.0.0',
      'chest-phantom@1.0.0',
      'ckd-epi-2021@1.0.0',
      ...demonstrations.map((id) => `${id}@1.0.0`),
      'fib4@1.0.0',
      'hospital@1.0.0',
      'kfre-4@1.0.0',
      'lace@1.0.0',
      'meld3@1.0.0',
      'news2@1.0.0',
      'pce-2013@1.0.0',
      'prevent-base@1.0.0',
      'prevent-full@1.0.0',
      'score2@1.0.0',
    ]);
    const [risk] = await catalog.find('pce-2013').run([[55, 1, 0, 213, 50, 120, 0, 0, 0]]);
    expect(risk?.[0]).toBeCloseTo(0.020557, 5);
  });

  test('PCE is marked as superseded by PREVENT, and PREVENT and KFRE have no bands', async () => {
    const catalog = await loadCatalog({ modelsDir: await someModels(publishedModels), engine, clock: systemClock });
    const pce = catalog.find('pce-2013').manifest;
    expect(catalog.find(String(pce.supersededBy?.model)).manifest.id).toBe('prevent-base');
    const [outcome] = pce.outcomes;
    if (outcome?.kind !== 'probability') throw new Error('the PCE give a probability');
    expect(outcome.bands?.levels.map(({ code }) => code)).toEqual(['low', 'borderline', 'intermediate', 'high']);
    expect(outcome.bands?.citation).toContain('10.1161/CIR.0000000000000625');
    for (const model of ['kfre-4', 'prevent-base', 'prevent-full'])
      expect(catalog.find(model).manifest.outcomes.flatMap(bandsOf)).toEqual([]);
  });

  test('PREVENT, KFRE and SCORE2 use no race; PCE names it and its card says why', async () => {
    const catalog = await loadCatalog({ modelsDir: await someModels(publishedModels), engine, clock: systemClock });
    for (const model of ['ckd-epi-2021', 'kfre-4', 'prevent-base', 'prevent-full', 'score2'])
      expect(Object.keys(catalog.find(model).featureMap.features)).not.toContain('race');
    const card = catalog.find('pce-2013').card;
    expect(card.fairness.sensitiveInputs).toContain('race');
    expect(card.fairness.statement).toMatch(/only because the published equation/);
  });
});

describe('finding a model', () => {
  test('without a version the highest by number, not by text', async () => {
    await addVersion('1.10.0');
    await addVersion('1.9.0');
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(catalog.refused).toEqual([]);
    expect(catalog.list().map(({ manifest }) => manifest.version)).toEqual(['1.10.0', '1.9.0', '1.0.0']);
    expect(catalog.find('pce-2013').key).toBe('pce-2013@1.10.0');
    expect(catalog.find('pce-2013', '1.9.0').key).toBe('pce-2013@1.9.0');
  });

  test.each([
    ['prevent', undefined],
    ['pce-2013', '2.0.0'],
    ['__proto__', undefined],
  ])('%s %s is unknown, and the error names what is served', async (model, version) => {
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(() => catalog.find(model, version)).toThrowError(
      expect.objectContaining({ code: 'MODEL_UNKNOWN', message: expect.stringContaining('Served: pce-2013@1.0.0') }),
    );
  });

  test('a version whose folder was refused is not ready, not unknown', async () => {
    await addVersion('1.1.0');
    await rm(path.join(folder.modelsDir, 'pce-2013/1.1.0/model.onnx'));
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(() => catalog.find('pce-2013', '1.1.0')).toThrowError(expect.objectContaining({ code: 'MODEL_NOT_READY' }));
    expect(catalog.find('pce-2013').key).toBe('pce-2013@1.0.0');
  });
});

describe('a bad folder is refused with its reason, and the others are served', () => {
  async function refusedReason(): Promise<string> {
    await cp(path.join(shippedModels, 'prevent-base'), path.join(folder.modelsDir, 'prevent-base'), {
      recursive: true,
    });
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(catalog.list().map(({ key }) => key)).toEqual(['prevent-base@1.0.0']);
    expect(catalog.refused.map(({ dir }) => dir)).toEqual(['pce-2013/1.0.0']);
    return catalog.refused[0]?.reason ?? '';
  }

  test('a wrong checksum', async () => {
    await folder.write('feature-map.json', '{}');
    expect(await refusedReason()).toContain('feature-map.json: has a wrong checksum');
  });

  test('an artefact that is no ONNX model', async () => {
    await folder.write('model.onnx', 'print("hello")');
    await folder.seal();
    expect(await refusedReason()).toContain('model.onnx is not an ONNX model');
  });

  test('an artefact with another input type', async () => {
    await folder.write('model.onnx', onnxBytes(sigmoidModel('float32', 9)));
    await folder.seal();
    expect(await refusedReason()).toContain('input x has type float32; the manifest declares float64');
  });

  test('an artefact with another shape', async () => {
    await folder.write('model.onnx', onnxBytes(sigmoidModel('float64', 8)));
    await folder.seal();
    expect(await refusedReason()).toContain('input x has shape [n, 8]; the manifest declares [rows, 9]');
  });

  test('a tensor that the artefact does not have', async () => {
    await folder.edit('manifest.json', (manifest) => {
      manifest.tensors.output.name = 'probability';
    });
    expect(await refusedReason()).toContain('no output named probability; it has: risk');
  });

  test('a golden case that fails, with the case, the value and the expectation', async () => {
    await folder.edit('golden/published-examples.json', (golden) => {
      golden.cases[0].expected['ascvd-10y'] = 0.03;
    });
    await folder.seal();
    expect(await refusedReason()).toMatch(
      /golden case "published example, white woman" gives 0\.0205\d+ for ascvd-10y; expected 0\.03 within 0\.0005/,
    );
  });

  test('swapped columns, which only the golden cases can tell', async () => {
    await folder.edit('manifest.json', (manifest) => {
      const { columns } = manifest.tensors.input;
      [columns[3], columns[4]] = [columns[4], columns[3]];
    });
    expect(await refusedReason()).toContain('golden case');
  });

  test('a folder without versions in it, a link that leads nowhere', async () => {
    await symlink('absent', path.join(folder.modelsDir, 'a-link'));
    await mkdir(path.join(folder.modelsDir, 'b-empty'));
    await symlink('absent', path.join(folder.modelsDir, 'pce-2013/2.0.0'));
    await cp(path.join(folder.dir, 'manifest.json'), path.join(folder.modelsDir, 'README'));
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(catalog.list().map(({ key }) => key)).toEqual(['pce-2013@1.0.0']);
    expect(catalog.refused.map(({ dir }) => dir)).toEqual(['a-link', 'b-empty', 'pce-2013/2.0.0']);
  });

  test('a folder that the later stages cannot use', async () => {
    const catalog = await loadCatalog({
      modelsDir: folder.modelsDir,
      engine,
      clock: systemClock,
      accept: ({ key }) => {
        throw new RangeError(`${key}: unit furlong is unknown`);
      },
    });
    expect(catalog.list()).toEqual([]);
    expect(catalog.refused).toMatchObject([
      { dir: 'pce-2013/1.0.0', reason: 'pce-2013@1.0.0: unit furlong is unknown' },
    ]);
  });
});

/** How many folders beside a good one are none: ten thousand in the soak. */
const manyFolders = process.env.ENGINE_SOAK === undefined ? 1_000 : 10_000;

test(`${manyFolders} folders that hold no model are refused one by one, and the one that does is served`, async () => {
  const before = process.memoryUsage.rss();
  for (let index = 0; index < manyFolders; index++) {
    const dir = path.join(folder.modelsDir, `none-${index}`, '1.0.0');
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, 'manifest.json'), '{"id":');
  }
  const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
  expect(catalog.list().map(({ key }) => key)).toEqual(['pce-2013@1.0.0']);
  expect(catalog.refused).toHaveLength(manyFolders);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
});

describe('MODELS_DIR', () => {
  test('that does not exist stops the start and names the variable', async () => {
    await expect(
      loadCatalog({ modelsDir: path.join(folder.modelsDir, 'absent'), engine, clock: systemClock }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/MODELS_DIR .*absent cannot be read/),
    });
  });

  test('that holds no model stops the start', async () => {
    const empty = await mkdtemp(path.join(os.tmpdir(), 'fhirsight-empty-'));
    await mkdir(path.join(empty, '.git/objects'), { recursive: true });
    await expect(loadCatalog({ modelsDir: empty, engine, clock: systemClock })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('holds no model'),
    });
    await rm(empty, { recursive: true });
  });
});
