import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { inputRow, score } from '../../src/inference/score.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { copyModel, type ModelFolder } from '../support/model-folder.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';

const ml = 'ai.onnx.ml';
/** Urgent is a note that says chest pain; the pulses [n, 2, 1] of both bins added up; 100 more for a man. */
const graph: OnnxModel = {
  inputs: [
    { name: 'pulses', type: 'float32', shape: ['n', 2, 1] },
    { name: 'note', type: 'string', shape: ['n', 1] },
    { name: 'sex', type: 'string', shape: ['n', 1] },
  ],
  outputs: [
    { name: 'urgency', type: 'string', shape: ['n', 1] },
    { name: 'sum', type: 'float32', shape: ['n', 1] },
  ],
  constants: [{ name: 'steps', shape: [1], data: BigInt64Array.of(1n) }],
  nodes: [
    {
      op: 'LabelEncoder',
      domain: ml,
      inputs: ['note'],
      outputs: ['urgency'],
      attributes: {
        keys_strings: { texts: ['chest pain'] },
        values_strings: { texts: ['urgent'] },
        default_string: { text: 'routine' },
      },
    },
    {
      op: 'LabelEncoder',
      domain: ml,
      inputs: ['sex'],
      outputs: ['more'],
      attributes: {
        keys_strings: { texts: ['male'] },
        values_floats: { floats: [100] },
        default_float: { float: 0 },
      },
    },
    { op: 'ReduceSum', inputs: ['pulses', 'steps'], outputs: ['added'], attributes: { keepdims: { int: 0 } } },
    { op: 'Add', inputs: ['added', 'more'], outputs: ['sum'] },
  ],
};

const map: FeatureMap = {
  language: 1,
  features: {
    pulse: {
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
    },
    note: {
      kind: 'text',
      label: 'Triage note',
      codes: ['http://loinc.org|54094-8'],
      window: 'P1D',
      pick: 'latest',
      normalise: 'trim-and-collapse',
      maxLength: 200,
      missing: 'abstain',
    },
    sex: { kind: 'demographics', label: 'Sex', element: 'sex', vocabulary: { female: ['female'], male: ['male'] } },
  },
  population: { exclude: [], require: [], ranges: [] },
};
const coded = (code: string) => [{ system: 'https://example.org/codes', code }];
const pulses = [
  [61, 1, 0],
  [62, 1, 0],
];
const golden = [
  {
    name: 'man in pain',
    inputs: { pulse: pulses, note: 'chest pain', sex: 'male' },
    expected: { urgency: 2, sum: 223 },
  },
  {
    name: 'woman',
    inputs: { pulse: pulses, note: 'Repeat prescription ü', sex: 'female' },
    expected: { urgency: 1, sum: 123 },
  },
].map((each) => ({ ...each, tolerance: 1e-6 }));

async function folderWith(cases: readonly object[]): Promise<ModelFolder> {
  const folder = await copyModel('pce-2013');
  await folder.write('model.onnx', onnxBytes(graph));
  await folder.write('feature-map.json', JSON.stringify(map));
  await folder.edit('manifest.json', (json) => {
    delete json.cdsHooks;
    delete json.directions;
    json.tensors = {
      inputs: [
        { name: 'note', type: 'string', columns: [{ feature: 'note' }] },
        {
          name: 'pulses',
          type: 'float32',
          shape: [2, 1],
          columns: [0, 1].map((bin) => ({ feature: 'pulse', at: { bin, channel: 'value' } })),
        },
        { name: 'sex', type: 'string', columns: [{ feature: 'sex' }] },
      ],
      outputs: [
        { name: 'sum', type: 'float32', columns: 1 },
        { name: 'urgency', type: 'string', columns: 1 },
      ],
    };
    json.outcomes = [
      {
        id: 'urgency',
        label: 'Urgency',
        kind: 'class',
        coding: coded('urgency'),
        column: 1,
        classes: [
          { number: 1, code: 'routine', display: 'routine', classLabel: 'routine' },
          { number: 2, code: 'urgent', display: 'urgent', classLabel: 'urgent' },
        ],
      },
      {
        id: 'sum',
        label: 'Sum',
        kind: 'measurement',
        coding: coded('sum'),
        column: 0,
        unit: '/min',
        range: [0, 999],
        decimals: 0,
      },
    ];
    json.explanation.reference = {};
  });
  await folder.edit('model-card.json', (json) => {
    json.inputs = Object.keys(map.features).map((feature) => ({ ...json.inputs[0], feature }));
    json.outputs = ['urgency', 'sum'].map((outcome) => ({ ...json.outputs[0], outcome }));
    json.codeLists = [];
    json.performance = [];
    json.fairness.sensitiveInputs = ['sex'];
  });
  await folder.remove('golden');
  await folder.write('golden/test.json', JSON.stringify({ source: 'test', cases }));
  await folder.seal();
  return folder;
}

