/**
 * An ONNX graph that keeps a core busy for about a second and then gives a probability of one half for every output:
 * risk[n, outputs] = sigmoid(x · 0 + mean((0·mean(x))·…)), where the dots are products of large matrices. What they
 * multiply depends on the input, so that no optimiser folds it at load. Protobuf wire format, numbers as in onnx.proto.
 */
export function slowOnnx(
  columns: number,
  outputs: number,
  options: { readonly size?: number; readonly products?: number } = {},
): Uint8Array {
  const { size = 1536, products = 3 } = options;
  const chain = Array.from({ length: products }, (_, index) => node('MatMul', [`m${index}`, 'm0'], [`m${index + 1}`]));
  const graph = concat([
    ...[
      node('ReduceMean', ['x'], ['mean']),
      node('Mul', ['mean', 'zero'], ['nothing']),
      node('Expand', ['nothing', 'square'], ['m0']),
      ...chain,
      node('ReduceMean', [`m${products}`], ['still-nothing']),
      node('MatMul', ['x', 'weights'], ['product']),
      node('Add', ['product', 'still-nothing'], ['sum']),
      node('Sigmoid', ['sum'], ['risk']),
    ].map((bytes) => field(1, bytes)),
    field(2, text('slow')),
    field(5, tensor('zero', [1, 1], doubleType, new Float64Array(1))),
    field(5, tensor('square', [2], int64Type, BigInt64Array.of(BigInt(size), BigInt(size)))),
    field(5, tensor('weights', [columns, outputs], doubleType, new Float64Array(columns * outputs))),
    field(11, valueInfo('x', columns)),
    field(12, valueInfo('risk', outputs)),
  ]);
  return concat([varintField(1, 8), field(7, graph), field(8, varintField(2, 17))]);
}

const doubleType = 11;
const int64Type = 7;

function node(operator: string, inputs: readonly string[], outputs: readonly string[]): Uint8Array {
  return concat([
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(operator)),
  ]);
}

function tensor(name: string, dims: readonly number[], type: number, values: Float64Array | BigInt64Array): Uint8Array {
  const raw = new Uint8Array(values.buffer);
  return concat([...dims.map((dim) => varintField(1, dim)), varintField(2, type), field(8, text(name)), field(9, raw)]);
}

function valueInfo(name: string, columns: number): Uint8Array {
  const shape = concat([field(1, field(2, text('n'))), field(1, varintField(1, columns))]);
  const type = field(1, concat([varintField(1, doubleType), field(2, shape)]));
  return concat([field(1, text(name)), field(2, type)]);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varintField(number: number, value: number): Uint8Array {
  return concat([varint(number << 3), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
