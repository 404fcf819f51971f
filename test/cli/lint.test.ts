import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, test } from 'vitest';
import { lintModelFolder } from '../../src/cli/lint/lint-model-folder.ts';
import type { LintFinding } from '../../src/model-catalog/lint/lint-rule.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { readDocument } from '../support/markdown-blocks.ts';
import { copyModel, type ModelFolder, shippedModels } from '../support/model-folder.ts';

const opened: ModelFolder[] = [];
afterEach(async () => {
  for (const folder of opened.splice(0)) await folder[Symbol.asyncDispose]();
});

async function copied(id = 'pce-2013'): Promise<ModelFolder> {
  const folder = await copyModel(id);
  opened.push(folder);
  return folder;
}

/** The findings about a folder but for the outcomes without a code, which the shipped models have too. */
async function findingsOf({ dir }: ModelFolder): Promise<LintFinding[]> {
  return (await lintModelFolder(dir)).findings.filter(({ rule }) => rule !== 'outcome-coding');
}

// biome-ignore lint/suspicious/noExplicitAny: a test breaks JSON in ways that no type of it allows
type Change = (json: any) => void;

/** What is wrong with a folder, and the one finding it must give. */
interface Fault {
  readonly fault: string;
  readonly model?: string;
  /** The file that is edited; the folder is sealed again unless the manifest is. */
  readonly edit: string;
  readonly change: Change;
  readonly rule: string;
  readonly severity?: 'warning' | 'error';
  /** Where lint must find it: the edited file where it is left out. */
  readonly file?: string;
  readonly path: string;
  readonly says: string;
}

const map = 'feature-map.json';
const manifest = 'manifest.json';

const atLoad: readonly Fault[] = [
  {
    fault: 'an outcome without a horizon',
    edit: manifest,
    change: (json) => {
      delete json.outcomes[0].horizon;
    },
    rule: 'load',
    path: '/outcomes/0',
    says: "must have required property 'horizon'",
  },
  {
    fault: 'a wrong checksum',
    edit: manifest,
    change: (json) => {
      json.checksums['model-card.json'] = '0'.repeat(64);
    },
    rule: 'load',
    file: 'model-card.json',
    path: '',
    says: 'has a wrong checksum',
  },
  {
    fault: 'a golden file that is listed and not there',
    edit: manifest,
    change: (json) => {
      json.checksums['golden/more.json'] = '0'.repeat(64);
    },
    rule: 'load',
    file: 'golden/more.json',
    path: '',
    says: 'is missing',
  },
  {
    fault: 'a gap between bands',
    edit: manifest,
    change: (json) => {
      json.outcomes[0].bands.levels[2].from = 0.08;
    },
    rule: 'load',
    path: '/outcomes/0/bands/levels',
    says: 'leave a gap from 0.075 to 0.08 before intermediate',
  },
  {
    fault: 'bands that overlap',
    edit: manifest,
    change: (json) => {
      json.outcomes[0].bands.levels[1].from = 0.04;
    },
    rule: 'load',
    path: '/outcomes/0/bands/levels',
    says: 'overlap: borderline starts at 0.04',
  },
  {
    fault: 'a reference person who is implausible',
    edit: manifest,
    change: (json) => {
      json.explanation.reference.systolicBloodPressure = 11;
    },
    rule: 'load',
    path: '/explanation/reference/systolicBloodPressure',
    says: 'lies outside the plausible range 40 to 300',
  },
  {
    fault: 'a rule of the population about a feature that is not there',
    edit: map,
    change: (json) => {
      json.population.ranges.push({ feature: 'glucose', from: 40, to: 400 });
    },
    rule: 'load',
    path: '/population/ranges/3',
    says: 'names the feature glucose',
  },
  {
    fault: 'a rule of the population about an outcome that is not there',
    edit: map,
    change: (json) => {
      json.population.ranges[0].outcomes = ['ascvd-20y'];
    },
    rule: 'load',
    path: '/population/ranges/0/outcomes',
    says: 'names the outcome ascvd-20y',
  },
  {
    fault: 'a code that is both yes and no',
    edit: map,
    change: (json) => {
      json.features.currentSmoker.no.push(json.features.currentSmoker.yes[0]);
    },
    rule: 'load',
    path: '/features/currentSmoker/no',
    says: 'http://snomed.info/sct|449868002 is also a yes',
  },
  {
    fault: 'a derivation with an operator that is not known',
    model: 'prevent-base',
    edit: map,
    change: (json) => {
      json.features.estimatedGfr.expression[0] = 'times';
    },
    rule: 'load',
    path: '/features/estimatedGfr/expression',
    says: 'unknown operator "times"',
  },
  {
    fault: 'a card of another model',
    edit: 'model-card.json',
    change: (json) => {
      json.model = 'pce-2018';
    },
    rule: 'load',
    path: '/model',
    says: 'is pce-2018, the manifest says pce-2013',
  },
];

