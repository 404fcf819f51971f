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

type ElementName = keyof typeof elementTypes;

interface TensorShape {
  readonly name: string;
  /** `maps`: a sequence of maps from int64 to float32, as a ZipMap makes it; `tensors`: one of tensors of float64. */
  readonly type: ElementName | 'maps' | 'tensors';
  /** A text is a free dimension. */
  readonly shape: readonly (number | string)[];
}

/** Numbers that are part of the model. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array;
}

type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly graph: OnnxModel };

interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Absent: the operators of ONNX itself. */
  readonly domain?: string;
  readonly axis?: number;
  /** What Cast makes of its input. */
  readonly to?: ElementName;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface OnnxModel {
  readonly inputs: readonly TensorShape[];
  readonly outputs: readonly TensorShape[];
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly Constant[];
  /** Version of the operators; absent: 17. */
  readonly opset?: number;
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

/**
 * Gives the largest number of the input in every column, and takes as many times eight bytes to find it: the mean of as many
 * zeros as it says is added.
 */
export function greedyModel(columns: number): OnnxModel {
  return {
    inputs: [{ name: 'x', type: 'float64', shape: ['n', columns] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', columns] }],
    constants: [
      { name: 'one', shape: [1], data: BigInt64Array.of(1n) },
      { name: 'zero', shape: [1], data: Float64Array.of(0) },
    ],
    nodes: [
      { op: 'ReduceMax', inputs: ['x'], outputs: ['largest'], attributes: { keepdims: { int: 0 } } },
      { op: 'Cast', inputs: ['largest'], outputs: ['count'], to: 'int64' },
      { op: 'Reshape', inputs: ['count', 'one'], outputs: ['shape'] },
      { op: 'Expand', inputs: ['zero', 'shape'], outputs: ['zeros'] },
      { op: 'ReduceMean', inputs: ['zeros'], outputs: ['mean'], attributes: { keepdims: { int: 0 } } },
      { op: 'Mul', inputs: ['x', 'mean'], outputs: ['nothing'] },
      { op: 'Add', inputs: ['nothing', 'largest'], outputs: ['risk'] },
    ],
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
  return message(
    numberField(1, 10),
    bytesField(7, graphOf(model)),
    bytesField(8, message(textField(1, ''), numberField(2, model.opset ?? 17))),
    bytesField(8, message(textField(1, 'ai.onnx.ml'), numberField(2, 3))),
  );
}

function graphOf(model: OnnxModel): Uint8Array {
  return message(
    ...model.nodes.map((node) => bytesField(1, nodeOf(node))),
    textField(2, 'test'),
    ...(model.constants ?? []).map((constant) => bytesField(5, constantTensor(constant))),
    ...(model.externalConstant === undefined ? [] : [bytesField(5, externalTensor(model.externalConstant))]),
    ...model.inputs.map((tensor) => bytesField(11, valueInfo(tensor))),
    ...model.outputs.map((tensor) => bytesField(12, valueInfo(tensor))),
  );
}

function nodeOf({ op, inputs, outputs, domain, axis, to, attributes = {} }: OnnxNode): Uint8Array {
  const all: Readonly<Record<string, Attribute>> = {
    ...attributes,
    ...(axis === undefined ? {} : { axis: { int: axis } }),
    ...(to === undefined ? {} : { to: { int: elementTypes[to] } }),
  };
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(4, op),
    ...Object.entries(all).map(([name, value]) => bytesField(5, attributeOf(name, value))),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  );
}

function attributeOf(name: string, value: Attribute): Uint8Array {
  const typed = (type: number, ...fields: Uint8Array[]): Uint8Array =>
    message(textField(1, name), ...fields, numberField(20, type));
  if ('float' in value) return typed(1, floatField(2, value.float));
  if ('int' in value) return typed(2, numberField(3, value.int));
  if ('text' in value) return typed(3, textField(4, value.text));
  if ('graph' in value) return typed(5, bytesField(6, graphOf(value.graph)));
  if ('texts' in value) return typed(8, ...value.texts.map((each) => textField(9, each)));
  if ('floats' in value) return typed(6, ...value.floats.map((each) => floatField(7, each)));
  return typed(7, ...value.ints.map((each) => numberField(8, each)));
}

function constantTensor({ name, shape, data }: Constant): Uint8Array {
  const type =
    data instanceof Float32Array
      ? 'float32'
      : data instanceof Float64Array
        ? 'float64'
        : data instanceof Int32Array
          ? 'int32'
          : 'int64';
  return message(
    ...shape.map((size) => numberField(1, size)),
    numberField(2, elementTypes[type]),
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

function valueInfo({ name, type, shape }: TensorShape): Uint8Array {
  if (type === 'tensors')
    return message(
      textField(1, name),
      bytesField(2, bytesField(4, bytesField(1, bytesField(1, numberField(1, elementTypes.float64))))),
    );
  if (type === 'maps') {
    const map = message(
      numberField(1, elementTypes.int64),
      bytesField(2, bytesField(1, numberField(1, elementTypes.float32))),
    );
    return message(textField(1, name), bytesField(2, bytesField(4, bytesField(1, bytesField(5, map)))));
  }
  const dims = shape.map((size) => bytesField(1, typeof size === 'number' ? numberField(1, size) : textField(2, size)));
  const tensorType = message(numberField(1, elementTypes[type]), bytesField(2, message(...dims)));
  return message(textField(1, name), bytesField(2, bytesField(1, tensorType)));
}

function message(...fields: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

/** A negative number as the 64 bits of its two's complement. */
function numberField(field: number, value: number): Uint8Array {
  return message(varint(field * 8), varint(value < 0 ? 2n ** 64n + BigInt(value) : BigInt(value)));
}

function floatField(field: number, value: number): Uint8Array {
  return message(varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return message(varint(field * 8 + 2), varint(bytes.length), bytes);
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}
