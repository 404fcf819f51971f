import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { checkSiteQueries, withSiteQueries } from '../../src/model-catalog/site-queries.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { shippedModel } from '../support/shipped-model.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';

const { featureMap } = await shippedModel('prevent-base');
const queries = recordQueries(featureMap, new Date('2026-03-01'), ['consent', 'group']);
const codes = (queries.find(({ key }) => key === 'observations')?.codes ?? []).join(',');
const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-profile-'));
afterAll(() => rm(folder, { recursive: true }));

function faultsOf(key: string, text: string, allCategories?: readonly string[]): string[] {
  const categories = { Observation: allCategories, Condition: allCategories };
  return checkSiteQueries(queries, { [key]: text }, categories).map(({ message }) => message);
}

describe('a search of a site is accepted', () => {
  test.each([
    ['observations', 'Observation?patient={{patient}}'],
    ['observations', `Observation?subject=Patient/{{patient}}&code=${codes}`],
    ['observations', `Observation?patient={{patient}}&code=${codes},http://loinc.org%7C1-8`],
    ['observations', 'Observation?patient={{patient}}&category=laboratory,vital-signs,social-history'],
    ['conditions', 'Condition?patient={{patient}}&category=vital-signs,laboratory'],
    ['encounters', 'Encounter?patient={{patient}}&date=ge{{since}}'],
    ['medicationRequests', 'MedicationRequest?patient=Patient/{{patient}}&_include=MedicationRequest:medication'],
    ['optOutGroups', 'Group?member=Patient/{{patient}}'],
  ])('%s as %s', (key, text) => {
    expect(faultsOf(key, text, ['laboratory', 'vital-signs'])).toEqual([]);
  });
});

describe('a search of a site that may find less than the model needs is refused', () => {
  test.each([
    [
      'another type',
      'observations',
      'Condition?patient={{patient}}',
      'searches Condition; the model needs Observation',
    ],
    ['nothing', 'observations', '', 'searches nothing; the model needs Observation'],
    ['no patient', 'observations', 'Observation?code=x', 'must bind the subject once'],
    ['no parameter', 'conditions', 'Condition', 'must bind the subject once'],
    ['a fixed patient', 'conditions', 'Condition?patient=17', 'binds the subject by patient=17'],
    ['two patients', 'conditions', 'Condition?patient={{patient}}&subject=Patient/{{patient}}', 'it does so 2 times'],
    ['the patient as performer', 'conditions', 'Condition?asserter=Patient/{{patient}}', 'has the parameter asserter'],
    ['a code less', 'observations', 'Observation?patient={{patient}}&code=http://loinc.org|2093-3', 'loses the codes'],
    [
      'a code twice, both of which must hold',
      'observations',
      `Observation?patient={{patient}}&code=${codes}&code=${codes}`,
      'has the parameter code twice',
    ],
    [
      'codes, where all are needed',
      'conditions',
      'Condition?patient={{patient}}&code=x',
      'narrows by code, but the model needs every Condition',
    ],
    [
      'a status',
      'medicationRequests',
      'MedicationRequest?patient={{patient}}&status=active',
      'has the parameter status',
    ],
    [
      'a date of its own',
      'encounters',
      'Encounter?patient={{patient}}&date=ge2025-01-01',
      'may be later than the window',
    ],
    [
      'a date that hides results without one',
      'observations',
      'Observation?patient={{patient}}&date=ge{{since}}',
      'hides a Observation without one',
    ],
    ['one row', 'observations', 'Observation?patient={{patient}}&_count=1&_sort=-date', 'has the parameter _count'],
    [
      'parts of resources',
      'observations',
      'Observation?patient={{patient}}&_elements=code',
      'has the parameter _elements',
    ],
    ['a modifier', 'observations', 'Observation?patient={{patient}}&code:not=x', 'has the parameter code:not'],
    [
      'an include of something else',
      'encounters',
      'Encounter?patient={{patient}}&_include=Encounter:location',
      'includes Encounter:location',
    ],
    ['a key that is none', 'labs', 'Observation?patient={{patient}}', 'is no query of this model; it has observations'],
    ['a name of the language', 'toString', 'Observation?patient={{patient}}', 'is no query of this model'],
  ])('%s', (_, key, text, message) => {
    expect(faultsOf(key, text).join('\n')).toContain(message);
  });

  test('a category, where nobody says which there are, or one of them is left out', () => {
    const text = 'Condition?patient={{patient}}&category=problem-list-item';
    expect(faultsOf('conditions', text).join()).toContain('types.Condition.allCategories');
    expect(faultsOf('conditions', text, ['problem-list-item', 'encounter-diagnosis']).join()).toContain(
      'loses the categories encounter-diagnosis',
    );
  });
});

test('a search of a site is for its own query alone', () => {
  const altered = withSiteQueries(queries, { conditions: 'Condition?patient={{patient}}' });
  expect(altered.map(({ siteSearch, ...query }) => query)).toEqual(queries);
  expect(altered.filter(({ siteSearch }) => siteSearch !== undefined).map(({ key }) => key)).toEqual(['conditions']);
});

describe('FHIR_SERVER_PROFILE', () => {
  const written = async (name: string, content: unknown): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const narrow = {
    queries: { 'prevent-base': { conditions: 'Condition?patient={{patient}}&category=problem-list-item' } },
  };

  test.each([
    ['narrow.json', narrow, /queries\/prevent-base\/conditions narrows by category.*prevent-base@1\.0\.0/],
    ['nobody.json', { queries: { nobody: {} } }, /queries\/nobody: no model of this id is served/],
    ['key.json', { types: { Condition: { need: ['category'] } } }, /types\/Condition has the unknown key 'need'/],
    ['text.json', '{', /cannot be read as JSON/],
  ])('%s stops the start, and says why', async (name, content, message) => {
    const settings = { FHIR_SERVER_PROFILE: await written(name, content) };
    await expect(startFhirsight({ settings })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('is checked by lint', async () => {
    const lint = (file: string) => runFhirsight(['lint', 'prevent-base', '--server-profile', file]);
    const [bad, good, broken] = await Promise.all([
      lint(await written('bad.json', narrow)),
      lint(
        await written('good.json', { queries: { 'prevent-base': { conditions: 'Condition?patient={{patient}}' } } }),
      ),
      lint(path.join(folder, 'none.json')),
    ]);
    expect(bad).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('bad.json /queries/prevent-base/conditions: '),
    });
    expect(bad.stdout).toContain('[error: server-profile]');
    expect(good).toMatchObject({ code: 0, stdout: expect.not.stringContaining('server-profile') });
    expect(broken).toMatchObject({ code: 1, stdout: expect.stringContaining('cannot be read as JSON') });
  });
});