const byTheEngine: readonly Fault[] = [
  {
    fault: 'an input that model.onnx does not have',
    edit: manifest,
    change: (json) => {
      json.tensors.input.name = 'inputs';
    },
    rule: 'load',
    file: 'model.onnx',
    path: '',
    says: 'has no input named inputs; it has: x',
  },
  {
    fault: 'an input of another type',
    edit: manifest,
    change: (json) => {
      json.tensors.input.type = 'float32';
    },
    rule: 'load',
    file: 'model.onnx',
    path: '',
    says: 'input x has type float64; the manifest declares float32',
  },
  {
    fault: 'an output of another shape',
    edit: manifest,
    change: (json) => {
      json.tensors.output.columns = 2;
    },
    rule: 'load',
    file: 'model.onnx',
    path: '',
    says: 'the manifest declares [rows, 2]',
  },
  {
    fault: 'a golden case that does not come out',
    edit: 'golden/scalar-form.json',
    change: (json) => {
      json.cases[4].expected['ascvd-10y'] = 0.15;
    },
    rule: 'load',
    file: 'model.onnx',
    path: '',
    says: 'golden case "white man of 60, untreated hypertension" gives 0.1424',
  },
  {
    fault: 'a direction that the model breaks',
    edit: manifest,
    change: (json) => {
      json.directions = { systolicBloodPressure: 'falls', diabetes: 'rises' };
    },
    rule: 'direction-broken',
    path: '/directions/systolicBloodPressure',
    says: "says that the risk of ascvd-10y falls with systolicBloodPressure, but the model's goes from 0.",
  },
  {
    fault: 'a direction that the model breaks for one outcome only',
    model: 'prevent-base',
    edit: manifest,
    change: (json) => {
      json.directions = { diabetes: { 'stroke-10y': 'rises', 'chd-10y': 'falls' } };
    },
    rule: 'direction-broken',
    path: '/directions/diabetes/chd-10y',
    says: 'says that the risk of chd-10y falls with diabetes',
  },
];

