import type { DeviceCandidate } from '../../src/inference/devices/choose-device.ts';
import type { EngineModel } from '../../src/inference/inference-engine.ts';
import type { Tensors } from '../../src/model-catalog/tensor.ts';
import { onnxBytes } from './onnx-model.ts';

/** Numbers that look like none: from −1 to 1, the same for the same seed. */
export function scattered(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898 + seed * 78.233));
}

const weights = (name: string, dims: readonly number[], seed: number) => {
  const inputs = dims.slice(dims.length === 4 ? 1 : 0, dims.length === 4 ? 4 : 1).reduce((a, b) => a * b, 1);
  const data = scattered(
    dims.reduce((a, b) => a * b, 1),
    seed,
  );
  // Scaled as networks are, so that no layer saturates.
  return { name, shape: dims, data: data.map((value) => value / Math.sqrt(inputs)) };
};

const matrixFeeds = (rows: number, columns: number, seed: number): Tensors =>
  new Map([['x', { type: 'float32', dims: [rows, columns], data: scattered(rows * columns, seed) }]]);

/** Two layers with ReLU between, and a softmax over four classes. */
export function denseGraph(): DeviceCandidate {
  const artefact = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 20] }],
    outputs: [{ name: 'risk', type: 'float32', shape: ['n', 4] }],
    constants: [weights('w1', [20, 32], 1), weights('b1', [32], 2), weights('w2', [32, 4], 3)],
    nodes: [
      { op: 'Gemm', inputs: ['x', 'w1', 'b1'], outputs: ['h1'] },
      { op: 'Relu', inputs: ['h1'], outputs: ['a1'] },
      { op: 'MatMul', inputs: ['a1', 'w2'], outputs: ['h2'] },
      { op: 'Softmax', inputs: ['h2'], outputs: ['risk'] },
    ],
  });
  return { key: 'dense@1.0.0', artefact, feeds: [matrixFeeds(17, 20, 7)], rows: 17, wanted: ['risk'] };
}

/** A logistic regression with what a manifest declares: little to compile for a device, whose shaders depend on the rows. */
export function logisticModel(): EngineModel {
  const artefact = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 5] }],
    outputs: [{ name: 'risk', type: 'float32', shape: ['n', 1] }],
    constants: [weights('w', [5, 1], 1)],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Sigmoid', inputs: ['h'], outputs: ['risk'] },
    ],
  });
  return {
    key: 'logistic@1.0.0',
    artefact,
    inputs: [{ name: 'x', type: 'float32', columns: 5 }],
    outputs: [{ name: 'risk', type: 'float32', columns: 1 }],
  };
}

/** A convolution of a picture of three channels, an average over it, and a dense layer. */
export function convolutionalGraph(): DeviceCandidate {
  const side = 8;
  const artefact = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: [1, 3, side, side] }],
    outputs: [{ name: 'risk', type: 'float32', shape: [1, 2] }],
    constants: [weights('k1', [8, 3, 3, 3], 1), weights('b1', [8], 2), weights('w', [8, 2], 4)],
    nodes: [
      { op: 'Conv', inputs: ['x', 'k1', 'b1'], outputs: ['c1'] },
      { op: 'Relu', inputs: ['c1'], outputs: ['a1'] },
      { op: 'GlobalAveragePool', inputs: ['a1'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'] },
      { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['h'] },
      { op: 'Sigmoid', inputs: ['h'], outputs: ['risk'] },
    ],
  });
  const picture: Tensors = new Map([
    ['x', { type: 'float32', dims: [1, 3, side, side], data: scattered(3 * side * side, 5) }],
  ]);
  return { key: 'convolutional@1.0.0', artefact, feeds: [picture], rows: 1, wanted: ['risk'] };
}

/** A dense layer whose end is in double precision, which no GPU is given. */
export function mixedGraph(): DeviceCandidate {
  const artefact = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 3] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', 2] }],
    constants: [weights('w', [3, 2], 1)],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Cast', inputs: ['h'], outputs: ['d'], to: 'float64' },
      { op: 'Sigmoid', inputs: ['d'], outputs: ['risk'] },
    ],
  });
  return { key: 'mixed@1.0.0', artefact, feeds: [matrixFeeds(5, 3, 2)], rows: 5, wanted: ['risk'] };
}

/** One operator between a float32 input of one column and a logistic function. */
export function oneOperatorGraph(op: string, values: readonly number[]): DeviceCandidate {
  const artefact = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 1] }],
    outputs: [{ name: 'risk', type: 'float32', shape: ['n', 1] }],
    nodes: [
      { op, inputs: ['x'], outputs: ['y'] },
      { op: 'Sigmoid', inputs: ['y'], outputs: ['risk'] },
    ],
  });
  const feeds: Tensors = new Map([
    ['x', { type: 'float32', dims: [values.length, 1], data: Float32Array.from(values) }],
  ]);
  return { key: `${op.toLowerCase()}@1.0.0`, artefact, feeds: [feeds], rows: values.length, wanted: ['risk'] };
}
