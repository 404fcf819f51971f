import { describe, expect, test } from 'vitest';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import { explain } from '../../src/explanation/explain.ts';
import { createTreeShapWorker } from '../../src/explanation/trees/tree-shap-worker.ts';
import type { ExplanationMethod } from '../../src/model-catalog/explanation-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { type OnnxModel, onnxBytes } from '../support/onnx-model.ts';
import { shapVectors, vectorManifest } from '../support/shap-vectors.ts';

const said = { against: 'the average of the training data', because: 'tests' };
const linear: ExplanationMethod = { method: 'linear', means: [1, 2], ...said };
const trees: ExplanationMethod = { method: 'tree-shap', ...said };
const worker = createTreeShapWorker();
const featureMap = { features: {} };

/** `risk` from `x` of two columns by the given nodes. */
function graph(nodes: OnnxModel['nodes'], constants: OnnxModel['constants'] = []): OnnxModel {
  return {
    inputs: [{ name: 'x', type: 'float64', shape: ['n', 2] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', 1] }],
    nodes,
    constants,
  };
}

const weights = { name: 'w', shape: [2, 1], data: Float64Array.of(0.5, -2) };
const layer = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] };

function manifestOf(explanation: ExplanationMethod): Manifest {
  return {
    id: 'test-model',
    version: '1.0.0',
    tensors: {
      input: { name: 'x', type: 'float64', columns: [{ feature: 'age' }, { feature: 'pressure' }] },
      output: { name: 'risk', type: 'float64', columns: 1 },
    },
    outcomes: [{ id: 'risk', label: 'Risk', kind: 'probability', column: 0, horizon: 'P1Y' }],
    explanation,
  } as unknown as Manifest;
}

const made = (model: OnnxModel, explanation: ExplanationMethod) =>
  createExplainer({ manifest: manifestOf(explanation), artefact: onnxBytes(model), featureMap }, worker);

describe('a version whose method does not fit its graph is refused at load', () => {
  test.each<[string, OnnxModel, ExplanationMethod, RegExp]>([
    [
      'linear, and a number is squared on the way',
      graph(
        [
          { op: 'Mul', inputs: ['x', 'x'], outputs: ['s'] },
          { ...layer, inputs: ['s', 'w'], outputs: ['risk'] },
        ],
        [weights],
      ),
      linear,
      /needs a linear or logistic model.*it goes through Mul.*occlusion or permutation-shapley/,
    ],
    [
      'linear, and a layer follows the logistic function',
      graph(
        [
          { op: 'Sigmoid', inputs: ['x'], outputs: ['s'] },
          { ...layer, inputs: ['s', 'w'], outputs: ['risk'] },
        ],
        [weights],
      ),
      linear,
      /MatMul behind logistic: it is not linear/,
    ],
    [
      'linear, and an operator is unknown',
      graph([{ op: 'Erf', inputs: ['x'], outputs: ['risk'] }]),
      linear,
      /goes through Erf/,
    ],
    [
      'linear, and what a layer adds is worked out from the inputs: it would be left out of the sum',
      graph(
        [
          { ...layer, outputs: ['c'] },
          { op: 'Gemm', inputs: ['x', 'w', 'c'], outputs: ['risk'] },
        ],
        [weights],
      ),
      linear,
      /goes through Gemm with weights that are not followed.*occlusion or permutation-shapley/,
    ],
    [
      'trees, and there are none',
      graph([{ ...layer, outputs: ['risk'] }], [weights]),
      trees,
      /needs a sum of trees.*made of columns/,
    ],
  ])('%s', (_, model, explanation, message) => {
    expect(() => made(model, explanation)).toThrow(message);
    expect(() => made(model, explanation)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });

  test('trees whose branches all have the count 1, as converters write them', () => {
    const vectors = shapVectors('forest');
    // The counts are floats of nodes_hitrates: every one is put to 1.
    const bytes = Buffer.from(vectors.artefact);
    const from = bytes.indexOf('nodes_hitrates');
    for (let at = from + 'nodes_hitrates'.length; bytes[at] === 0x3d; at += 5) bytes.writeFloatLE(1, at + 1);
    const version = { manifest: vectorManifest(vectors, trees), artefact: bytes, featureMap };
    expect(() => createExplainer(version, worker)).toThrow(/nodes_hitrates are all 1.*scripts\/python\/hitrates\.py/);
  });
});

describe('a graph written by hand', () => {
  const logistic = graph([layer, { op: 'Sigmoid', inputs: ['z'], outputs: ['risk'] }], [weights]);
  const request = (risk: number) => ({
    inputs: [3, 1],
    features: new Map(),
    outcomes: manifestOf(linear).outcomes,
    run: async () => [[risk]],
  });
  // 0.5·3 − 2·1 = −0.5, and of the means 0.5·1 − 2·2 = −3.5.
  const risk = 1 / (1 + Math.exp(0.5));

  test('is explained in log-odds, each coefficient times the difference from the mean', async () => {
    const explanation = await made(logistic, linear)(request(risk));
    expect(explanation.bases).toEqual([
      { outcome: 'risk', scale: 'log-odds', base: -3.5, residual: expect.closeTo(0, 12) },
    ]);
    expect(explanation.contributions).toEqual([
      { feature: 'age', outcome: 'risk', difference: 1 },
      { feature: 'pressure', outcome: 'risk', difference: 2 },
    ]);
  });

  test('is not explained where the contributions miss what the model itself gave: the result says so', async () => {
    const answer = await explain(made(logistic, linear), 'linear', request(risk + 1e-5));
    expect(answer).toEqual({
      none: 'the explanation by linear failed (INFERENCE_FAILED)',
      cause: expect.objectContaining({ message: expect.stringMatching(/miss the model's own output by/) }),
    });
  });

  test('is not explained for a value that is missing: a linear model has none', async () => {
    const answer = await explain(made(logistic, linear), 'linear', { ...request(risk), inputs: [3, Number.NaN] });
    expect(answer).toMatchObject({ none: 'the explanation by linear failed (INFERENCE_FAILED)' });
  });
});