const byRules: readonly Fault[] = [
  {
    fault: 'a unit that is not UCUM',
    edit: map,
    change: (json) => {
      json.features.systolicBloodPressure.unit = 'mmHg';
    },
    rule: 'ucum-unit',
    path: '/features/systolicBloodPressure/unit',
    says: 'mmHg is no UCUM unit',
  },
  {
    fault: 'a conversion from a unit that is not UCUM',
    edit: map,
    change: (json) => {
      json.features.totalCholesterol.conversions[0].from = 'mmols/L';
    },
    rule: 'ucum-unit',
    path: '/features/totalCholesterol/conversions/0/from',
    says: 'mmols/L is no UCUM unit',
  },
  {
    fault: 'a conversion by zero',
    edit: map,
    change: (json) => {
      json.features.totalCholesterol.conversions[0].factor = 0;
    },
    rule: 'conversion-factor',
    path: '/features/totalCholesterol/conversions/0/factor',
    says: 'must be a number above 0',
  },
  {
    fault: 'a LOINC code with two digits exchanged',
    edit: map,
    change: (json) => {
      json.features.totalCholesterol.codes[0] = 'http://loinc.org|2039-3';
    },
    rule: 'loinc-code',
    path: '/features/totalCholesterol/codes/0',
    says: '2039-3 is no LOINC code',
  },
  {
    fault: 'a LOINC answer code with a wrong check digit',
    edit: map,
    change: (json) => {
      json.features.currentSmoker.yes[5] = 'http://loinc.org|LA18976-5';
    },
    rule: 'loinc-code',
    path: '/features/currentSmoker/yes/5',
    says: 'the check digit of LA18976 is 3, not 5',
  },
  {
    fault: 'a SNOMED CT code with a wrong digit',
    edit: map,
    change: (json) => {
      json.features.diabetes.codes[0] = 'http://snomed.info/sct|44054007';
    },
    rule: 'snomed-code',
    path: '/features/diabetes/codes/0',
    says: '44054007 is no SNOMED CT identifier',
  },
  {
    fault: 'an outcome with a code that does not exist',
    model: 'prevent-base',
    edit: manifest,
    change: (json) => {
      json.outcomes[2].coding[0].code = '84114006';
    },
    rule: 'snomed-code',
    path: '/outcomes/2/coding/0',
    says: '84114006 is no SNOMED CT identifier',
  },
  {
    fault: 'a system that FHIR writes otherwise',
    edit: map,
    change: (json) => {
      json.features.systolicBloodPressure.component.panels[0] = 'https://loinc.org|85354-9';
    },
    rule: 'code-system',
    path: '/features/systolicBloodPressure/component/panels/0',
    says: 'https://loinc.org is written http://loinc.org in FHIR',
  },
  {
    fault: 'a system that is only a name',
    edit: map,
    change: (json) => {
      json.features.race.vocabulary.black[0] = 'OMB|2054-5';
    },
    rule: 'code-system',
    path: '/features/race/vocabulary/black/0',
    says: 'OMB is no code system',
  },
  {
    fault: 'two features with one label',
    edit: map,
    change: (json) => {
      json.features.hdlCholesterol.label = 'Total Cholesterol';
    },
    rule: 'label-repeated',
    path: '/features/hdlCholesterol/label',
    says: 'as that of totalCholesterol',
  },
  {
    fault: 'a population that reaches beyond what is plausible',
    edit: map,
    change: (json) => {
      json.features.totalCholesterol.plausible = [40, 319];
    },
    rule: 'population-plausible',
    path: '/population/ranges/1',
    says: 'reaches from 130 to 320, but totalCholesterol is plausible from 40 to 319 only',
  },
  {
    fault: 'a feature that nothing reads',
    edit: map,
    change: (json) => {
      json.features.ldlCholesterol = { ...json.features.hdlCholesterol, label: 'LDL cholesterol' };
    },
    rule: 'feature-unread',
    path: '/features/ldlCholesterol',
    says: 'is read by no input column',
  },
  {
    fault: 'a text, which only the training matrix holds',
    edit: map,
    change: (json) => {
      json.features.triageNote = {
        kind: 'text',
        label: 'Triage note',
        codes: ['http://loinc.org|54094-8'],
        window: 'P1D',
        pick: 'latest',
        normalise: 'none',
        maxLength: 200,
        missing: 'abstain',
      };
    },
    rule: 'text-unread',
    severity: 'warning',
    path: '/features/triageNote',
    says: 'only fhirsight extract writes it',
  },
  {
    fault: 'a direction of a feature that is no column',
    edit: manifest,
    change: (json) => {
      json.directions = { priorCardiovascularDisease: 'rises' };
    },
    rule: 'direction-name',
    path: '/directions/priorCardiovascularDisease',
    says: 'is no input column; the model has: age, sex',
  },
  {
    fault: 'a direction of a code',
    edit: manifest,
    change: (json) => {
      json.directions = { sex: 'rises' };
    },
    rule: 'direction-name',
    path: '/directions/sex',
    says: 'is a code, which neither rises nor falls',
  },
  {
    fault: 'a direction for an outcome that is not there',
    edit: manifest,
    change: (json) => {
      json.directions = { age: { 'ascvd-20y': 'rises' } };
    },
    rule: 'direction-name',
    path: '/directions/age/ascvd-20y',
    says: 'is no outcome; the model has: ascvd-10y',
  },
  {
    fault: 'golden cases none of which is high',
    edit: 'golden/scalar-form.json',
    change: (json) => {
      json.cases = json.cases.filter((golden: { expected: object }) => Object.values(golden.expected)[0] < 0.2);
    },
    rule: 'golden-spread',
    severity: 'error',
    file: 'golden',
    path: '',
    says: 'hold no high case of ascvd-10y; add one in the band high',
  },
];

