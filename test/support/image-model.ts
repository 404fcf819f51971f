import type { GoldenFileText } from '../../src/model-catalog/golden-case-schema.ts';
import { frontalRadiograph } from './image-map.ts';
import { copyModel, type ModelFolder } from './model-folder.ts';
import { type OnnxModel, onnxBytes } from './onnx-model.ts';

/**
 * A small network of an image and a number: one convolution, the mean of each of its two channels, and the age, weighed
 * together. Its weights are made up; it says nothing about anybody.
 */
export function imageNetwork(rows: number, columns: number): OnnxModel {
  return {
    inputs: [
      { name: 'pixels', type: 'float32', shape: ['n', 1, rows, columns] },
      { name: 'clinical', type: 'float32', shape: ['n', 1] },
    ],
    outputs: [{ name: 'risk', type: 'float32', shape: ['n', 1] }],
    constants: [
      { name: 'kernels', shape: [2, 1, 3, 3], data: Float32Array.from([...edge, ...blur]) },
      { name: 'weights', shape: [3, 1], data: Float32Array.of(4, 2, 0.02) },
      { name: 'bias', shape: [1], data: Float32Array.of(-2) },
    ],
    nodes: [
      {
        op: 'Conv',
        inputs: ['pixels', 'kernels'],
        outputs: ['convolved'],
        attributes: { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } },
      },
      { op: 'Relu', inputs: ['convolved'], outputs: ['lit'] },
      { op: 'GlobalAveragePool', inputs: ['lit'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
      { op: 'Concat', inputs: ['means', 'clinical'], outputs: ['all'], axis: 1 },
      { op: 'Gemm', inputs: ['all', 'weights', 'bias'], outputs: ['logit'] },
      { op: 'Sigmoid', inputs: ['logit'], outputs: ['risk'] },
    ],
  };
}

const edge = [0, -1, 0, -1, 4, -1, 0, -1, 0];
const blur = Array.from({ length: 9 }, () => 1 / 9);

/** What `imageNetwork` gives, worked out in doubles. */
export function imageRisk(pixels: Float32Array, [rows, columns]: readonly [number, number], age: number): number {
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : (pixels[row * columns + column] ?? Number.NaN);
  const mean = (kernel: readonly number[]): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const value = kernel.reduce(
          (total, weight, index) => total + weight * at(row + Math.floor(index / 3) - 1, column + (index % 3) - 1),
          0,
        );
        sum += Math.max(0, value);
      }
    return sum / (rows * columns);
  };
  return 1 / (1 + Math.exp(2 - 4 * mean(edge) - 2 * mean(blur) - 0.02 * age));
}

/** `numpy.save` of float32, in version 1 of the format. */
export function npyBytes(shape: readonly number[], data: Float32Array, changes: Readonly<Record<string, string>> = {}) {
  const form = { descr: "'<f4'", fortran_order: 'False', shape: `(${shape.map((size) => `${size},`).join(' ')})` };
  const dictionary = Object.entries({ ...form, ...changes })
    .map(([key, value]) => `'${key}': ${value}, `)
    .join('');
  const header = `{${dictionary}}`.padEnd(128 - 11, ' ');
  const head = Buffer.alloc(10);
  head.write('\u0093NUMPY\u0001\u0000', 'latin1');
  head.writeUInt16LE(header.length + 1, 8);
  return Buffer.concat([head, Buffer.from(`${header}\n`), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Eight by eight pixels: dark, and a chessboard. */
export const dark = new Float32Array(64).fill(0.125);
export const chessboard = Float32Array.from({ length: 64 }, (_, at) => (at + Math.floor(at / 8)) % 2);

/** A folder of `imageNetwork` for eight by eight pixels, with golden cases whose images lie in `.npy` files. */
export async function imageModelFolder(golden: GoldenFileText = goldenOfImages): Promise<ModelFolder> {
  const folder = await copyModel('pce-2013');
  await folder.write('model.onnx', onnxBytes(imageNetwork(8, 8)));
  await folder.write('feature-map.json', JSON.stringify(imageMap));
  await folder.edit('manifest.json', (json) => {
    delete json.cdsHooks;
    delete json.directions;
    json.tensors = {
      inputs: [
        { name: 'pixels', type: 'float32', shape: [1, 8, 8], image: 'frontal' },
        { name: 'clinical', type: 'float32', columns: [{ feature: 'age' }] },
      ],
      output: { name: 'risk', type: 'float32', columns: 1 },
    };
    const [outcome] = json.outcomes;
    json.outcomes = [{ ...outcome, id: 'finding', label: 'Finding', column: 0 }];
    delete json.outcomes[0].bands;
    json.explanation = { method: 'occlusion', reference: { age: 50 }, because: 'test' };
  });
  await folder.edit('model-card.json', (json) => {
    json.inputs = ['frontal', 'age'].map((feature) => ({ ...json.inputs[0], feature }));
    json.outputs = [{ ...json.outputs[0], outcome: 'finding' }];
    json.codeLists = [];
    json.performance = [];
    json.fairness.sensitiveInputs = ['age'];
  });
  await folder.remove('golden');
  await folder.write('golden/test.json', JSON.stringify(golden));
  await folder.write('golden/dark.npy', npyBytes([1, 8, 8], dark));
  await folder.write('golden/chessboard.npy', npyBytes([1, 8, 8], chessboard));
  await folder.seal();
  return folder;
}

const steps = frontalRadiograph([8, 8]).preprocess.slice(0, -1);
export const imageMap = {
  language: 1,
  features: {
    frontal: {
      ...frontalRadiograph([8, 8]),
      preprocess: [...steps, { step: 'channels', as: 'gray', place: 'first' }],
    },
    age: { kind: 'demographics', label: 'Age', element: 'age', unit: 'a' },
  },
  population: { exclude: [], require: [], ranges: [] },
} as const;

const caseOf = (name: string, npy: string, age: number, pixels: Float32Array) => ({
  name,
  inputs: { frontal: { npy }, age },
  expected: { finding: imageRisk(pixels, [8, 8], age) },
  tolerance: 1e-6,
});
export const goldenOfImages: GoldenFileText = {
  source: 'worked out in doubles',
  cases: [caseOf('dark', 'dark.npy', 40, dark), caseOf('chessboard', 'chessboard.npy', 70, chessboard)],
};
