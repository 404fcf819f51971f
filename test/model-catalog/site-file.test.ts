import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintModelFolder } from '../../src/cli/lint/lint-model-folder.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { readSiteFile, type SiteFile } from '../../src/model-catalog/read-site-file.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { copyModel, type ModelFolder, shippedModels } from '../support/model-folder.ts';
import { siteOf, writeSite } from '../support/site-file.ts';

const engine = createOnnxEngine();
let folder: ModelFolder;
beforeAll(async () => {
  folder = await copyModel('pce-2013');
  await folder.edit('feature-map.json', (map) => {
    map.concepts = { totalCholesterol: { display: 'Total cholesterol', codes: map.features.totalCholesterol.codes } };
    map.features.totalCholesterol.codes = [{ concept: 'totalCholesterol' }];
  });
  await folder.seal();
});
afterAll(async () => {
  await engine.close();
  await folder[Symbol.asyncDispose]();
});

function siteFile(concepts: SiteFile['concepts'], version?: string): SiteFile {
  return { ...siteOf(concepts, version), file: 'site.json' };
}

async function loaded(modelsDir: string, site?: SiteFile): Promise<Catalog> {
  const catalog = await loadCatalog({ modelsDir, engine, clock: systemClock, ...(site && { site }) });
  for (const version of catalog.list()) await version.release();
  return catalog;
}

describe('a site file that is wrong', () => {
  test.each<[string, unknown, string]>([
    ['is no JSON', '{', ': is not JSON in UTF-8'],
    ['has another form', { id: 'x1', version: '1' }, ": must have required property 'concepts'"],
    ['has an unknown key', { ...siteOf({}), concept: {} }, ': must not have the key "concept"'],
    ['has a version with a space', siteOf({}, 'March 2026'), ' /version: must match pattern'],
    [
      'has a code without a system',
      siteOf({ creatinine: { codes: ['CREA'] } }),
      ' /concepts/creatinine/codes/0: must match pattern',
    ],
    [
      'says nothing of a concept',
      siteOf({ creatinine: {} }),
      ' /concepts/creatinine: must NOT have fewer than 1 properties',
    ],
    [
      'names a unit that is no UCUM',
      siteOf({ creatinine: { units: { 'mgs/dl': 'mgs/dl' } } }),
      ' /concepts/creatinine/units/mgs~1dl: is mgs/dl, which is no UCUM code',
    ],
    [
      'gives a UCUM code another meaning',
      siteOf({ cholesterol: { units: { 'mmol/L': 'mg/dL' } } }),
      ' /concepts/cholesterol/units/mmol~1L: gives mmol/L, itself a UCUM code, the meaning of mg/dL',
    ],
    [
      'multiplies by ten in silence',
      siteOf({ creatinine: { units: { 'g/L': 'mg/dL' } } }),
      ' /concepts/creatinine/units/g~1L: gives g/L, itself a UCUM code',
    ],
    [
      'calls a system whole of which it names no code',
      siteOf({ creatinine: { codes: ['urn:a|1'], complete: ['urn:b'] } }),
      ' /concepts/creatinine/complete/0: urn:b is the system of none',
    ],
    [
      'has a concept twice',
      '{"id":"x1","version":"1","concepts":{"crea":{"codes":["urn:a|1"]},"crea":{"codes":["urn:a|2"]}}}',
      ' /concepts/crea: is there twice',
    ],
  ])('keeps the server from starting, with file, path and reason: it %s', async (_what, content, message) => {
    await using written = await writeSite(content);
    await expect(readSiteFile(written.file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`SITE_FILE ${written.file}${message}`),
    });
  });

  test('or is not there', async () => {
    await expect(readSiteFile('/no/such/site.json')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('SITE_FILE /no/such/site.json cannot be read (ENOENT)'),
    });
  });

  test('may give texts a meaning that are UCUM only by accident, and texts that mean the same', async () => {
    await using written = await writeSite(
      siteOf({ platelets: { units: { 'K/uL': '10*3/uL' } }, glucose: { units: { 'mg/dl': 'mg/dL' } } }),
    );
    expect((await readSiteFile(written.file))?.concepts.platelets?.units).toEqual({ 'K/uL': '10*3/uL' });
  });
});

