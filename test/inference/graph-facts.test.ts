import { expect, test } from 'vitest';
import { graphFacts } from '../../src/inference/graph-facts.ts';
import { type OnnxModel, onnxBytes, sigmoidModel } from '../support/onnx-model.ts';
import { linearClassifier } from '../support/onnx-networks.ts';

const factsOf = (model: OnnxModel) => graphFacts(onnxBytes(model));

test('operators and operator sets of a graph are counted by domain', () => {
  const { operators, opsets, unknownDomains } = factsOf(linearClassifier(3, [0, 1], true));
  expect(operators).toEqual({ 'ai.onnx.ml:LinearClassifier': 1, 'ai.onnx.ml:Normalizer': 1, 'ai.onnx.ml:ZipMap': 1 });
  expect(opsets['ai.onnx']).toBe(17);
  expect(unknownDomains).toEqual([]);
});

test('a domain that ONNX Runtime does not know is named', () => {
  const custom = {
    ...sigmoidModel('float64', 2),
    nodes: [{ op: 'Guess', domain: 'com.example', inputs: ['x'], outputs: ['risk'] }],
  };
  expect(factsOf(custom).unknownDomains).toEqual(['com.example']);
});

test.each([true, false])('the classes of a classifier are found, with a ZipMap at its end: %s', (zipMap) => {
  const { labelled } = factsOf(linearClassifier(3, [7, -2, 30], zipMap));
  expect(labelled).toEqual([
    { output: 'label', operator: 'LinearClassifier', holds: 'label', labels: [7, -2, 30] },
    { output: 'risk', operator: zipMap ? 'ZipMap' : 'LinearClassifier', holds: 'scores', labels: [7, -2, 30] },
  ]);
});

test('columns that are picked take their classes with them', () => {
  const plain = linearClassifier(3, [7, 2, 30]);
  const picked = {
    ...plain,
    outputs: [{ name: 'one', type: 'float32' as const, shape: ['n', 1] }],
    constants: [{ name: 'second', shape: [1], data: BigInt64Array.of(1n) }],
    nodes: [...plain.nodes, { op: 'Gather', inputs: ['risk', 'second'], outputs: ['one'], axis: 1 }],
  };
  expect(factsOf(picked).labelled).toEqual([
    { output: 'one', operator: 'LinearClassifier', holds: 'scores', labels: [2] },
  ]);
});

test('what is worked out from scores names no classes any more', () => {
  const plain = linearClassifier(3, [0, 1]);
  const mixed = {
    ...plain,
    outputs: [{ name: 'sum', type: 'float32' as const, shape: ['n', 2] }],
    nodes: [...plain.nodes, { op: 'Add', inputs: ['risk', 'risk'], outputs: ['sum'] }],
  };
  expect(factsOf(mixed).labelled).toEqual([]);
});
