import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineModel, InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { maskedSequence, namedInputs, severalOutputs, textModel } from '../support/onnx-families.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';
import { linearClassifier } from '../support/onnx-networks.ts';

let engine: InferenceEngine;
beforeAll(() => {
  engine = createOnnxEngine();
});
afterAll(() => engine.close());

const load = (graph: OnnxModel, forms: Pick<EngineModel, 'inputs' | 'outputs' | 'samples'>) =>
  engine.load({ key: 'family@1.0.0', artefact: onnxBytes(graph), ...forms });

const column = <Type extends string>(name: string, type: Type) => ({ name, type, columns: 1 });

describe('one input for each column', () => {
  const forms = {
    inputs: [
      column('age', 'float32'),
      column('visits', 'int64'),
      column('beds', 'int32'),
      column('smoker', 'bool'),
      column('sex', 'string'),
    ],
    outputs: [column('sum', 'float32')],
    samples: [
      [60, 2, 3, 1, 'female'],
      [40, 0, 1, 0, 'männlich'],
    ],
  } as const;

  test('takes each element in its own type, alone and with rows of others', async () => {
    const model = await load(namedInputs, forms);
    const rows = [
      [60, 2, 300, 1, 'female'],
      [-40.5, 0, -1, 0, 'männlich'],
      [0, 2 ** 20, 0, 1, 'other'],
    ];
    const expected = [[1363], [1958.5], [2 ** 20]];
    expect(await model.run(rows)).toEqual(expected);
    expect((await Promise.all(rows.map((row) => model.run([row])))).flat()).toEqual(expected);
    expect(model.report.batches.grade).toBe('bitwise');
  });

  test.each<[string, (string | number)[], string]>([
    [
      'a number that is not whole',
      [1, 2.5, 1, 0, 'female'],
      'column 1 (input visits) is no whole number that a double',
    ],
    ['a whole number beyond what a double holds exactly', [1, 2 ** 53, 1, 0, 'x'], 'column 1 (input visits)'],
    [
      'a whole number beyond int32',
      [1, 2, 2 ** 31, 0, 'x'],
      'column 2 (input beds) is no whole number that int32 holds',
    ],
    ['NaN for a whole number', [1, Number.NaN, 1, 0, 'x'], 'column 1 (input visits)'],
    ['two for a bool', [1, 2, 1, 2, 'x'], 'column 3 (input smoker) is neither 0 nor 1'],
    ['a text for a number', ['1', 2, 1, 0, 'x'], 'column 0 (input age) is no finite float32'],
    ['a number for a text', [1, 2, 1, 0, 3], 'column 4 (input sex) is no text'],
    ['half a character', [1, 2, 1, 0, '\ud800'], 'column 4 (input sex) is no text'],
    ['a text with NUL', [1, 2, 1, 0, 'a\0b'], 'column 4 (input sex) is no text'],
    ['a column too few', [1, 2, 1, 0], 'has 4 columns; the model takes 5'],
  ])('is refused, not cut to fit, for %s', async (_, row, says) => {
    const model = await load(namedInputs, forms);
    await expect(model.run([row])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining(says),
    });
  });

  test.each<[string, Partial<EngineModel>, string]>([
    [
      'lack one',
      { inputs: forms.inputs.slice(1), samples: [] },
      'has 5 inputs (age, visits, beds, smoker, sex); the manifest declares visits',
    ],
    [
      'name another',
      { inputs: [...forms.inputs.slice(1), column('years', 'float32')], samples: [] },
      'has no input named years; it has: age, visits',
    ],
    [
      'have another type',
      { inputs: forms.inputs.map((input) => ({ ...input, type: 'float32' as const })), samples: [] },
      'input visits has type int64; the manifest declares float32',
    ],
    [
      'have another shape',
      { inputs: forms.inputs.map((input) => ({ ...input, shape: [1, 1] })), samples: [] },
      'input age has shape [n, 1]; the manifest declares [rows, 1, 1]',
    ],
  ])('is refused at load where the inputs of the manifest %s', async (_, change, says) => {
    await expect(load(namedInputs, { ...forms, ...change })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining(says),
    });
  });
});