describe('the digest of a model version', () => {
  const cholesterol = { totalCholesterol: { codes: ['urn:local|CHOL'] } };

  test('and all else stays the same with an empty site file, and with one of other concepts', async () => {
    for (const id of ['prevent-base', 'pce-2013', 'kfre-4']) {
      const dir = `${shippedModels}/${id}/1.0.0`;
      const without = await readModelFolder(dir);
      expect(await readModelFolder(dir, siteFile({}))).toEqual(without);
      expect(await readModelFolder(dir, siteFile({ nobodysConcept: { codes: ['urn:local|1'] } }))).toEqual(without);
    }
    expect(await readModelFolder(folder.dir, siteFile({}))).toEqual(await readModelFolder(folder.dir));
  });

  test('changes with what the site adds to a concept of the model, and with the version of the file', async () => {
    const digests = await Promise.all(
      [
        undefined,
        siteFile(cholesterol),
        siteFile(cholesterol, '2'),
        siteFile({ totalCholesterol: { codes: ['urn:local|CHOL'], units: { 'mgs/dl': 'mg/dL' } } }),
        siteFile({ totalCholesterol: { codes: ['urn:local|CHOL', 'urn:local|CHOL2'] } }),
      ].map(async (site) => (await readModelFolder(folder.dir, site)).digest),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('does not depend on the order in which a site file is written, or on where it lies', async () => {
    const one = {
      totalCholesterol: { codes: ['urn:local|A', 'urn:local|B'], units: { 'mgs/dl': 'mg/dL', mgd: 'mg/dL' } },
    };
    const other = {
      totalCholesterol: { units: { mgd: 'mg/dL', 'mgs/dl': 'mg/dL' }, codes: ['urn:local|B', 'urn:local|A'] },
    };
    const first = await readModelFolder(folder.dir, siteFile(one));
    const second = await readModelFolder(folder.dir, { ...siteFile(other), file: '/elsewhere.json' });
    expect(second.digest).toBe(first.digest);
  });

  test('covers the value sets of the folder', async () => {
    await using copy = await copyModel('pce-2013');
    const withCodes = async (code: string): Promise<string> => {
      await copy.write(
        'valueSets/cholesterol.json',
        JSON.stringify({ resourceType: 'ValueSet', compose: { include: [{ system: 'urn:x', concept: [{ code }] }] } }),
      );
      await copy.seal();
      return (await readModelFolder(copy.dir)).digest;
    };
    await copy.edit('feature-map.json', (map) => {
      map.features.totalCholesterol.codes = [{ valueSet: 'cholesterol' }];
    });
    expect(await withCodes('1')).not.toBe(await withCodes('2'));
  });
});

describe('a model at load', () => {
  test('is run on its golden cases with the codes of the site in its map', async () => {
    const site = siteFile({ totalCholesterol: { codes: ['urn:local|CHOL'] } });
    const catalog = await loaded(folder.modelsDir, site);
    expect(catalog.refused).toEqual([]);
    const version = catalog.find('pce-2013');
    expect(version.site).toEqual({ id: 'st-elsewhere', version: '1', concepts: site.concepts });
    expect(version.featureMap.features.totalCholesterol).toMatchObject({
      codes: expect.arrayContaining(['urn:local|CHOL']),
    });
  });

  test('is refused by name of the site file where its codes contradict the map, and the others are served', async () => {
    await using two = await copyModel('pce-2013');
    await two.edit('feature-map.json', (map) => {
      map.concepts = { totalCholesterol: { display: 'Total cholesterol', codes: map.features.totalCholesterol.codes } };
      map.features.totalCholesterol.codes = [{ concept: 'totalCholesterol' }];
    });
    await two.seal();
    const catalog = await loaded(two.modelsDir, siteFile({ totalCholesterol: { codes: ['http://loinc.org|2085-9'] } }));
    expect(catalog.list()).toEqual([]);
    expect(catalog.refused[0]?.reason).toContain(
      'site.json /concepts/totalCholesterol/codes/0: http://loinc.org|2085-9 is also a code of hdlCholesterol',
    );
  });

  test('refuses a value set that is not sealed, and one whose codes are not all there', async () => {
    await using copy = await copyModel('pce-2013');
    await copy.write('valueSets/more.json', JSON.stringify({ resourceType: 'ValueSet', expansion: { total: 9 } }));
    await expect(readModelFolder(copy.dir)).rejects.toMatchObject({
      message: expect.stringContaining('valueSets/more.json: is not listed in the checksums of manifest.json'),
    });
    await copy.seal();
    await expect(readModelFolder(copy.dir)).rejects.toMatchObject({
      message: expect.stringContaining('valueSets/more.json /expansion/total: is 9, but 0 concepts are there'),
    });
  });
});

describe('lint', () => {
  test('finds what no list names, and wrong codes in value sets and concepts', async () => {
    await using copy = await copyModel('pce-2013');
    await copy.write(
      'valueSets/renal.json',
      JSON.stringify({
        resourceType: 'ValueSet',
        compose: { include: [{ system: 'http://loinc.org', concept: [{ code: '2160-1' }] }] },
      }),
    );
    await copy.edit('feature-map.json', (map) => {
      map.concepts = { renal: { display: 'Renal', codes: ['http://loinc.org|2160-2'] } };
    });
    await copy.seal();
    const { findings } = await lintModelFolder(copy.dir);
    expect(
      findings.filter(({ rule }) => rule !== 'outcome-coding').map(({ file, path, rule }) => `${file} ${path} ${rule}`),
    ).toEqual([
      'feature-map.json /concepts/renal/codes/0 loinc-code',
      'valueSets/renal.json /compose/include/0/concept/0/code loinc-code',
      'valueSets/renal.json  code-list-unread',
      'feature-map.json /concepts/renal code-list-unread',
    ]);
  });

  test('reads a model with a site file, and says what in that is wrong, standard, or not read', async () => {
    await using site = await writeSite(
      siteOf({
        totalCholesterol: { codes: ['urn:oid:1.2.3|CHOL', 'http://loinc.org|2093-4', 'http://loinc.org|14647-2'] },
      }),
    );
    const { findings } = await lintModelFolder(folder.dir, site.file);
    expect(
      findings
        .filter(({ rule }) => rule !== 'outcome-coding')
        .map(({ file, path, rule, severity }) => `${file === site.file ? 'site' : file} ${path} ${severity} ${rule}`),
    ).toEqual([
      'site /concepts/totalCholesterol/codes/1 error loinc-code',
      'site /concepts/totalCholesterol/codes/1 warning site-standard-code',
      'site /concepts/totalCholesterol/codes/2 warning site-standard-code',
    ]);
    await using wrong = await writeSite(siteOf({ totalCholesterol: { units: { 'mgs/dl': 'mgs' } } }));
    const [finding] = (await lintModelFolder(folder.dir, wrong.file)).findings;
    expect(finding).toMatchObject({ rule: 'load', file: wrong.file, path: '/concepts/totalCholesterol/units/mgs~1dl' });
  });

  test('warns of a unit text that a feature of other codes does not read', async () => {
    await using copy = await copyModel('pce-2013');
    await copy.edit('feature-map.json', (map) => {
      map.concepts = { cholesterol: { display: 'Cholesterol', codes: ['http://loinc.org|2093-3'] } };
      map.features.totalCholesterol.codes = [{ concept: 'cholesterol' }, 'http://loinc.org|14647-2'];
    });
    await copy.seal();
    await using site = await writeSite(siteOf({ cholesterol: { units: { 'mgs/dl': 'mg/dL' } } }));
    const { findings } = await lintModelFolder(copy.dir, site.file);
    expect(findings.map(({ rule, path }) => `${rule} ${path}`)).toContain(
      'site-unit-unread /concepts/cholesterol/units/mgs~1dl',
    );
  });
});
