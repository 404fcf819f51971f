import type { Tensors } from '../../model-catalog/tensor.ts';

/**
 * A small graph whose numbers are computed here too: a convolution of a 4×4 picture with two 3×3 kernels, and a product of
 * the eight results with an 8×3 matrix. Its weights have all the bits of a float32, so that a device that rounds its
 * inputs is found out; nothing of it can be computed before the input is there.
 */

const size = 4;
const kernel = 3;
const channels = 2;
const field = size - kernel + 1;
const flat = channels * field * field;
const columns = 3;

const picture = weights(size * size, 0.5);
const kernels = weights(channels * kernel * kernel, 1);
const bias = weights(channels, 2);
const matrix = weights(flat * columns, 3);

export const probeFeeds: Tensors = new Map([['x', { type: 'float32', dims: [1, 1, size, size], data: picture }]]);

/** What the graph gives for `probeFeeds`, in double precision and rounded once. */
export function probeExpected(): Tensors {
  const convolved: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < field; row++) {
      for (let column = 0; column < field; column++) {
        let sum = at(bias, channel);
        for (let i = 0; i < kernel; i++) {
          for (let j = 0; j < kernel; j++) {
            sum += at(kernels, (channel * kernel + i) * kernel + j) * at(picture, (row + i) * size + column + j);
          }
        }
        convolved.push(sum);
      }
    }
  }
  const product = Float32Array.from({ length: columns }, (_, column) =>
    convolved.reduce((sum, value, row) => sum + value * at(matrix, row * columns + column), 0),
  );
  return new Map([['y', { type: 'float32', dims: [1, columns], data: product }]]);
}

function at(values: Float32Array, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`The probe has no weight ${index}.`);
  return value;
}

function weights(count: number, phase: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + phase));
}

/** The graph as the bytes of an ONNX model. Field numbers are those of onnx.proto. @see https://onnx.ai/onnx/repo-docs/IR.html */
export function probeGraph(): Uint8Array {
  const nodes = [
    node('Conv', ['x', 'kernels', 'bias'], 'convolved'),
    node('Flatten', ['convolved'], 'flat'),
    node('MatMul', ['flat', 'matrix'], 'y'),
  ];
  const initializers = [
    tensor('kernels', [channels, 1, kernel, kernel], kernels),
    tensor('bias', [channels], bias),
    tensor('matrix', [flat, columns], matrix),
  ];
  const graph = message(
    ...nodes.map((each) => bytesField(1, each)),
    textField(2, 'probe'),
    ...initializers.map((each) => bytesField(5, each)),
    bytesField(11, valueInfo('x', [1, 1, size, size])),
    bytesField(12, valueInfo('y', [1, columns])),
  );
  const opset = message(textField(1, ''), numberField(2, 17));
  return message(numberField(1, 8), bytesField(7, graph), bytesField(8, opset));
}

const float32 = 1;

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(...inputs.map((name) => textField(1, name)), textField(2, output), textField(4, operator));
}

function tensor(name: string, dims: readonly number[], data: Float32Array): Uint8Array {
  const raw = Buffer.alloc(data.length * 4);
  for (const [index, value] of data.entries()) raw.writeFloatLE(value, index * 4);
  return message(
    ...dims.map((dim) => numberField(1, dim)),
    numberField(2, float32),
    textField(8, name),
    bytesField(9, raw),
  );
}

function valueInfo(name: string, dims: readonly number[]): Uint8Array {
  const shape = message(...dims.map((dim) => bytesField(1, numberField(1, dim))));
  return message(
    textField(1, name),
    bytesField(2, bytesField(1, message(numberField(1, float32), bytesField(2, shape)))),
  );
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

function numberField(field: number, value: number): Uint8Array {
  return message(varint(field * 8), varint(value));
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return message(varint(field * 8 + 2), varint(bytes.length), bytes);
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
