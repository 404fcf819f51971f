import type { Constant, OnnxModel } from './onnx-model.ts';
import { seededRandom } from './seeded-random.ts';

/** The sigmoid of the mean of all numbers of a volume: planes × rows × columns. */
export function meanOfVolume(planes: number, rows: number, columns: number): OnnxModel {
  return {
    inputs: [{ name: 'volume', type: 'float32', shape: ['n', planes, rows, columns] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n', 1] }],
    constants: [
      { name: 'weights', shape: [planes, 1], data: new Float32Array(planes).fill(1 / planes) },
      { name: 'bias', shape: [1], data: Float32Array.of(0) },
    ],
    nodes: [
      { op: 'GlobalAveragePool', inputs: ['volume'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
      { op: 'Gemm', inputs: ['means', 'weights', 'bias'], outputs: ['mean'] },
      { op: 'Sigmoid', inputs: ['mean'], outputs: ['y'] },
    ],
  };
}

/** Weights between -1 and 1, the same for the same name. */
function weights(name: string, ...shape: number[]): Constant {
  const random = seededRandom([...name].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7) % 2 ** 31);
  const count = shape.reduce((product, size) => product * size, 1);
  const scale = 2 / Math.sqrt(shape[0] ?? 1);
  return { name, shape, data: Float32Array.from({ length: count }, () => scale * (random() - 0.5)) };
}

/** x[n, columns] → risk[n, outputs], float32. */
function rowsModel(columns: number, outputs: number, rest: Omit<OnnxModel, 'inputs' | 'outputs'>): OnnxModel {
  return {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', columns] }],
    outputs: [{ name: 'risk', type: 'float32', shape: ['n', outputs] }],
    ...rest,
  };
}

/** Two layers of `width` with a rectifier, and a sigmoid. */
export function denseNetwork(columns: number, width: number, outputs: number): OnnxModel {
  return rowsModel(columns, outputs, {
    constants: [
      weights('w1', columns, width),
      weights('b1', width),
      weights('w2', width, width),
      weights('w3', width, outputs),
    ],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['m1'] },
      { op: 'Add', inputs: ['m1', 'b1'], outputs: ['a1'] },
      { op: 'Relu', inputs: ['a1'], outputs: ['h1'] },
      { op: 'MatMul', inputs: ['h1', 'w2'], outputs: ['m2'] },
      { op: 'Relu', inputs: ['m2'], outputs: ['h2'] },
      { op: 'MatMul', inputs: ['h2', 'w3'], outputs: ['m3'] },
      { op: 'Sigmoid', inputs: ['m3'], outputs: ['risk'] },
    ],
  });
}

/** One operator on every number. */
export function elementwise(op: string, columns: number): OnnxModel {
  return rowsModel(columns, columns, { nodes: [{ op, inputs: ['x'], outputs: ['risk'] }] });
}

/** Each row less its own mean, by its own spread, weighted: what LayerNormalization does, in parts. */
export function ownMeans(columns: number): OnnxModel {
  return rowsModel(columns, 1, {
    constants: [weights('w', columns, 1)],
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { axes: { ints: [1] } } },
      { op: 'Sub', inputs: ['x', 'mean'], outputs: ['centred'] },
      { op: 'Mul', inputs: ['centred', 'centred'], outputs: ['square'] },
      { op: 'ReduceMean', inputs: ['square'], outputs: ['variance'], attributes: { axes: { ints: [1] } } },
      { op: 'Sqrt', inputs: ['variance'], outputs: ['spread'] },
      { op: 'Div', inputs: ['centred', 'spread'], outputs: ['scaled'] },
      { op: 'MatMul', inputs: ['scaled', 'w'], outputs: ['sum'] },
      { op: 'Sigmoid', inputs: ['sum'], outputs: ['risk'] },
    ],
  });
}

/** Each row less the mean of all that run with it: the harm itself. */
export function meansOfAll(columns: number): OnnxModel {
  return rowsModel(columns, columns, {
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { axes: { ints: [0] } } },
      { op: 'Sub', inputs: ['x', 'mean'], outputs: ['centred'] },
      { op: 'Sigmoid', inputs: ['centred'], outputs: ['risk'] },
    ],
  });
}

