import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lintModelFolder } from '../../src/cli/lint/lint-model-folder.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { InputColumn } from '../../src/model-catalog/column-value.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { checkMissingReasons } from '../../src/model-catalog/lint/check-missing-reasons.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { missingnessModel, onnxBytes, sigmoidModel } from '../support/onnx-model.ts';

type Measured = Extract<FeatureDefinition, { kind: 'observation' }>;
const measured = (missing: Measured['missing']): Measured => ({
  kind: 'observation',
  label: 'A',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P1Y',
  pick: 'latest',
  plausible: [0.1, 40],
  missing,
});
const indicate = { because: ['not-found'], value: 1, source: 'test' };
const nan = { because: ['not-found'], source: 'test' };
const population: FeatureMap['population'] = { exclude: [], require: [], ranges: [] };
const sex: FeatureDefinition = {
  kind: 'demographics',
  label: 'Sex',
  element: 'sex',
  vocabulary: { female: ['female'], male: ['male'] },
};
const value: InputColumn = { feature: 'a' };
const indicator: InputColumn = { feature: 'a', indicator: 'missing' };

describe('what load says of the columns of a feature that may be missing', () => {
  const findings = (missing: Measured['missing'], columns: InputColumn[], input: object = {}) => {
    const manifest = {
      tensors: { input: { name: 'x', type: 'float64', columns, ...input } },
      explanation: { reference: { a: 1 } },
      outcomes: [],
    } as unknown as Manifest;
    return checkColumns(manifest, { language: 1, features: { a: measured(missing) }, population }).map(
      ({ path: at, message }) => `${at} ${message}`,
    );
  };

  it('is nothing where they say so to the model', () => {
    expect(findings({ indicate }, [indicator, value])).toEqual([]);
    expect(findings({ nan }, [value], { acceptsNaN: true })).toEqual([]);
    expect(findings({ nan }, [value, indicator], { acceptsNaN: true })).toEqual([]);
  });

  it.each<[string, Measured['missing'], InputColumn[], object, string]>([
    [
      'a constant that nothing tells from a value',
      { indicate },
      [value],
      {},
      '/tensors/input/columns need one {"feature": "a", "indicator": "missing"}: without it the model would take the constant for a value',
    ],
    [
      'an indicator of what is never missing',
      'abstain',
      [value, indicator],
      {},
      "/tensors/input/columns/1/indicator needs 'indicate' or 'nan' in the policy for a that is missing",
    ],
    [
      'NaN for a model that does not say it takes it',
      { nan },
      [value],
      {},
      '/tensors/input needs "acceptsNaN": true, for the map gives it NaN',
    ],
    [
      'a guard against NaN that is off for nothing',
      { indicate },
      [value, indicator],
      { acceptsNaN: true },
      '/tensors/input/acceptsNaN has no use: the map gives NaN for no column',
    ],
    [
      'a constant that the transform has no number for',
      { indicate: { ...indicate, value: -1 } },
      [{ ...value, transform: [{ log: 'ln' }] }, indicator],
      {},
      '/tensors/input/columns/0 has no number for -1, which stands for a that is missing',
    ],
    [
      'an indicator that is transformed',
      { indicate },
      [value, { ...indicator, transform: [{ log: 'ln' }] }],
      {},
      '/tensors/input/columns/1/indicator takes no encode and no transform: it is 1 where a is missing, else 0',
    ],
    [
      'two indicators',
      { indicate },
      [value, indicator, indicator],
      {},
      '/tensors/input/columns a fills two columns in the same way',
    ],
  ])('names %s', (_, missing, columns, input, expected) => {
    expect(findings(missing, columns, input)).toEqual([expected]);
  });
});

describe('what load says of a policy for what is missing', () => {
  const findings = (missing: Measured['missing'], parts: Partial<FeatureMap['population']> = {}) =>
    checkFeatureMap(
      { language: 1, features: { a: measured(missing), sex }, population: { ...population, mostImputed: 1, ...parts } },
      ['outcome'],
    ).map(({ message }) => message);
  const rule = { because: ['not-found'], value: 1, source: 'test' };
  const female = { ...rule, when: { feature: 'sex', equals: 'female' } };

  it('is nothing where each reason leads to one thing', () => {
    expect(findings({ impute: [female, rule], indicate: { ...indicate, because: ['too-few'] } })).toEqual([]);
  });

  it.each<[string, Measured['missing'], string]>([
    ['both forms of absence', { indicate, nan }, 'takes both indicate and nan: the model was trained with one'],
    [
      'a reason for two things',
      { impute: [rule], nan },
      'imputes for not-found, for which the model is given that it is missing',
    ],
    [
      'a value of another kind',
      { indicate: { ...indicate, value: true as unknown as number } },
      'takes true, a boolean, for a feature that is a number',
    ],
    [
      'a rule that is never reached',
      { impute: [rule, female] },
      "imputes twice for not-found: no rule after one without 'when' is reached",
    ],
    ['the same condition twice', { impute: [female, female] }, 'imputes twice for not-found and sex female'],
    [
      'a condition on nothing',
      { impute: [{ ...rule, when: { feature: 'gender', equals: 'female' } }] },
      'asks for gender, which the map does not define',
    ],
    [
      'a condition that never holds',
      { impute: [{ ...rule, when: { feature: 'sex', equals: 'woman' } }] },
      'asks whether sex is woman, which it never is',
    ],
    [
      'a condition on a number',
      { impute: [{ ...rule, when: { feature: 'a', equals: 'female' } }] },
      'asks for a, a number; it has to be a code or yes or no',
    ],
  ])('names %s', (_, missing, expected) => {
    expect(findings(missing)).toContain(expected);
  });

  it.each([{ indicate }, { nan }])('is that eligibility has to be known: %j', (missing) => {
    const require = [{ reason: 'a', feature: 'a', from: 1, to: 2, message: 'a' }];
    expect(findings(missing, { require })).toEqual([
      'must abstain: whether the model may speak about somebody has to be known',
    ]);
  });

  it('is that what is made of others names their reasons', () => {
    const made: FeatureDefinition = {
      kind: 'derived',
      label: 'B',
      unit: '1',
      expression: ['+', 'a', 1],
      source: 'test',
      missing: { nan: { ...nan, because: ['input-missing'] } },
    };
    const features = { a: measured('abstain'), b: made };
    expect(checkFeatureMap({ language: 1, features, population }, []).map(({ message }) => message)).toEqual([
      'names input-missing; name the reasons of the features that it is made of',
    ]);
  });

  it('warns where a value that cannot be used is taken for one that is not there', () => {
    const warned = (because: string[]) =>
      checkMissingReasons({ language: 1, features: { a: measured({ nan: { ...nan, because } }) }, population });
    expect(warned(['not-found', 'too-few'])).toEqual([]);
    expect(warned(['not-found', 'conflict', 'unit-unknown'])).toMatchObject([
      { path: '/features/a/missing', message: expect.stringContaining('takes conflict, unit-unknown for an absence') },
    ]);
  });
});

