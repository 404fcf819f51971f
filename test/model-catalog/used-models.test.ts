import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lintModelFolder } from '../../src/cli/lint/lint-model-folder.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { assertedInputsSchema } from '../../src/model-catalog/asserted-inputs-schema.ts';
import { bulkExport } from '../../src/model-catalog/bulk-export.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { featureTable } from '../../src/model-catalog/feature-table.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { readByUsed } from '../../src/model-catalog/read-by-used.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { requirementsLibrary } from '../../src/model-catalog/requirements-library.ts';
import { smartScopes } from '../../src/model-catalog/smart-scopes.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { folderAt, type ModelFolder } from '../support/model-folder.ts';
import { addShipped, addUserOf, egfrOfCkdEpi, preventOfCkdEpi } from '../support/models-that-use-others.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';
import { siteOf } from '../support/site-file.ts';

const engine = createOnnxEngine();
afterAll(() => engine.close());
const opened: ModelFolder[] = [];
afterEach(async () => {
  for (const folder of opened.splice(0)) await folder[Symbol.asyncDispose]();
});

async function prevent(definition?: object): Promise<ModelFolder> {
  const folder = await preventOfCkdEpi(definition);
  opened.push(folder);
  return folder;
}

async function loaded({ modelsDir }: ModelFolder): Promise<Catalog> {
  return await loadCatalog({ modelsDir, engine, clock: systemClock });
}

const keysOf = (catalog: Catalog) => catalog.list().map(({ key }) => key);
const reasonsOf = ({ refused }: Catalog) => Object.fromEntries(refused.map(({ dir, reason }) => [dir, reason]));
const creatinine = 'http://loinc.org|2160-0';
const optOutBy = ['consent', 'group'] as const;

/** What makes a feature the output of another model, on a copy of `ckd-epi-2021`. */
const outputOf = (model: string) => ({ ...egfrOfCkdEpi, model });