describe('one fault is one finding:', () => {
  it.each([...atLoad, ...byTheEngine, ...byRules])('$fault', async (fault) => {
    const folder = await copied(fault.model);
    await folder.edit(fault.edit, fault.change);
    if (fault.edit !== manifest) await folder.seal();
    const { rule, severity = 'error', file = fault.edit, path: place } = fault;
    expect(await findingsOf(folder)).toEqual([
      { rule, severity, file, path: place, message: expect.stringContaining(fault.says) },
    ]);
  });

  it('a JSON file that does not parse, with line and column', async () => {
    const folder = await copied();
    const text = await readFile(path.join(folder.dir, map), 'utf8');
    await folder.write(map, text.replace('"language": 1,', '"language": 1,,'));
    await folder.seal();
    expect(await findingsOf(folder)).toMatchObject([
      {
        rule: 'load',
        file: map,
        path: '',
        message: expect.stringMatching(/^is not JSON in UTF-8: .*line 2 column 17\)/),
      },
    ]);
  });

  it('a feature that was copied and not renamed', async () => {
    const folder = await copied();
    const text = await readFile(path.join(folder.dir, map), 'utf8');
    await folder.write(map, text.replace('"features": {', '"features": {\n    "age": {},'));
    await folder.seal();
    expect(await findingsOf(folder)).toMatchObject([
      {
        rule: 'key-repeated',
        file: map,
        path: '/features/age',
        message: expect.stringContaining('is there twice, again in line 5'),
      },
    ]);
  });

  it('a file that the server never reads', async () => {
    const folder = await copied();
    await folder.write('notes.txt', 'draft');
    await folder.write('training/notes.txt', "what lies here is the author's own");
    expect(await findingsOf(folder)).toMatchObject([
      { rule: 'load', file: 'notes.txt', path: '', message: expect.stringContaining('is not listed in the checksums') },
    ]);
  });

  it('a model.onnx that is none', async () => {
    const folder = await copied();
    await folder.write('model.onnx', 'other bytes');
    await folder.seal();
    expect(await findingsOf(folder)).toMatchObject([
      { rule: 'load', file: 'model.onnx', path: '', message: expect.stringContaining('is not an ONNX model') },
    ]);
  });
});

describe('lint goes on', () => {
  it('from one stage to the next, and from one rule to the next', async () => {
    const folder = await copied();
    await folder.edit(map, (json) => {
      json.features.systolicBloodPressure.unit = 'mmHg';
      json.features.totalCholesterol.codes[0] = 'http://loinc.org|2093-4';
    });
    await folder.edit('model-card.json', (json) => {
      json.version = '0.9.0';
      delete json.licence;
    });
    await folder.edit(manifest, (json) => {
      json.directions = { age: 'falls' };
    });
    expect((await findingsOf(folder)).map(({ file, path: place, rule }) => `${file} ${place} ${rule}`)).toEqual([
      'feature-map.json  load',
      'model-card.json  load',
      'model-card.json  load',
      'feature-map.json /features/systolicBloodPressure/unit ucum-unit',
      'feature-map.json /features/totalCholesterol/codes/0 loinc-code',
      'manifest.json /directions/age direction-broken',
    ]);
  });

  it('without a manifest, with what the other files say of themselves', async () => {
    const folder = await copied();
    await folder.edit(map, (json) => {
      json.features.systolicBloodPressure.unit = 'mmHg';
    });
    await folder.remove(manifest);
    expect((await findingsOf(folder)).map(({ file, path: place, rule }) => `${file} ${place} ${rule}`)).toEqual([
      'manifest.json  load',
      'feature-map.json /features/systolicBloodPressure/unit ucum-unit',
    ]);
  });
});

describe('a declared direction', () => {
  it('that the model keeps is no finding', async () => {
    const folder = await copied();
    await folder.edit(manifest, (json) => {
      json.directions = { systolicBloodPressure: 'rises', diabetes: { 'ascvd-10y': 'rises' } };
    });
    expect(await findingsOf(folder)).toEqual([]);
  });

  it('that the published equation itself breaks at the edge of its population is found', async () => {
    const folder = await copied();
    await folder.edit(manifest, (json) => {
      json.directions = { currentSmoker: 'rises' };
    });
    const [finding, ...others] = await findingsOf(folder);
    expect([finding?.rule, finding?.path, others]).toEqual(['direction-broken', '/directions/currentSmoker', []]);
    expect(finding?.message).toMatch(/goes from 0\.874\d+ to 0\.872\d+ between 0 and 1 .*white man of 79/);
  });

  it('that cannot be tried because nothing says from where to where is a warning', async () => {
    const folder = await copied('prevent-base');
    await folder.edit(map, (json) => {
      json.population.ranges = json.population.ranges.filter(
        ({ feature }: { feature: string }) => feature !== 'estimatedGfr',
      );
    });
    await folder.seal();
    await folder.edit(manifest, (json) => {
      json.directions = { estimatedGfr: { 'heart-failure-10y': 'falls' } };
    });
    expect(await findingsOf(folder)).toEqual([
      {
        rule: 'direction-unchecked',
        severity: 'warning',
        file: manifest,
        path: '/directions/estimatedGfr/heart-failure-10y',
        message: expect.stringContaining('estimatedGfr has no range in the population'),
      },
    ]);
  });
});

describe('docs/model-author.md', () => {
  it('explains every rule', () => {
    const known = [...atLoad, ...byTheEngine, ...byRules].map(({ rule }) => rule);
    const document = readDocument('docs/model-author.md').split('## Checking a folder')[1];
    for (const rule of [...known, 'key-repeated', 'outcome-coding', 'golden-plausible', 'direction-unchecked'])
      expect(document).toContain(`\`${rule}\``);
  });
});

