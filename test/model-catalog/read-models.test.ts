import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { copyModel, type ModelFolder, shippedModels } from '../support/model-folder.ts';

let folder: ModelFolder;
beforeEach(async () => {
  folder = await copyModel('pce-2013');
});
afterEach(() => folder[Symbol.asyncDispose]());

async function refusal(): Promise<string> {
  try {
    await readModelFolder(folder.dir);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'MODEL_INVALID') return error.message;
    throw error;
  }
  throw new Error('the folder was accepted');
}

describe('a whole folder', () => {
  test.each([
    'cha2ds2-vasc',
    'ckd-epi-2021',
    'fib4',
    'hospital',
    'kfre-4',
    'lace',
    'meld3',
    'news2',
    'pce-2013',
    'prevent-base',
    'prevent-full',
    'score2',
  ])('%s as shipped is read', async (id) => {
    const version = await readModelFolder(path.join(shippedModels, id, '1.0.0'));
    expect(version.key).toBe(`${id}@1.0.0`);
    expect(version.card.model).toBe(id);
    expect(version.goldenCases.length).toBeGreaterThan(4);
    expect(version.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the digest is the same for the same bytes and changes with any of them', async () => {
    const shipped = await readModelFolder(path.join(shippedModels, 'pce-2013', '1.0.0'));
    await folder.remove('training');
    expect((await readModelFolder(folder.dir)).digest).toBe(shipped.digest);
    await folder.edit('model-card.json', (card) => {
      card.explanation += ' Changed.';
    });
    await folder.seal();
    expect((await readModelFolder(folder.dir)).digest).not.toBe(shipped.digest);
  });

  test('a link inside the folder is followed', async () => {
    const card = await readFile(path.join(folder.dir, 'model-card.json'));
    await folder.write('training/card.json', card);
    await folder.remove('model-card.json');
    await symlink('training/card.json', path.join(folder.dir, 'model-card.json'));
    expect((await readModelFolder(folder.dir)).card.model).toBe('pce-2013');
  });
});

describe('files', () => {
  test('a wrong checksum names the file, what was expected and what was found', async () => {
    await folder.write('model.onnx', 'other bytes');
    expect(await refusal()).toMatch(
      /^Model folder pce-2013\/1\.0\.0 is refused: model\.onnx: has a wrong checksum: manifest\.json expects SHA-256 [0-9a-f]{64}, the file has [0-9a-f]{64}\.$/,
    );
  });

  test.each(['model.onnx', 'feature-map.json', 'model-card.json', 'golden/scalar-form.json', 'manifest.json'])(
    'without %s the folder is refused',
    async (file) => {
      await folder.remove(file);
      expect(await refusal()).toContain(`${file}: is missing`);
    },
  );

  test('a file that the manifest does not list is refused', async () => {
    await folder.write('weights.bin', 'x');
    expect(await refusal()).toContain('weights.bin: is not listed in the checksums');
  });

  test('a link out of the folder is refused, and so is one that leads nowhere', async () => {
    await folder.remove('model-card.json');
    await symlink(path.join(shippedModels, 'pce-2013/1.0.0/model-card.json'), path.join(folder.dir, 'model-card.json'));
    await symlink('absent.json', path.join(folder.dir, 'golden/link.json'));
    const message = await refusal();
    expect(message).toContain('model-card.json: is a link that leads out of the model folder');
    expect(message).toContain('golden/link.json: is a link');
  });

  test('a link to a folder is refused, even to the folder itself', async () => {
    await symlink('.', path.join(folder.dir, 'loop'));
    expect(await refusal()).toContain('loop: is a link to a folder');
  });

  test('checksums may not name a path outside the folder', async () => {
    await folder.edit('manifest.json', (manifest) => {
      manifest.checksums['../../secret.json'] = '0'.repeat(64);
    });
    expect(await refusal()).toContain('lists ../../secret.json');
  });

  test('a folder named otherwise than its manifest is refused', async () => {
    await folder.edit('manifest.json', (manifest) => {
      manifest.id = 'pce-2018';
      manifest.version = '1.0.1';
    });
    const message = await refusal();
    expect(message).toContain('manifest.json /id: is pce-2018, but the folder is named pce-2013');
    expect(message).toContain('manifest.json /version: is 1.0.1, but the folder is named 1.0.0');
  });
});

describe('JSON', () => {
  test.each([
    ['{"id": ', 'is not JSON'],
    ['', 'is not JSON'],
    [new Uint8Array([0x7b, 0xff, 0x7d]), 'is not JSON in UTF-8'],
    ['[]', 'must be object'],
    ['null', 'must be object'],
  ])('the manifest %j is refused', async (content, reason) => {
    await folder.write('manifest.json', content);
    expect(await refusal()).toContain(`manifest.json: ${reason}`);
  });

  test('every reason is given at once, each with its JSON path', async () => {
    await folder.edit('manifest.json', (manifest) => {
      delete manifest.title;
      manifest.outcomes[0].horizon = 'ten years';
      manifest.colour = 'red';
    });
    const message = await refusal();
    expect(message).toContain("manifest.json: must have required property 'title'");
    expect(message).toContain('manifest.json /outcomes/0/horizon: must match pattern');
    expect(message).toContain('manifest.json: must not have the key "colour"');
  });

  test('a number beyond any float is refused, not read as infinite', async () => {
    const text = await readFile(path.join(folder.dir, 'feature-map.json'), 'utf8');
    await folder.write('feature-map.json', text.replace('"factor": 38.67', '"factor": 1e999'));
    await folder.seal();
    expect(await refusal()).toContain(
      'feature-map.json /features/totalCholesterol/conversions/0/factor: must be number',
    );
  });

  test('a coding system that is no URI is refused', async () => {
    await folder.edit('manifest.json', (manifest) => {
      manifest.outcomes[0].coding = [{ system: 'SNOMED CT', code: '1' }];
    });
    expect(await refusal()).toContain('manifest.json /outcomes/0/coding/0/system: must match format "uri"');
  });

  test('an error in a feature names the key of its own kind only', async () => {
    await folder.edit('feature-map.json', (map) => {
      delete map.features.hdlCholesterol.unit;
    });
    await folder.seal();
    expect(await refusal()).toBe(
      "Model folder pce-2013/1.0.0 is refused: feature-map.json /features/hdlCholesterol: must have required property 'unit'.",
    );
  });

  test('a feature of an unknown kind is refused', async () => {
    await folder.edit('feature-map.json', (map) => {
      map.features.hdlCholesterol.kind = 'guess';
    });
    await folder.seal();
    expect(await refusal()).toContain('/features/hdlCholesterol: key "kind" is "guess", which is no known kind');
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a test breaks JSON in ways that no type of it allows
type Change = (json: any) => void;

describe('parts that do not fit each other', () => {
  test.each<[string, string, Change, string]>([
    [
      'a column whose feature the map does not define',
      'manifest.json',
      (manifest) => {
        manifest.tensors.input.columns[3].feature = 'ldlCholesterol';
      },
      '/tensors/input/columns/3/feature: is ldlCholesterol, which feature-map.json does not define',
    ],
    [
      'a feature that fills two columns',
      'manifest.json',
      (manifest) => {
        manifest.tensors.input.columns[8].feature = 'diabetes';
      },
      'diabetes fills two columns in the same way',
    ],
    [
      'a coded column without a number for a code of the population',
      'manifest.json',
      (manifest) => {
        delete manifest.tensors.input.columns[2].encode.black;
      },
      '/tensors/input/columns/2/encode: has no number for black, which race can be',
    ],
    [
      'a coded column with a code that the feature cannot have',
      'manifest.json',
      (manifest) => {
        manifest.tensors.input.columns[1].encode.unknown = 2;
      },
      'unknown is not in the vocabulary of sex',
    ],
    [
      'an encoding of a number',
      'manifest.json',
      (manifest) => {
        manifest.tensors.input.columns[0].encode = { old: 1 };
      },
      'age is a number and needs no encoding',
    ],
    [
      'an outcome column beyond the output',
      'manifest.json',
      (manifest) => {
        manifest.outcomes[0].column = 1;
      },
      '/outcomes/0/column: is 1, but the output has columns 0 to 0',
    ],
    [
      'two outcomes that read one column',
      'manifest.json',
      (manifest) => {
        manifest.outcomes.push({ ...manifest.outcomes[0], id: 'stroke-10y' });
      },
      'column 0 is read by two outcomes',
    ],
    [
      'bands with a gap',
      'manifest.json',
      (manifest) => {
        manifest.outcomes[0].bands.levels[2].from = 0.08;
      },
      'leave a gap from 0.075 to 0.08 before intermediate',
    ],
    [
      'bands that overlap',
      'manifest.json',
      (manifest) => {
        manifest.outcomes[0].bands.levels[1].from = 0.04;
      },
      'overlap: borderline starts at 0.04, the level before ends at 0.05',
    ],
    [
      'bands that do not start at 0',
      'manifest.json',
      (manifest) => {
        manifest.outcomes[0].bands.levels[0].from = 0.01;
      },
      'leave a gap from 0 to 0.01 before low',
    ],
    [
      'bands that end below 1',
      'manifest.json',
      (manifest) => {
        manifest.outcomes[0].bands.levels[3].below = 0.9;
      },
      'end at 0.9; the highest level must have no upper limit',
    ],
    [
      'a reference for something that is no input',
      'manifest.json',
      (manifest) => {
        manifest.explanation.reference.bodyMassIndex = 25;
      },
      '/explanation/reference/bodyMassIndex: is no input column',
    ],
    [
      'a reference of another type',
      'manifest.json',
      (manifest) => {
        manifest.explanation.reference.diabetes = 0;
      },
      '/explanation/reference/diabetes: is a number, but the feature is a boolean',
    ],
    [
      'a reference that is implausible',
      'manifest.json',
      (manifest) => {
        manifest.explanation.reference.systolicBloodPressure = 11;
      },
      'lies outside the plausible range 40 to 300',
    ],
    [
      'a population that names an unknown feature',
      'feature-map.json',
      (map) => {
        map.population.exclude[0].feature = 'priorStroke';
      },
      '/population/exclude/0: names the feature priorStroke, which the map does not define',
    ],
    [
      'a population that names an unknown outcome',
      'feature-map.json',
      (map) => {
        map.population.require[0].outcomes = ['ascvd-20y'];
      },
      '/population/require/0/outcomes: names the outcome ascvd-20y; the manifest has: ascvd-10y',
    ],
    [
      'a range of something that is no number',
      'feature-map.json',
      (map) => {
        map.population.ranges[0].feature = 'diabetes';
      },
      '/population/ranges/0: needs a feature that is a number; diabetes is a boolean',
    ],
    [
      'a range without an upper limit',
      'feature-map.json',
      (map) => {
        delete map.population.ranges[0].to;
      },
      '/population/ranges/0: needs exactly one of to and below',
    ],
    [
      'a required code that is not in the vocabulary',
      'feature-map.json',
      (map) => {
        map.population.require[1].in = ['white', 'blue'];
      },
      'blue is not in the vocabulary of race',
    ],
    [
      'a code that stands for two races',
      'feature-map.json',
      (map) => {
        map.features.race.vocabulary.black = map.features.race.vocabulary.white;
      },
      '/features/race/vocabulary: urn:oid:2.16.840.1.113883.6.238|2106-3 stands for two values',
    ],
    [
      'an answer that is both yes and no',
      'feature-map.json',
      (map) => {
        map.features.currentSmoker.no.push(map.features.currentSmoker.yes[0]);
      },
      'http://snomed.info/sct|449868002 is also a yes',
    ],
    [
      'a plausible range upside down',
      'feature-map.json',
      (map) => {
        map.features.totalCholesterol.plausible = [1000, 40];
      },
      '/features/totalCholesterol/plausible: the smallest value must be below the largest',
    ],
    [
      'a card of another version',
      'model-card.json',
      (card) => {
        card.version = '0.9.0';
      },
      'model-card.json /version: is 0.9.0, the manifest says 1.0.0',
    ],
    [
      'a card that forgets an input',
      'model-card.json',
      (card) => {
        card.inputs.pop();
      },
      'model-card.json /inputs: does not describe currentSmoker',
    ],
    [
      'a golden case without a value for a column',
      'golden/scalar-form.json',
      (golden) => {
        delete golden.cases[0].inputs.race;
      },
      'golden/scalar-form.json /cases/0/inputs/race: is missing',
    ],
    [
      'a golden case that expects an unknown outcome',
      'golden/scalar-form.json',
      (golden) => {
        golden.cases[0].expected = { 'ascvd-20y': 0.1 };
      },
      '/cases/0/expected/ascvd-20y: is no outcome',
    ],
  ])('%s', async (_, file, change, reason) => {
    await folder.edit(file, change);
    await folder.seal();
    const message = await refusal();
    expect(message).toContain(file);
    expect(message).toContain(reason);
  });
});

describe('derived features', () => {
  const derived = (expression: unknown) => ({
    kind: 'derived',
    label: 'Derived',
    unit: '1',
    expression,
    source: 'a test',
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an unknown operator', { twice: ['double', 'age'] }, '/features/twice/expression: unknown operator "double"'],
    [
      'too many operands',
      { inverse: ['/', 1, 'age', 2] },
      '/features/inverse/expression: operator / takes 2 to 2 operands',
    ],
    [
      'an unknown feature',
      { ratio: ['/', 'totalCholesterol', 'ldlCholesterol'] },
      'reads the feature ldlCholesterol, which the map does not define',
    ],
    ['arithmetic on a code', { double: ['*', 2, 'sex'] }, 'computes with sex, which is a code; use if-equal'],
    [
      'a code that the feature cannot have',
      { factor: ['if-equal', 'sex', 'woman', 1, 2] },
      'compares sex with woman, which is not in its vocabulary',
    ],
    ['itself', { self: ['+', 'self', 1] }, 'is derived from itself: self -> self'],
    [
      'itself through others',
      { aa: ['+', 'bb', 1], bb: ['+', 'cc', 1], cc: ['+', 'aa', 1] },
      'is derived from itself: aa -> bb -> cc -> aa',
    ],
  ])('derived from %s: refused', async (_, features, reason) => {
    await folder.edit('feature-map.json', (map) => {
      for (const [name, expression] of Object.entries(features)) map.features[name] = derived(expression);
    });
    await folder.seal();
    expect(await refusal()).toContain(reason);
  });
});