describe('a model that uses another', () => {
  it('is served beside it', async () => {
    const catalog = await loaded(await prevent());
    expect([keysOf(catalog), catalog.refused]).toEqual([['ckd-epi-2021@1.0.0', 'prevent-base@1.0.0'], []]);
    expect(catalog.find('prevent-base').uses.map(({ key }) => key)).toEqual(['ckd-epi-2021@1.0.0']);
  });

  it('is refused where that one is a demonstration and it is none itself', async () => {
    const folder = await prevent();
    const used = folderAt(folder.modelsDir, 'ckd-epi-2021', '1.0.0');
    await used.edit('manifest.json', (manifest) => {
      manifest.demonstration = true;
    });
    const before = await loaded(folder);
    expect(keysOf(before)).toEqual(['ckd-epi-2021@1.0.0']);
    expect(reasonsOf(before)['prevent-base/1.0.0']).toContain(
      'takes an output of ckd-epi-2021@1.0.0, a demonstration model; take another, or say "demonstration": true',
    );
    await folder.edit('manifest.json', (manifest) => {
      manifest.demonstration = true;
    });
    expect((await loaded(folder)).refused).toEqual([]);
  });

  it.each([
    [
      'a probability in percent',
      { outcome: 'egfr', unit: '%' },
      '/unit: is %, but egfr is in mL/min/{1.73_m2}; nothing is converted',
    ],
    [
      'a unit that is only spelled otherwise',
      { unit: 'mL/min/1.73.m2' },
      '/unit: is mL/min/1.73.m2, but egfr is in mL/min/{1.73_m2}',
    ],
    [
      'an outcome that it has not',
      { outcome: 'gfr' },
      '/outcome: is no outcome of ckd-epi-2021@1.0.0; it has egfr, gfr-category',
    ],
    [
      'a class as a number',
      { outcome: 'gfr-category' },
      '/unit: is mL/min/{1.73_m2}, but gfr-category is a class; name its codes in vocabulary',
    ],
    ['a measurement as points', { whole: true }, '/whole: is for points; egfr is none'],
    ['values that it never has', { plausible: [1, 300] }, '/plausible: goes beyond 0 to 250, which egfr never does'],
    ['a number without limits', { plausible: undefined }, '/plausible: is needed by a number'],
    [
      'neither a number nor a class',
      { unit: undefined, plausible: undefined },
      'needs unit, where the outcome is a number, or vocabulary',
    ],
    ['no exact version', { version: '1' }, '/version: must match pattern'],
  ])('is refused where it takes %s', async (_fault, change, reason) => {
    const catalog = await loaded(await prevent({ ...egfrOfCkdEpi, ...change }));
    expect(keysOf(catalog)).toEqual(['ckd-epi-2021@1.0.0']);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toContain(`feature-map.json /features/estimatedGfr`);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toContain(reason);
  });

  it('is refused where a class is not said with all its codes, lest one of them has no meaning', async () => {
    const folder = await prevent();
    await addUserOf(folder.modelsDir, 'by-category', {
      kind: 'model',
      label: 'GFR category',
      model: 'ckd-epi-2021',
      version: '1.0.0',
      outcome: 'gfr-category',
      vocabulary: ['G1', 'G2'],
    });
    expect(reasonsOf(await loaded(folder))['by-category/1.0.0']).toBeDefined();
    const { findings } = await lintModelFolder(path.join(folder.modelsDir, 'by-category/1.0.0'));
    expect(findings.map(({ path, message }) => `${path}: ${message}`)).toContain(
      '/features/creatinine/vocabulary: must be the classes of gfr-category: G1, G2, G3a, G3b, G4, G5',
    );
  });

  it('is refused where the other folder is missing, or has only another version, and keeps nobody else from serving', async () => {
    const folder = await prevent();
    await addShipped(folder.modelsDir, 'kfre-4');
    const ckd = path.join(folder.modelsDir, 'ckd-epi-2021');
    await rename(path.join(ckd, '1.0.0'), path.join(ckd, '1.0.1'));
    const catalog = await loaded(folder);
    expect(keysOf(catalog)).toEqual(['kfre-4@1.0.0']);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toContain(
      'feature-map.json /features/estimatedGfr/model: needs ckd-epi-2021@1.0.0, but the models folder has no ckd-epi-2021/1.0.0',
    );
  });

  it('is refused with the reason of the other where that is refused', async () => {
    const folder = await prevent();
    const ckd = await addShipped(folder.modelsDir, 'ckd-epi-2021');
    await ckd.edit('manifest.json', (manifest) => {
      delete manifest.title;
    });
    const catalog = await loaded(folder);
    expect(keysOf(catalog)).toEqual([]);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toMatch(
      /needs ckd-epi-2021@1.0.0, but that is not served: .*title/,
    );
  });

  it('is refused where only running the other shows that it is wrong: its golden cases fail', async () => {
    const folder = await prevent();
    const ckd = await addShipped(folder.modelsDir, 'ckd-epi-2021');
    await addUserOf(folder.modelsDir, 'user-of-user', {
      ...egfrOfCkdEpi,
      model: 'prevent-base',
      outcome: 'total-cvd-10y',
      unit: '1',
      plausible: [0, 1],
    });
    await ckd.edit('golden/scalar-form.json', ({ cases }) => {
      cases[0].expected.egfr = 12;
    });
    await ckd.seal();
    const catalog = await loaded(folder);
    expect(keysOf(catalog)).toEqual([]);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toMatch(/needs ckd-epi-2021@1.0.0, but that is not served: .*12/);
    expect(reasonsOf(catalog)['user-of-user/1.0.0']).toContain('needs prevent-base@1.0.0, but that is not served');
  });

  it('is refused where it needs itself, alone or in a circle, with the circle', async () => {
    const folder = await prevent();
    for (const [id, model] of [
      ['alone', 'alone'],
      ['first', 'second'],
      ['second', 'first'],
      ['onlooker', 'first'],
    ] as const)
      await addUserOf(folder.modelsDir, id, outputOf(model));
    const catalog = await loaded(folder);
    expect(keysOf(catalog)).toEqual(['ckd-epi-2021@1.0.0', 'prevent-base@1.0.0']);
    const reasons = reasonsOf(catalog);
    expect(reasons['alone/1.0.0']).toContain('it needs itself: alone@1.0.0 -> alone@1.0.0');
    expect(reasons['first/1.0.0']).toContain('it needs itself: first@1.0.0 -> second@1.0.0 -> first@1.0.0');
    expect(reasons['second/1.0.0']).toContain('it needs itself: second@1.0.0 -> first@1.0.0 -> second@1.0.0');
    expect(reasons['onlooker/1.0.0']).toContain('needs first@1.0.0, but that is not served');
  });

  it('is refused where the other was changed while models were loaded: what runs would not be what it names', async () => {
    const folder = await prevent();
    const ckd = await addShipped(folder.modelsDir, 'ckd-epi-2021');
    const changing: typeof engine = {
      ...engine,
      load: async (model) => {
        await ckd.edit('manifest.json', (manifest) => {
          manifest.title = `${manifest.title} again`;
        });
        return await engine.load(model);
      },
    };
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine: changing, clock: systemClock });
    expect(keysOf(catalog)).toEqual(['ckd-epi-2021@1.0.0']);
    expect(reasonsOf(catalog)['prevent-base/1.0.0']).toContain('the folder was changed while models were loaded');
  });

  it('keeps one copy of what many use, without its bytes: memory and start would grow with every way that leads to it', async () => {
    const folder = await prevent();
    const zero = { plausible: [0, 250] };
    await addUserOf(folder.modelsDir, 'left', { ...outputOf('ckd-epi-2021'), ...zero });
    await addUserOf(folder.modelsDir, 'right', { ...outputOf('ckd-epi-2021'), ...zero });
    await addUserOf(folder.modelsDir, 'above-left', { ...outputOf('left'), ...zero });
    const catalog = await loaded(folder);
    expect(catalog.refused).toEqual([]);
    const [ofLeft, ofRight, left] = ['left', 'right', 'above-left'].map((id) => catalog.find(id).uses[0]);
    expect(ofLeft).toBe(ofRight);
    expect(left?.uses[0]).toBe(ofRight);
    expect(Object.keys(ofLeft ?? {})).not.toContain('artefact');
    expect(catalog.find('prevent-base').uses[0]).toBe(ofRight);
  });

  it('has another digest once the other has, and nobody else has', async () => {
    const folder = await prevent();
    await addUserOf(folder.modelsDir, 'user-of-user', {
      ...egfrOfCkdEpi,
      model: 'prevent-base',
      outcome: 'total-cvd-10y',
      unit: '1',
      plausible: [0, 1],
    });
    await addShipped(folder.modelsDir, 'kfre-4');
    const digests = async () =>
      Object.fromEntries((await loaded(folder)).list().map(({ manifest, digest }) => [manifest.id, digest]));
    const before = await digests();
    const ckd = await addShipped(folder.modelsDir, 'ckd-epi-2021');
    await ckd.edit('manifest.json', (manifest) => {
      manifest.title = 'The same with another title';
    });
    const after = await digests();
    expect(Object.keys(before).filter((id) => before[id] !== after[id])).toEqual([
      'ckd-epi-2021',
      'prevent-base',
      'user-of-user',
    ]);
    expect(before['kfre-4']).toBe((await shippedModel('kfre-4')).digest);
  });
});

