/**
 * Writes small ONNX models, good and bad, without any ONNX library: just the protobuf fields that are needed
 * (numbers as in onnx.proto).
 */

const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

interface TensorShape {
  readonly name: string;
  readonly type: keyof typeof elementTypes;
  /** A text is a free dimension. */
  readonly shape: readonly (number | string)[];
}

interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly axis?: number;
  /** What Cast makes of its input. */
  readonly to?: keyof typeof elementTypes;
}

export interface OnnxModel {
  readonly inputs: readonly TensorShape[];
  readonly outputs: readonly TensorShape[];
  readonly nodes: readonly OnnxNode[];
  /** Weights, in row-major order. */
  readonly weights?: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly data: Float32Array;
  }[];
  /** Names a file below the working directory that holds a float64 constant of one element. */
  readonly externalConstant?: { readonly name: string; readonly location: string };
}

/** Sigmoid of one input tensor, the least model that gives probabilities. */
export function sigmoidModel(type: 'float32' | 'float64', columns: number, rows: number | string = 'n'): OnnxModel {
  return {
    inputs: [{ name: 'x', type, shape: [rows, columns] }],
    outputs: [{ name: 'risk', type, shape: [rows, columns] }],
    nodes: [{ op: 'Sigmoid', inputs: ['x'], outputs: ['risk'] }],
  };
}

/** Sigmoid of 1 where the input is NaN, and of 0 where it is a number: 0.731 and 0.5. */
export function missingnessModel(columns: number): OnnxModel {
  return {
    inputs: [{ name: 'x', type: 'float64', shape: ['n', columns] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', columns] }],
    nodes: [
      { op: 'IsNaN', inputs: ['x'], outputs: ['missing'] },
      { op: 'Cast', inputs: ['missing'], outputs: ['indicator'], to: 'float64' },
      { op: 'Sigmoid', inputs: ['indicator'], outputs: ['risk'] },
    ],
  };
}

export function onnxBytes(model: OnnxModel): Uint8Array {
  const graph = message(
    ...model.nodes.map((node) =>
      bytesField(
        1,
        message(
          ...node.inputs.map((name) => textField(1, name)),
          ...node.outputs.map((name) => textField(2, name)),
          textField(4, node.op),
          ...(node.axis === undefined ? [] : [bytesField(5, integerAttribute('axis', node.axis))]),
          ...(node.to === undefined ? [] : [bytesField(5, integerAttribute('to', elementTypes[node.to]))]),
        ),
      ),
    ),
    textField(2, 'test'),
    ...(model.weights ?? []).map((weights) => bytesField(5, weightTensor(weights))),
    ...(model.externalConstant === undefined ? [] : [bytesField(5, externalTensor(model.externalConstant))]),
    ...model.inputs.map((tensor) => bytesField(11, valueInfo(tensor))),
    ...model.outputs.map((tensor) => bytesField(12, valueInfo(tensor))),
  );
  return message(
    numberField(1, 10),
    bytesField(7, graph),
    bytesField(8, message(textField(1, ''), numberField(2, 17))),
  );
}

function weightTensor({ name, dims, data }: NonNullable<OnnxModel['weights']>[number]): Uint8Array {
  return message(
    ...dims.map((size) => numberField(1, size)),
    numberField(2, elementTypes.float32),
    textField(8, name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function externalTensor({ name, location }: { name: string; location: string }): Uint8Array {
  const entry = message(textField(1, 'location'), textField(2, location));
  return message(
    numberField(1, 1),
    numberField(2, elementTypes.float64),
    textField(8, name),
    bytesField(13, entry),
    numberField(14, 1),
  );
}

function integerAttribute(name: string, value: number): Uint8Array {
  return message(textField(1, name), numberField(3, value), numberField(20, 2));
}

function valueInfo({ name, type, shape }: TensorShape): Uint8Array {
  const dims = shape.map((size) => bytesField(1, typeof size === 'number' ? numberField(1, size) : textField(2, size)));
  const tensorType = message(numberField(1, elementTypes[type]), bytesField(2, message(...dims)));
  return message(textField(1, name), bytesField(2, bytesField(1, tensorType)));
}

function message(...fields: Uint8Array[]): Uint8Array {
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