let engine: InferenceEngine;
beforeAll(() => {
  engine = createOnnxEngine();
});
afterAll(() => engine.close());
const loadFolder = ({ modelsDir }: ModelFolder): Promise<Catalog> =>
  loadCatalog({ modelsDir, engine, clock: systemClock });

describe('a model that reads a text, a code, and a sequence in its own shape', () => {
  let folder: ModelFolder;
  let version: LoadedVersion;
  beforeAll(async () => {
    folder = await folderWith(golden);
    const catalog = await loadFolder(folder);
    expect(catalog.refused).toEqual([]);
    version = catalog.find('pce-2013');
  });
  afterAll(async () => {
    await version?.release();
    await folder[Symbol.asyncDispose]();
  });

  test('scores what was read of a record: words, code and bins, and names the class by its label', async () => {
    const features = new Map<string, FeatureValue>([
      ['note', { state: 'observed', value: 10, text: { content: 'chest pain' }, sources: [] }],
      ['sex', { state: 'observed', value: 'male', sources: [] }],
      [
        'pulse',
        { state: 'derived', value: 2, from: [], sources: [], steps: { value: [70, 80], mask: [1, 1], since: [0, 0] } },
      ],
    ]);
    const row = inputRow(inputColumns(version.manifest), features);
    expect(row).toEqual(['chest pain', 70, 80, 'male']);
    const { scores } = await score((rows) => version.run(rows), row, version.manifest.outcomes);
    expect([...scores]).toEqual([
      ['urgency', 2],
      ['sum', 250],
    ]);
  });

  test('runs rows of several callers together, each with its own words', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => [
      index % 3 === 0 ? 'chest pain' : `note ${index}`,
      index,
      1,
      'female',
    ]);
    const answers = await Promise.all(rows.map((row) => version.run([row])));
    expect(answers.flat()).toEqual(rows.map((_, index) => [index + 1, index % 3 === 0 ? 2 : 1]));
  });
});

test.each<[string, (cases: typeof golden) => void, RegExp]>([
  [
    'another spelling of its text',
    ([first]) => Object.assign(first?.inputs ?? {}, { note: 'Chest pain' }),
    /gives 1 for urgency; expected 2/,
  ],
  [
    'a number for its text',
    ([first]) => Object.assign(first?.inputs ?? {}, { note: 10 }),
    /inputs\/note: is a number, but the feature is a text/,
  ],
  [
    'a code that the vocabulary has not',
    ([first]) => Object.assign(first?.inputs ?? {}, { sex: 'other' }),
    /inputs\/sex: is other, which the column does not encode/,
  ],
])('a folder is refused whose golden case has %s', async (_, change, reason) => {
  const cases = structuredClone(golden);
  change(cases);
  await using folder = await folderWith(cases);
  const { refused } = await loadFolder(folder);
  expect(refused.map((each) => each.reason).join()).toMatch(reason);
});