/** A softmax over the rows in place of the columns. */
export function softmaxOverRows(columns: number): OnnxModel {
  return rowsModel(columns, columns, { nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['risk'], axis: 0 }] });
}

/** Quantised while it runs: the steps depend on the least and the largest number of all rows. */
export function quantisedNetwork(columns: number): OnnxModel {
  return rowsModel(columns, columns, {
    nodes: [
      { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'scale', 'zero'] },
      { op: 'DequantizeLinear', inputs: ['q', 'scale', 'zero'], outputs: ['near'] },
      { op: 'Sigmoid', inputs: ['near'], outputs: ['risk'] },
    ],
  });
}

/** A linear classifier of scikit-learn, with or without the ZipMap that makes maps of its probabilities. */
export function linearClassifier(columns: number, classes: readonly number[], zipMap = false): OnnxModel {
  const coefficients = [...weights('coefficients', classes.length * columns).data].map(Number);
  return {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', columns] }],
    outputs: [
      { name: 'label', type: 'int64', shape: ['n'] },
      { name: 'risk', type: zipMap ? 'maps' : 'float32', shape: zipMap ? [] : ['n', classes.length] },
    ],
    nodes: [
      {
        op: 'LinearClassifier',
        domain: 'ai.onnx.ml',
        inputs: ['x'],
        outputs: ['label', 'scores'],
        attributes: {
          classlabels_ints: { ints: classes },
          coefficients: { floats: coefficients.map((each) => 10 * each) },
          intercepts: { floats: classes.map((_, index) => 0.1 * index) },
          multi_class: { int: 1 },
          post_transform: { text: 'SOFTMAX' },
        },
      },
      {
        op: 'Normalizer',
        domain: 'ai.onnx.ml',
        inputs: ['scores'],
        outputs: [zipMap ? 'probabilities' : 'risk'],
        attributes: { norm: { text: 'L1' } },
      },
      ...(zipMap
        ? [
            {
              op: 'ZipMap',
              domain: 'ai.onnx.ml',
              inputs: ['probabilities'],
              outputs: ['risk'],
              attributes: { classlabels_int64s: { ints: classes } },
            },
          ]
        : []),
    ],
  };
}

/** Recurrent over `steps` of `features`, which lie in the columns of a row one after the other. */
export function recurrentNetwork(op: 'LSTM' | 'GRU', steps: number, features: number, hidden: number): OnnxModel {
  const gates = op === 'LSTM' ? 4 : 3;
  return rowsModel(steps * features, 1, {
    constants: [
      { name: 'shape', shape: [3], data: BigInt64Array.of(-1n, BigInt(steps), BigInt(features)) },
      { name: 'last', shape: [1], data: BigInt64Array.of(0n) },
      weights('w', 1, gates * hidden, features),
      weights('r', 1, gates * hidden, hidden),
      weights('out', hidden, 1),
    ],
    nodes: [
      { op: 'Reshape', inputs: ['x', 'shape'], outputs: ['sequence'] },
      {
        op: 'Transpose',
        inputs: ['sequence'],
        outputs: ['by-step'],
        attributes: { perm: { ints: [1, 0, 2] } },
      },
      {
        op,
        inputs: ['by-step', 'w', 'r'],
        outputs: ['', 'hidden'],
        attributes: { hidden_size: { int: hidden } },
      },
      { op: 'Squeeze', inputs: ['hidden', 'last'], outputs: ['state'] },
      { op: 'MatMul', inputs: ['state', 'out'], outputs: ['sum'] },
      { op: 'Sigmoid', inputs: ['sum'], outputs: ['risk'] },
    ],
  });
}

/** A number from 0 that names one of `classes` learnt vectors: any other number fails. */
export function embeddingNetwork(classes: number, width: number): OnnxModel {
  return rowsModel(1, width, {
    constants: [{ name: 'last', shape: [1], data: BigInt64Array.of(1n) }, weights('table', classes, width)],
    nodes: [
      { op: 'Squeeze', inputs: ['x', 'last'], outputs: ['flat'] },
      { op: 'Cast', inputs: ['flat'], outputs: ['index'], to: 'int64' },
      { op: 'Gather', inputs: ['table', 'index'], outputs: ['vector'] },
      { op: 'Sigmoid', inputs: ['vector'], outputs: ['risk'] },
    ],
  });
}
