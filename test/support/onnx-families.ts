import type { OnnxModel } from './onnx-model.ts';

const ml = 'ai.onnx.ml';

/** One input [n, 1] for each column, of several types, as skl2onnx declares them; what they say added up to `sum`. */
export const namedInputs: OnnxModel = {
  inputs: [
    { name: 'age', type: 'float32', shape: ['n', 1] },
    { name: 'visits', type: 'int64', shape: ['n', 1] },
    { name: 'beds', type: 'int32', shape: ['n', 1] },
    { name: 'smoker', type: 'bool', shape: ['n', 1] },
    { name: 'sex', type: 'string', shape: ['n', 1] },
  ],
  outputs: [{ name: 'sum', type: 'float32', shape: ['n', 1] }],
  nodes: [
    { op: 'Cast', inputs: ['visits'], outputs: ['v'], to: 'float32' },
    { op: 'Cast', inputs: ['beds'], outputs: ['b'], to: 'float32' },
    { op: 'Cast', inputs: ['smoker'], outputs: ['s'], to: 'float32' },
    {
      op: 'LabelEncoder',
      domain: ml,
      inputs: ['sex'],
      outputs: ['x'],
      attributes: {
        keys_strings: { texts: ['female', 'männlich'] },
        values_floats: { floats: [1000, 2000] },
        default_float: { float: -1 },
      },
    },
    { op: 'Sum', inputs: ['age', 'v', 'b', 's', 'x'], outputs: ['sum'] },
  ],
};

/** How a text is spelt decides its number: 3 for `pain`, 1 for `fever`, 0 for any other. Rows have no second size. */
export const textModel: OnnxModel = {
  inputs: [{ name: 'note', type: 'string', shape: ['n'] }],
  outputs: [{ name: 'urgency', type: 'float32', shape: ['n'] }],
  nodes: [
    {
      op: 'LabelEncoder',
      domain: ml,
      inputs: ['note'],
      outputs: ['urgency'],
      attributes: {
        keys_strings: { texts: ['pain', 'fever'] },
        values_floats: { floats: [3, 1] },
        default_float: { float: 0 },
      },
    },
  ],
};

/** A sequence [n, steps, features], and a mask [n, steps] of it: the numbers of each step weighted by its mask, added up. */
export function maskedSequence(steps: number, features: number): OnnxModel {
  return {
    inputs: [
      { name: 'sequence', type: 'float32', shape: ['n', steps, features] },
      { name: 'mask', type: 'float32', shape: ['n', steps] },
    ],
    outputs: [{ name: 'sums', type: 'float32', shape: ['n', features] }],
    constants: [
      { name: 'last', shape: [1], data: BigInt64Array.of(2n) },
      { name: 'steps', shape: [1], data: BigInt64Array.of(1n) },
    ],
    nodes: [
      { op: 'Unsqueeze', inputs: ['mask', 'last'], outputs: ['weights'] },
      { op: 'Mul', inputs: ['sequence', 'weights'], outputs: ['weighted'] },
      {
        op: 'ReduceSum',
        inputs: ['weighted', 'steps'],
        outputs: ['sums'],
        attributes: { keepdims: { int: 0 } },
      },
    ],
  };
}

/** x[n, 2] of float64 as it is, its sum above zero as a bool [n], as a whole number, and as a text. */
export const severalOutputs: OnnxModel = {
  inputs: [{ name: 'x', type: 'float64', shape: ['n', 2] }],
  outputs: [
    { name: 'same', type: 'float64', shape: ['n', 2] },
    { name: 'above', type: 'bool', shape: ['n', 1] },
    { name: 'count', type: 'int64', shape: ['n', 1] },
    { name: 'word', type: 'string', shape: ['n', 1] },
  ],
  constants: [
    { name: 'last', shape: [1], data: BigInt64Array.of(1n) },
    { name: 'zero', shape: [1], data: Float64Array.of(0) },
  ],
  nodes: [
    { op: 'Identity', inputs: ['x'], outputs: ['same'] },
    { op: 'ReduceSum', inputs: ['x', 'last'], outputs: ['total'] },
    { op: 'Greater', inputs: ['total', 'zero'], outputs: ['above'] },
    { op: 'Cast', inputs: ['above'], outputs: ['count'], to: 'int64' },
    {
      op: 'LabelEncoder',
      domain: ml,
      inputs: ['count'],
      outputs: ['word'],
      attributes: {
        keys_int64s: { ints: [0, 1] },
        values_strings: { texts: ['benign', 'malignant'] },
        default_string: { text: '?' },
      },
    },
  ],
};
