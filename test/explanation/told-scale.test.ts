import { describe, expect, test } from 'vitest';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import { createTreeShapWorker } from '../../src/explanation/trees/tree-shap-worker.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { outcomeScore } from '../../src/model-catalog/outcome-score.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';

/** Coefficients of three columns by class: of the second class x0 raises the margin by 1, and of the first by 5. */
const coefficients = [
  [5, 1, 0],
  [0, 2, 1],
  [1, 0, -1],
];

interface Asked {
  readonly classes?: 2 | 3;
  /** Behind the margins, the last of them giving `y`. */
  readonly behind?: OnnxModel['nodes'];
  readonly outcome?: Record<string, unknown>;
}

/** A linear model of `x` with one column for each class, the explained one being the second. */
function manifestOf({ classes = 2, outcome = {} }: Asked): Manifest {
  return {
    id: 'test-model',
    version: '1.0.0',
    tensors: {
      input: { name: 'x', type: 'float32', columns: ['a', 'b', 'c'].map((feature) => ({ feature })) },
      output: { name: 'y', type: 'float32', columns: classes },
    },
    outcomes: [{ id: 'risk', label: 'Risk', kind: 'probability', column: 1, horizon: 'P1Y', ...outcome }],
    explanation: { method: 'linear', means: [0, 0, 0], against: 'nobody', because: 'tests' },
  } as unknown as Manifest;
}

function made(asked: Asked) {
  const { classes = 2, behind = [] } = asked;
  const data = Float32Array.from(coefficients.flatMap((row) => row.slice(0, classes)));
  const model: OnnxModel = {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n', classes] }],
    nodes: [{ op: 'Gemm', inputs: ['x', 'w'], outputs: [behind.length === 0 ? 'y' : 'z'] }, ...behind],
    constants: [{ name: 'w', shape: [3, classes], data }],
  };
  const version = { manifest: manifestOf(asked), artefact: onnxBytes(model), featureMap: { features: {} } };
  return createExplainer(version, createTreeShapWorker());
}

const inputs = [1, 0.5, 0.2];
const logits = (row: readonly number[]): number[] =>
  [0, 1].map((column) => row.reduce((sum, x, index) => sum + x * (coefficients[index]?.[column] ?? 0), 0));
const logOdds = (probability: number): number => Math.log(probability / (1 - probability));
const softmax = { op: 'Softmax', inputs: ['z'], outputs: ['y'], axis: 1 };

describe('an input that lowers the risk is not told to raise it', () => {
  const manifestSoftmax = { link: { softmax: [0, 1] } };

  test('of two columns that share a softmax of the manifest: the contribution is what the log-odds change by', async () => {
    const { outcomes } = manifestOf({ outcome: manifestSoftmax });
    const [outcome] = outcomes;
    if (outcome === undefined) throw new RangeError('no outcome');
    const found = await made({ outcome: manifestSoftmax })({
      inputs,
      features: new Map(),
      outcomes,
      run: async (rows) => rows.map((row) => logits(row.map(Number))),
    });
    const scored = (row: readonly number[]): number => logOdds(outcomeScore(outcome, logits(row)));
    const [first, ...others] = found.contributions;
    expect(first?.difference).toBeCloseTo(scored(inputs) - scored([0, 0.5, 0.2]), 9);
    expect(first?.difference).toBe(-4);
    expect(others.map(({ difference }) => difference)).toEqual([1, expect.closeTo(-0.2, 9)]);
    expect(found.bases).toEqual([{ outcome: 'risk', scale: 'log-odds', base: 0, residual: expect.closeTo(0, 6) }]);
  });

  test.each<[string, Asked, RegExp]>([
    [
      'three columns share a softmax of the manifest',
      { classes: 3, outcome: { link: { softmax: [0, 1, 2] } } },
      /one of three or more classes of a softmax/,
    ],
    [
      'three columns share a softmax of the graph',
      { classes: 3, behind: [softmax] },
      /one of three or more classes of a softmax/,
    ],
    [
      'logistic functions of three classes are made to add up to 1',
      {
        classes: 3,
        behind: [
          { op: 'Sigmoid', inputs: ['z'], outputs: ['s'] },
          {
            op: 'Normalizer',
            inputs: ['s'],
            outputs: ['y'],
            domain: 'ai.onnx.ml',
            attributes: { norm: { text: 'L1' } },
          },
        ],
      },
      /one class against the rest/,
    ],
    [
      'a link of the manifest stands behind one of the graph',
      { behind: [softmax], outcome: { link: 'sigmoid' } },
      /the graph has one already \(softmax\)/,
    ],
    [
      'a logistic function stands behind a softmax',
      {
        behind: [
          { ...softmax, outputs: ['s'] },
          { op: 'Sigmoid', inputs: ['s'], outputs: ['y'] },
        ],
      },
      /it goes through softmax, then logistic/,
    ],
    [
      'the other column of its softmax lies in another output',
      { outcome: { link: { softmax: [1, 2] } } },
      /lies in another output/,
    ],
  ])('and where %s the version is refused, with the way out', (_, asked, message) => {
    expect(() => made(asked)).toThrow(message);
    expect(() => made(asked)).toThrow(/for the outcome risk.*occlusion or permutation-shapley/);
    expect(() => made(asked)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });
});

describe('a sum that cannot be checked', () => {
  const behind = [{ op: 'Sigmoid', inputs: ['z'], outputs: ['y'] }];
  const explained = (z: number, probability: number) =>
    made({ behind })({
      inputs: [0, z / 2, 0],
      features: new Map(),
      outcomes: manifestOf({}).outcomes,
      run: async () => [[0, probability]],
    });

  test('is not said to add up: of a probability next to 1 there is no residual', async () => {
    const { bases } = await explained(20, 1);
    expect(bases).toEqual([{ outcome: 'risk', scale: 'log-odds', base: 0 }]);
  });

  test('is refused still where the probability is another one', async () => {
    await expect(explained(20, 0.99999)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    await expect(explained(0, 1)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  });

  test('is none where the log-odds are missed: the residual is in log-odds too', async () => {
    const probability = 1 / (1 + Math.exp(-3));
    const { bases } = await explained(3, Math.fround(probability));
    expect(Math.abs(bases[0]?.residual ?? 1)).toBeLessThan(1e-5);
    await expect(explained(3, probability + 1e-5)).rejects.toThrow(/miss the model's own output by 0\.0002/);
  });
});
