import { describe, expect, test } from 'vitest';
import type { ExplanationMethod } from '../../src/model-catalog/explanation-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { copyModel } from '../support/model-folder.ts';

const said = { against: 'the average of the training data', because: 'tests' };
const shapley: ExplanationMethod = { method: 'permutation-shapley', permutations: 4, seed: 1, ...said };
const header =
  'age,sex,totalCholesterol,hdlCholesterol,systolicBloodPressure,bodyMassIndex,estimatedGfr,diabetes,currentSmoker,antihypertensiveMedication,statinMedication';
const row = '55,1,200,50,120,27,90,0,0,0,0';

/** PREVENT base with another explanation, and a file of background rows where there is one. */
async function read(explanation: object, background?: string) {
  await using folder = await copyModel('prevent-base');
  await folder.edit('manifest.json', (manifest: Manifest) => Object.assign(manifest, { explanation }));
  if (background !== undefined) await folder.write('explanation/background.csv', background);
  await folder.seal();
  return await readModelFolder(folder.dir);
}

describe('the explanation of a manifest', () => {
  test('may measure against rows of the folder, which the digest covers', async () => {
    const version = await read(shapley, `${header}\n${row}\n${row.replace('55', '70')}\n`);
    expect(version.background).toHaveLength(2);
    expect(version.background?.[1]?.[0]).toBe(70);
    const other = await read(shapley, `${header}\n${row}\n`);
    expect(other.digest).not.toBe(version.digest);
  });

  test.each<[string, object, string | undefined, RegExp]>([
    ['needs rows that are not there', shapley, undefined, /explanation\/background\.csv.*is missing/],
    [
      'has rows that nothing needs',
      { method: 'tree-shap', ...said },
      `${header}\n${row}\n`,
      /is read for permutation-shapley; the method is tree-shap/,
    ],
    [
      'names other columns',
      shapley,
      `${header.replace('sex', 'gender')}\n${row}\n`,
      /must begin with the feature of each input column: age,sex/,
    ],
    ['has no rows', shapley, `${header}\n`, /has 0 rows; allowed are 1 to 200/],
    ['has too many rows', shapley, `${header}\n${`${row}\n`.repeat(201)}`, /has 201 rows/],
    ['has a row that is cut off', shapley, `${header}\n55,1\n`, /has 2 numbers in line 2; the model takes 11/],
    ['has a text', shapley, `${header}\n${row.replace('200', 'high')}\n`, /has 'high' in line 2/],
    ['has a gap', shapley, `${header}\n${row.replace('200', '')}\n`, /has '' in line 2/],
    [
      'has NaN for a model that takes none',
      shapley,
      `${header}\n${row.replace('200', 'NaN')}\n`,
      /has 'NaN' in line 2/,
    ],
    [
      'has a mean too few',
      { method: 'linear', means: [1, 2], ...said },
      undefined,
      /\/explanation\/means are 2; the model has 11 input columns|\/explanation\/means: are 2; the model has 11/,
    ],
    [
      'lacks a feature of the reference person',
      { method: 'additive', reference: { age: 55 }, because: 'x' },
      undefined,
      /has no sex: with the method additive it needs every input feature/,
    ],
    ['names a method that nobody knows', { method: 'guess', ...said }, undefined, /explanation/],
    [
      'has the keys of another method',
      { method: 'tree-shap', reference: { age: 55 }, ...said },
      undefined,
      /reference/,
    ],
  ])('is refused where it %s', async (_, explanation, background, message) => {
    await expect(read(explanation, background)).rejects.toThrow(message);
  });
});