describe('what is asked for a model that uses another', () => {
  let folder: ModelFolder;
  beforeAll(async () => {
    folder = await preventOfCkdEpi();
  });
  afterAll(() => folder[Symbol.asyncDispose]());
  const version = () => readModelFolder(folder.dir);

  it('has the codes of both in its searches, and reaches back as far as either', async () => {
    const { gathered, featureMap } = await version();
    const [query] = recordQueries(gathered, new Date('2026-03-01T00:00:00Z'), []).filter(
      ({ type }) => type === 'Observation',
    );
    expect(query?.codes).toContain(creatinine);
    expect(query?.since).toEqual(new Date('2021-03-01T00:00:00Z'));
    const [alone] = recordQueries(featureMap, new Date(), []);
    expect(alone?.codes).not.toContain(creatinine);
  });

  it('is the same in prefetch templates, Bulk Data, scopes, the Library and the table', async () => {
    const read = await version();
    const { gathered } = read;
    expect(prefetchTemplates(gathered, optOutBy).observations).toContain('http://loinc.org|2160-0');
    expect(bulkExport([gathered], optOutBy)._typeFilter.join()).toContain('2160-0');
    expect(smartScopes([gathered], optOutBy)).toEqual(
      smartScopes([(await shippedModel('prevent-base')).featureMap], optOutBy),
    );
    const library = requirementsLibrary(read, optOutBy);
    expect(JSON.stringify(library.dataRequirement)).toContain('2160-0');
    expect(library.relatedArtifact?.at(-1)).toEqual({
      type: 'depends-on',
      display: 'CKD-EPI 2021, estimated GFR from creatinine',
      resource: 'https://fhirsight.org/fhir/Library/ckd-epi-2021|1.0.0',
    });
    expect(featureTable(gathered)).toContain('| `ckd-epi-2021@1.0.0/creatinine` | Creatinine in serum or plasma |');
  });

  it('is nothing more for a model that uses none', async () => {
    const shipped = await shippedModel('prevent-base');
    expect(shipped.gathered).toBe(shipped.featureMap);
    expect([shipped.uses, readByUsed(shipped).size]).toEqual([[], 0]);
  });

  it('says which inputs a caller asserts together with the output, lest one result speaks of two persons', async () => {
    const read = await version();
    expect(Object.fromEntries(readByUsed(read))).toEqual({ age: ['estimatedGfr'], sex: ['estimatedGfr'] });
    expect(assertedInputsSchema(read)).toMatchObject({
      allOf: [
        { anyOf: [{ not: { required: ['age'] } }, { required: ['estimatedGfr'] }] },
        { anyOf: [{ not: { required: ['sex'] } }, { required: ['estimatedGfr'] }] },
      ],
    });
  });
});