test('a text goes in as it is, into rows without a second size, and a single number comes out of each', async () => {
  const model = await load(textModel, {
    inputs: [{ name: 'note', type: 'string', columns: 1, shape: [] }],
    outputs: [column('urgency', 'float32')],
    samples: [['pain'], ['fever']],
  });
  const rows = [['fever'], ['pain'], ['Pain'], ['']];
  expect(await model.run(rows)).toEqual([[1], [3], [0], [0]]);
  expect((await Promise.all(rows.map((row) => model.run([row])))).flat()).toEqual([[1], [3], [0], [0]]);
});

test('a sequence [rows, 48, 6] is filled step by step, and its mask is an input of its own', async () => {
  const [steps, features] = [48, 6];
  const model = await load(maskedSequence(steps, features), {
    inputs: [
      { name: 'sequence', type: 'float32', columns: steps * features, shape: [steps, features] },
      { name: 'mask', type: 'float32', columns: steps },
    ],
    outputs: [{ name: 'sums', type: 'float32', columns: features }],
  });
  const row = (on: (step: number) => boolean) => [
    ...Array.from({ length: steps * features }, (_, index) => index),
    ...Array.from({ length: steps }, (_, step) => Number(on(step))),
  ];
  // What lies at [step, feature] is step × 6 + feature.
  const expected = (counted: readonly number[]) =>
    Array.from({ length: features }, (_, feature) => counted.reduce((sum, step) => sum + step * features + feature, 0));
  const rows = [row((step) => step === 47), row((step) => step < 2), row(() => false)];
  expect(await model.run(rows)).toEqual([expected([47]), expected([0, 1]), expected([])]);
  expect((await Promise.all(rows.map((each) => model.run([each])))).flat()).toEqual(await model.run(rows));
});

describe('several outputs', () => {
  const inputs = [{ name: 'x', type: 'float64', columns: 2 }] as const;
  const labels = { benign: 2, malignant: 4 };

  test('stand one after the other: floats, bools, whole numbers, and texts as the numbers of their classes', async () => {
    const model = await load(severalOutputs, {
      inputs,
      outputs: [
        { name: 'count', type: 'int64', columns: 1 },
        { name: 'same', type: 'float64', columns: 2 },
        { name: 'word', type: 'string', columns: 1, labels },
        { name: 'above', type: 'bool', columns: 1 },
      ],
    });
    expect(await model.run([[0.5, 1]])).toEqual([[1, 0.5, 1, 4, 1]]);
    expect(
      await model.run([
        [-3, 1],
        [2, 2],
      ]),
    ).toEqual([
      [0, -3, 1, 2, 0],
      [1, 2, 2, 4, 1],
    ]);
  });

  test('that are not declared are ignored', async () => {
    const model = await load(severalOutputs, { inputs, outputs: [{ name: 'count', type: 'int64', columns: 1 }] });
    expect(await model.run([[0.5, 1]])).toEqual([[1]]);
  });

  test('are refused where a text is the label of no class', async () => {
    const outputs = [{ name: 'word', type: 'string', columns: 1, labels: { benign: 2 } }] as const;
    const model = await load(severalOutputs, { inputs, outputs });
    await expect(model.run([[0.5, 1]])).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      message: expect.stringContaining('output word, column 0 is no label of a declared class'),
    });
  });

  test('may have a ZipMap among them, whose probabilities stand in the order of its classes', async () => {
    const zipped = linearClassifier(3, [0, 1, 2], true);
    const plain = linearClassifier(3, [0, 1, 2]);
    const forms = {
      inputs: [{ name: 'x', type: 'float32', columns: 3 }],
      outputs: [
        { name: 'label', type: 'int64', columns: 1 },
        { name: 'risk', type: 'float32', columns: 3 },
      ],
    } as const;
    const rows = [
      [1, 2, 3],
      [-3, 0.5, 1],
    ];
    const [answer, other] = await Promise.all(
      [zipped, plain].map(async (graph) => (await load(graph, forms)).run(rows)),
    );
    expect(answer).toEqual(other);
    for (const [label = -1, ...risks] of answer ?? []) expect(Math.max(...risks)).toBe(risks[label]);
  });
});
