import { describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { inputRow } from '../../src/inference/score.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { InputColumn } from '../../src/model-catalog/column-value.ts';
import type { FeatureMap, SequenceDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { checkGoldenFile, goldenRow } from '../../src/model-catalog/golden-cases.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { copyModel } from '../support/model-folder.ts';
import { onnxBytes, sigmoidModel } from '../support/onnx-model.ts';

const pulse: SequenceDefinition = {
  kind: 'sequence',
  label: 'Pulse',
  unit: '/min',
  codes: ['http://loinc.org|8867-4'],
  step: 'PT1H',
  steps: 2,
  each: 'last',
  empty: { value: 0, since: 5, source: 'test' },
  atLeast: 1,
  plausible: [20, 300],
  missing: 'abstain',
};
const age = { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' } as const;
const map: FeatureMap = {
  language: 1,
  features: { pulse, age },
  population: { exclude: [], require: [], ranges: [] },
};
/** Row-major, as a tensor [1, T, C] lies in memory: bin by bin, and in each its channels. */
const columns: InputColumn[] = [0, 1].flatMap((bin) =>
  (['value', 'mask', 'since'] as const).map((channel) => ({ feature: 'pulse', at: { bin, channel } })),
);
const manifestOf = (columns: readonly InputColumn[], reference: object = {}) =>
  ({ tensors: { input: { columns } }, explanation: { reference }, outcomes: [] }) as unknown as Manifest;
const steps = { value: [61, 62], mask: [1, 0], since: [0, 1] };
const read: FeatureValue = { state: 'derived', value: 1, from: [], sources: [], steps };

describe('the columns of a sequence', () => {
  it('take its numbers bin by bin, each after the transform of its column', () => {
    expect(inputRow(columns, new Map([['pulse', read]]))).toEqual([61, 1, 0, 62, 0, 1]);
    const scaled = [
      { feature: 'pulse', at: { bin: 1, channel: 'value' }, transform: [{ zScore: { mean: 60, sd: 4 } }] },
      { feature: 'pulse', at: { bin: 1, channel: 'since' }, transform: [{ minMax: [0, 5] }] },
    ] satisfies InputColumn[];
    expect(inputRow(scaled, new Map([['pulse', read]]))).toEqual([0.5, 0.2]);
    expect(checkColumns(manifestOf([...columns, ...scaled]), map)).toEqual([]);
  });

  it('are never given the count of its bins for a value', () => {
    expect(() => inputRow([{ feature: 'pulse' }], new Map([['pulse', read]]))).toThrow('has no number');
    const beyond = { feature: 'pulse', at: { bin: 2, channel: 'mask' } } as const;
    expect(() => inputRow([beyond], new Map([['pulse', read]]))).toThrow('has no number');
  });

  it.each([
    [
      { feature: 'pulse' },
      '/at is needed: pulse is a sequence, of which a column takes one number: {"bin": 0, "channel": "value"}',
    ],
    [{ feature: 'pulse', at: { bin: 2, channel: 'mask' } }, '/at/bin is 2, but pulse has bins 0 to 1'],
    [
      { feature: 'pulse', at: { bin: 1, channel: 'mask' }, encode: { a: 1 } },
      '/encode pulse is a sequence and needs no encoding',
    ],
    [{ feature: 'age', at: { bin: 0, channel: 'value' } }, '/at is for a sequence, which age is not'],
    [
      { feature: 'pulse', at: { bin: 0, channel: 'value' }, transform: [{ log: 'ln' }] },
      '/transform/0 takes ln of values from 0; clip them, or make only values above 0 plausible',
    ],
  ] satisfies [InputColumn, string][])('say which number they take: %#', (column, finding) => {
    expect(checkColumns(manifestOf([column]), map).map(({ path, message }) => `${path} ${message}`)).toEqual([
      `/tensors/input/columns/0${finding}`,
    ]);
  });

  it('take no number twice, and no value of a reference person', () => {
    const [first] = columns;
    if (first === undefined) throw new Error('there are columns');
    expect(checkColumns(manifestOf([...columns, first]), map)).toMatchObject([
      { message: 'pulse fills two columns in the same way' },
    ]);
    expect(checkColumns(manifestOf(columns, { pulse: 60 }), map)).toMatchObject([
      { path: '/explanation/reference/pulse', message: 'is a number, but the feature is a sequence' },
    ]);
  });
});

describe('a golden case of a sequence', () => {
  const golden = (value: unknown) =>
    ({ name: 'g', inputs: { pulse: value }, expected: {}, tolerance: 0.001 }) as Parameters<typeof goldenRow>[0];
  const findingsOf = (value: unknown) =>
    checkGoldenFile('golden/x.json', [golden(value)], manifestOf(columns), map).map(({ message }) => message);

  it('holds the three numbers of each bin', () => {
    const bins = [
      [61, 1, 0],
      [62, 0, 1],
    ];
    expect(findingsOf(bins)).toEqual([]);
    expect(goldenRow(golden(bins), manifestOf(columns), map)).toEqual([61, 1, 0, 62, 0, 1]);
  });

  it.each([
    [60, 'is no list of bins, but the feature is a sequence'],
    [null, 'is no list of bins, but the feature is a sequence'],
    [[[61, 1, 0]], 'has 1 bins, but the feature has 2'],
  ])('is refused with %j', (value, message) => {
    expect(new Set(findingsOf(value))).toEqual(new Set([message]));
  });

  it('gives no list to a feature that is no sequence', () => {
    const golden = { name: 'g', inputs: { age: [[1, 1, 0]] }, expected: {}, tolerance: 0.001 };
    const findings = checkGoldenFile('golden/x.json', [golden as never], manifestOf([{ feature: 'age' }]), map);
    expect(findings.map(({ message }) => message)).toEqual(['is a list, but the feature is no sequence']);
  });

  it('is run through the model at load', async () => {
    await using folder = await copyModel('pce-2013');
    await folder.write('model.onnx', Buffer.from(onnxBytes(sigmoidModel('float64', 6))));
    await folder.edit('feature-map.json', (json) => Object.assign(json, map));
    await folder.edit('manifest.json', (json) => {
      delete json.cdsHooks;
      json.tensors = {
        input: { name: 'x', type: 'float64', columns },
        output: { name: 'risk', type: 'float64', columns: 6 },
      };
      // The first bin since the last measurement: sigmoid of 0.
      const coding = [{ system: 'http://loinc.org', code: '33914-3' }];
      const observed = { kind: 'measurement', coding, unit: '1', range: [0, 1], decimals: 3 };
      json.outcomes = [{ id: 'test', label: 'Test', column: 2, ...observed }];
      json.explanation.reference = {};
      delete json.directions;
    });
    await folder.edit('model-card.json', (json) => {
      json.inputs = [{ ...json.inputs[0], feature: 'pulse' }];
      json.codeLists = [];
      json.outputs = [{ ...json.outputs[0], outcome: 'test' }];
      json.performance = [];
    });
    const bins = [
      [61, 1, 0],
      [62, 0, 1],
    ];
    await folder.remove('golden');
    const golden = [{ name: 'g', inputs: { pulse: bins }, expected: { test: 0.5 }, tolerance: 1e-9 }];
    await folder.write('golden/test.json', JSON.stringify({ source: 'test', cases: golden }));
    await folder.seal();
    const engine = createOnnxEngine();
    try {
      const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
      expect(catalog.refused).toEqual([]);
      expect(await catalog.find('pce-2013').run([[61, 1, 0, 62, 0, 1]])).toMatchObject([{ 2: 0.5 }]);
    } finally {
      await engine.close();
    }
  });
});