describe('fhirsight lint', () => {
  it.each(['pce-2013', 'prevent-base'])('%s: exit code 0, and 1 with --strict for its warnings', async (id) => {
    const { code, stdout, stderr } = await runFhirsight(['lint', id]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(new RegExp(`^${id}/1\\.0\\.0: 0 errors, [12] warnings?\\n$`)),
    });
    for (const line of stdout.trimEnd().split('\n')) {
      expect(line).toMatch(/^manifest\.json \/outcomes\/\d: has no coding: .* \[warning: outcome-coding\]$/);
    }
    expect((await runFhirsight(['lint', id, '--strict'])).code).toBe(1);
  });

  it('kfre-4: nothing to say, and exit code 0 also with --strict', async () => {
    const { code, stdout, stderr } = await runFhirsight(['lint', 'kfre-4', '--strict']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'kfre-4/1.0.0: 0 errors, 0 warnings\n' });
  });

  it('with findings: a line for each, and exit code 1', async () => {
    const folder = await copied();
    await folder.edit(map, (json) => {
      json.features.systolicBloodPressure.unit = 'mmHg';
    });
    await folder.seal();
    const { code, stdout, stderr } = await runFhirsight(['lint', folder.dir]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'pce-2013/1.0.0: 1 error, 1 warning\n' });
    expect(stdout).toMatch(
      /^feature-map\.json \/features\/systolicBloodPressure\/unit: mmHg is no UCUM unit; .* \[error: ucum-unit\]$/m,
    );
  });

  it('--format json gives the same to another program', async () => {
    const folder = await copied();
    await folder.edit(manifest, (json) => {
      json.tensors.output.columns = 2;
    });
    const { code, stdout } = await runFhirsight(['lint', folder.dir, '--format', 'json']);
    expect(code).toBe(1);
    const { findings } = await lintModelFolder(folder.dir);
    expect(JSON.parse(stdout)).toEqual({ model: 'pce-2013/1.0.0', errors: 1, warnings: 1, findings });
  });

  it('takes the folder of a model, its highest version, or the one that is named', async () => {
    const folder = await copied();
    for (const version of ['1.10.0', '1.9.0']) {
      await cp(folder.dir, path.join(folder.modelsDir, 'pce-2013', version), { recursive: true });
    }
    const lint = async (...args: string[]) => {
      const { stdout } = await runFhirsight(['lint', ...args, '--format', 'json'], { MODELS_DIR: folder.modelsDir });
      return (JSON.parse(stdout) as { model: string }).model;
    };
    expect(await lint(path.join(folder.modelsDir, 'pce-2013'))).toBe('pce-2013/1.10.0');
    expect(await lint('pce-2013')).toBe('pce-2013/1.10.0');
    expect(await lint('pce-2013', '--version', '1.9.0')).toBe('pce-2013/1.9.0');
  });

  it('of a folder without a manifest says that it is missing', async () => {
    const folder = await copied();
    await folder.remove(manifest);
    const { code, stdout } = await runFhirsight(['lint', folder.dir]);
    expect(code).toBe(1);
    expect(stdout).toContain('manifest.json: is missing; it says what the folder holds [error: load]');
  });

  it('says what the operating system refuses to read', async () => {
    const { findings } = await lintModelFolder('/no/such/model/1.0.0');
    expect(findings).toMatchObject([{ rule: 'load', severity: 'error', message: expect.stringContaining('ENOENT') }]);
  });

  test.each([
    [[], 'lint takes one model'],
    [['prevent-base', 'pce-2013'], 'lint takes one model'],
    [['./no-such-folder'], 'there is no folder ./no-such-folder'],
    [['no-such-model'], 'MODELS_DIR has no model no-such-model'],
    [['package.json/'], 'there is no folder package.json/'],
    [['/'], '/ holds no model: neither manifest.json'],
    [['./docs', '--version', '1.0.0'], 'has no version 1.0.0; it has: none'],
    [['prevent-base', '--version', '9.9.9'], 'has no version 9.9.9; it has: 1.0.0'],
    [['prevent-base', '--format', 'xml'], "--format is text or json, not 'xml'"],
    [['prevent-base', '--fix'], "'--fix'"],
  ])('refuses %j with exit code 2 and the usage', async (args, message) => {
    const { code, stdout, stderr } = await runFhirsight(['lint', ...args], { MODELS_DIR: shippedModels });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('fhirsight <command>');
  });
});
