import type { OnnxAttribute, OnnxNode } from '../../src/inference/onnx-graph/onnx-model.ts';

type Value = number | string | readonly number[] | readonly string[];

/** Two trees of one target: `x0 <= 1` over 30 of 100 samples, and `x1 < 2` over 50; leaves 1 and 2, 10 and 20. */
const twoTrees: Readonly<Record<string, Value>> = {
  nodes_treeids: [0, 0, 0, 7, 7, 7],
  nodes_nodeids: [0, 1, 2, 0, 1, 2],
  nodes_featureids: [0, 0, 0, 1, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF', 'BRANCH_LT', 'LEAF', 'LEAF'],
  nodes_values: [1, 0, 0, 2, 0, 0],
  nodes_hitrates: [100, 30, 70, 100, 50, 50],
  nodes_truenodeids: [1, 0, 0, 1, 0, 0],
  nodes_falsenodeids: [2, 0, 0, 2, 0, 0],
  nodes_missing_value_tracks_true: [0, 0, 0, 0, 0, 0],
  target_treeids: [0, 0, 7, 7],
  target_nodeids: [1, 2, 1, 2],
  target_ids: [0, 0, 0, 0],
  target_weights: [1, 2, 10, 20],
  n_targets: 1,
};

/** A TreeEnsembleRegressor of two trees, with some attributes replaced. An attribute that is undefined is left out. */
export function treeNode(changes: Readonly<Record<string, Value | undefined>> = {}): OnnxNode {
  const all = Object.entries({ ...twoTrees, ...changes });
  return {
    operator: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    name: '',
    inputs: ['x'],
    outputs: ['y'],
    attributes: new Map(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, attributeOf(value)]]))),
  };
}

function attributeOf(value: Value): OnnxAttribute {
  const none = { floats: [], integers: [], texts: [], tensors: [], graphs: [] };
  if (typeof value === 'number') return { ...none, integer: value };
  if (typeof value === 'string') return { ...none, text: value };
  const numbers = value.filter((each) => typeof each === 'number');
  return { ...none, floats: numbers, integers: numbers, texts: value.filter((each) => typeof each === 'string') };
}