describe('a model folder with a feature that may be missing', () => {
  let folder: ModelFolder;
  beforeEach(async () => {
    folder = await copyModel('prevent-base');
    await folder.remove('golden/published-examples.json');
    await folder.edit('model-card.json', (card) => {
      card.inputs = [{ feature: 'analyte', description: 'A' }];
      card.codeLists = [];
      card.outputs = [0, 1].map((at) => ({ outcome: `test-${at}`, description: 'Test' }));
    });
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  async function load(
    missing: Measured['missing'],
    columns: InputColumn[],
    expected: { value: number[]; missing?: number[] },
    artefact: Uint8Array,
    acceptsNaN = false,
  ) {
    await folder.write('model.onnx', artefact);
    await folder.write(
      'feature-map.json',
      JSON.stringify({ language: 1, features: { analyte: measured(missing) }, population }),
    );
    await folder.edit('golden/scalar-form.json', (golden) => {
      const probabilities = (values: number[]) => Object.fromEntries(values.map((each, at) => [`test-${at}`, each]));
      golden.cases = [
        { name: 'known', inputs: { analyte: 2 }, expected: probabilities(expected.value), tolerance: 1e-9 },
      ];
      if (expected.missing !== undefined)
        golden.cases.push({
          name: 'missing',
          inputs: { analyte: null },
          expected: probabilities(expected.missing),
          tolerance: 1e-9,
        });
    });
    await folder.edit('manifest.json', (manifest) => {
      delete manifest.cdsHooks;
      manifest.tensors.input.columns = columns.map((column) => ({ ...column, feature: 'analyte' }));
      if (acceptsNaN) manifest.tensors.input.acceptsNaN = true;
      manifest.tensors.output.columns = columns.length;
      manifest.outcomes = columns.map((_, column) => ({
        id: `test-${column}`,
        label: `Test ${column}`,
        column,
        kind: 'measurement',
        coding: [{ system: 'http://loinc.org', code: '33914-3' }],
        unit: '1',
        range: [0, 1],
        decimals: 3,
      }));
      manifest.explanation.reference = { analyte: 2 };
    });
    await folder.seal();
    const engine = createOnnxEngine();
    try {
      const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
      const lint = await lintModelFolder(folder.dir);
      return {
        refused: catalog.refused.map(({ reason }) => reason),
        lint: lint.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message),
      };
    } finally {
      await engine.close();
    }
  }

  it('runs its golden cases with the indicator and the constant', async () => {
    const expected = { value: [sigmoid(2), sigmoid(0)], missing: [sigmoid(7), sigmoid(1)] };
    const artefact = onnxBytes(sigmoidModel('float64', 2));
    expect(await load({ indicate: { ...indicate, value: 7 } }, [value, indicator], expected, artefact)).toEqual({
      refused: [],
      lint: [],
    });
  });

  it('is refused where the indicator stands in the wrong place', async () => {
    const expected = { value: [sigmoid(2), sigmoid(0)], missing: [sigmoid(7), sigmoid(1)] };
    const artefact = onnxBytes(sigmoidModel('float64', 2));
    const { refused } = await load({ indicate: { ...indicate, value: 7 } }, [indicator, value], expected, artefact);
    expect(refused).toEqual([expect.stringContaining('golden case "known" gives')]);
  });

  it('runs its golden cases with NaN', async () => {
    const expected = { value: [sigmoid(0), sigmoid(0)], missing: [sigmoid(1), sigmoid(0)] };
    const artefact = onnxBytes(missingnessModel(2));
    expect(await load({ nan }, [value, indicator], expected, artefact, true)).toEqual({ refused: [], lint: [] });
  });

  it('is refused where the model has no answer to NaN', async () => {
    const artefact = onnxBytes(sigmoidModel('float64', 2));
    const expected = { value: [sigmoid(2), sigmoid(0)] };
    const { refused, lint } = await load({ nan }, [value, indicator], expected, artefact, true);
    const why = 'gives no score where analyte is NaN';
    expect(refused).toEqual([expect.stringContaining(why)]);
    expect(lint).toEqual([expect.stringContaining(why)]);
  });

  it('is refused where a golden case is missing something that is never given as missing', async () => {
    const expected = { value: [sigmoid(2)], missing: [sigmoid(7)] };
    const { refused } = await load('abstain', [value], expected, onnxBytes(sigmoidModel('float64', 1)));
    expect(refused).toEqual([expect.stringContaining('is null, but the map never gives it to the model as missing')]);
  });
});
