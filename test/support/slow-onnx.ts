/**
 * An ONNX graph that keeps a core busy for about a second and then gives the same probability for every output:
 * risk[n, outputs] = sigmoid(x · weights + mean((0·mean(x))·…)), where the dots are products of large matrices. What they
 * multiply depends on the input, so that no optimiser folds it at load. Protobuf wire format, numbers as in onnx.proto.
 * @param options.weights one for each column; absent: none moves the probability from one half
 */
export function slowOnnx(
  columns: number,
  outputs: number,
  options: { readonly size?: number; readonly products?: number; readonly weights?: readonly number[] } = {},
): Uint8Array {
  const { size = 1536, products = 3, weights = new Array<number>(columns).fill(0) } = options;
  const repeated = weights.flatMap((weight) => new Array<number>(outputs).fill(weight));
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
    field(5, tensor('weights', [columns, outputs], doubleType, Float64Array.from(repeated))),
    field(11, valueInfo('x', columns)),
    field(12, valueInfo('risk', outputs)),
  ]);
  return concat([varintField(1, 8), field(7, graph), field(8, varintField(2, 17))]);
}

/**
 * An ONNX graph that goes round as often as the largest number of its input says: risk[n, columns] = sigmoid of x, put
 * through a sigmoid that many times. With 1e15 it never ends.
 */
export function loopOnnx(columns: number): Uint8Array {
  const body = concat([
    field(1, node('Identity', ['go'], ['go-on'])),
    field(1, node('Sigmoid', ['before'], ['after'])),
    field(2, text('body')),
    field(11, scalarInfo('round', int64Type)),
    field(11, scalarInfo('go', boolType)),
    field(11, valueInfo('before', columns)),
    field(12, scalarInfo('go-on', boolType)),
    field(12, valueInfo('after', columns)),
  ]);
  const loop = concat([
    node('Loop', ['rounds', 'always', 'x'], ['rounded']),
    field(5, concat([field(1, text('body')), field(6, body), varintField(20, graphAttribute)])),
  ]);
  const keepNoDimensions = concat([field(1, text('keepdims')), varintField(3, 0), varintField(20, integerAttribute)]);
  const toInt64 = concat([field(1, text('to')), varintField(3, int64Type), varintField(20, integerAttribute)]);
  const graph = concat([
    field(1, concat([node('ReduceMax', ['x'], ['largest']), field(5, keepNoDimensions)])),
    field(1, concat([node('Cast', ['largest'], ['rounds']), field(5, toInt64)])),
    field(1, loop),
    field(1, node('Sigmoid', ['rounded'], ['risk'])),
    field(2, text('loop')),
    field(5, concat([varintField(2, boolType), field(8, text('always')), field(9, Uint8Array.of(1))])),
    field(11, valueInfo('x', columns)),
    field(12, valueInfo('risk', columns)),
  ]);
  return concat([varintField(1, 8), field(7, graph), field(8, varintField(2, 17))]);
}

/** A dense network of float32: `layers` hidden layers of `width`, weights from a fixed series, one risk for each row of x. */
export function denseOnnx(columns: number, width: number, layers: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let seed = 1;
  const next = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647 - 0.5;
  };
  const weights = (name: string, rows: number, size: number): Uint8Array => {
    const values = Float32Array.from({ length: rows * size }, () => next() / Math.sqrt(rows));
    return field(5, tensor(name, [rows, size], floatType, values));
  };
  let before = 'x';
  let rows = columns;
  for (let layer = 0; layer < layers; layer++) {
    parts.push(weights(`w${layer}`, rows, width));
    parts.push(field(1, node('MatMul', [before, `w${layer}`], [`product${layer}`])));
    parts.push(field(1, node('Relu', [`product${layer}`], [`layer${layer}`])));
    before = `layer${layer}`;
    rows = width;
  }
  parts.push(weights('last', rows, 1));
  parts.push(field(1, node('MatMul', [before, 'last'], ['sum'])));
  parts.push(field(1, node('Sigmoid', ['sum'], ['risk'])));
  const graph = concat([
    ...parts,
    field(2, text('dense')),
    field(11, valueInfo('x', columns, floatType)),
    field(12, valueInfo('risk', 1, floatType)),
  ]);
  return concat([varintField(1, 8), field(7, graph), field(8, varintField(2, 17))]);
}

const floatType = 1;
const boolType = 9;
const integerAttribute = 2;
const graphAttribute = 5;
const doubleType = 11;
const int64Type = 7;

function node(operator: string, inputs: readonly string[], outputs: readonly string[]): Uint8Array {
  return concat([
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(operator)),
  ]);
}

function tensor(
  name: string,
  dims: readonly number[],
  type: number,
  values: Float32Array | Float64Array | BigInt64Array,
): Uint8Array {
  const raw = new Uint8Array(values.buffer);
  return concat([...dims.map((dim) => varintField(1, dim)), varintField(2, type), field(8, text(name)), field(9, raw)]);
}

function valueInfo(name: string, columns: number, elementType: number = doubleType): Uint8Array {
  const shape = concat([field(1, field(2, text('n'))), field(1, varintField(1, columns))]);
  const type = field(1, concat([varintField(1, elementType), field(2, shape)]));
  return concat([field(1, text(name)), field(2, type)]);
}

function scalarInfo(name: string, type: number): Uint8Array {
  const scalar = concat([varintField(1, type), field(2, new Uint8Array())]);
  return concat([field(1, text(name)), field(2, field(1, scalar))]);
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