it('is read with the local codes of the other too, and says so', async () => {
  const folder = await prevent();
  const ckd = await addShipped(folder.modelsDir, 'ckd-epi-2021');
  await ckd.edit('feature-map.json', (map) => {
    map.concepts = { creatinine: { display: 'Creatinine', codes: map.features.creatinine.codes } };
    map.features.creatinine.codes = [{ concept: 'creatinine' }];
  });
  await ckd.seal();
  const local = 'urn:oid:1.2.3.4.5|CREA';
  const site = { file: '/site.json', ...siteOf({ creatinine: { codes: [local] } }) };
  const [without, read] = [await readModelFolder(folder.dir), await readModelFolder(folder.dir, site)];
  expect(recordQueries(read.gathered, new Date(), [])[0]?.codes).toContain(local);
  expect(read.site?.concepts).toEqual({ creatinine: { codes: [local] } });
  expect([without.site, read.digest === without.digest]).toEqual([undefined, false]);
});

describe('lint of a folder that uses another', () => {
  it('reads the other beside it', async () => {
    const folder = await prevent();
    const { findings } = await lintModelFolder(folder.dir);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('says which folder is missing', async () => {
    const folder = await prevent();
    await rm(path.join(folder.modelsDir, 'ckd-epi-2021'), { recursive: true });
    const { findings } = await lintModelFolder(folder.dir);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([
      {
        rule: 'load',
        severity: 'error',
        file: 'feature-map.json',
        path: '/features/estimatedGfr/model',
        message: 'needs ckd-epi-2021@1.0.0, but the models folder has no ckd-epi-2021/1.0.0',
      },
    ]);
  });

  it('refuses a policy for input-missing: the reasons of the other model have to be named', async () => {
    const folder = await prevent({
      ...egfrOfCkdEpi,
      missing: { indicate: { because: ['input-missing'], value: 90, source: 'made for this test' } },
    });
    const { findings } = await lintModelFolder(folder.dir);
    expect(findings.map(({ message }) => message)).toContain(
      'names input-missing; name the reasons of the features that it is made of',
    );
  });

  it.each([
    ['the output itself', ['gfr', 'fallback']],
    ['what is derived from it', ['half', 'fallback']],
    ['a first of such', ['inner', 'fallback']],
  ])(
    'refuses to pass over %s for input-missing: it would answer for a person whom the other model is not for',
    async (_what, of) => {
      const unit = egfrOfCkdEpi.unit;
      const first = { kind: 'first-of' as const, label: 'Best', unit, of, passOver: ['not-found'] };
      const features: FeatureMap['features'] = {
        gfr: egfrOfCkdEpi,
        half: { kind: 'derived', label: 'Half', unit, expression: ['/', 'gfr', 2], source: 'made for this test' },
        fallback: { kind: 'input', label: 'Asked', unit, plausible: [1, 250], ask: 'How much?' },
        inner: { ...first, of: ['half', 'gfr'], passOver: ['not-found'] },
        best: first,
      };
      const messages = (passOver: string[]) =>
        checkFeatureMap(bareMap({ ...features, best: { ...first, passOver } }), []).map(
          ({ path, message }) => `${path} ${message}`,
        );
      expect(messages(['not-found', 'input-missing'])).toEqual([
        `/features/best/of names ${of[0]}, which takes the output of another model, and passes over input-missing; name the reasons of that model`,
      ]);
      expect(messages(['not-found'])).toEqual([]);
    },
  );
});
