/**
 * Tensors as they go in and out of models, of every element type that ONNX Runtime takes in Node.
 * @see https://onnx.ai/onnx/repo-docs/IR.html#tensor-element-types
 */

/** What the elements of each type are kept in: float16 as the bits of IEEE 754 binary16, bool as 0 and 1. */
const arrays = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export type NumericType = keyof typeof arrays;
export type ElementType = NumericType | 'string';
export type NumericData = InstanceType<(typeof arrays)[NumericType]>;

export const numericTypes = Object.keys(arrays) as readonly NumericType[];
export const elementTypes: readonly ElementType[] = [...numericTypes, 'string'];

/** Elements in row-major order; `dims` are whole numbers from 0, whose product is their count. A scalar has no dims. */
export type Tensor =
  | { readonly type: NumericType; readonly dims: readonly number[]; readonly data: NumericData }
  | { readonly type: 'string'; readonly dims: readonly number[]; readonly data: readonly string[] };

/** Tensors by the names of a graph's inputs or outputs. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** What a graph declares of one of its inputs or outputs. */
export interface TensorForm {
  readonly name: string;
  readonly type: ElementType;
  /** null where the size is free. */
  readonly shape: readonly (number | null)[];
}

/** Zeros for `count` elements. */
export function numericData(type: NumericType, count: number): NumericData {
  return new arrays[type](count);
}

/** How many elements a tensor of these dims has; 1 for none. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** What is wrong with a tensor in itself: the kind of its data, a size that is none, a count that is not theirs; undefined for nothing. */
export function tensorFault({ type, dims, data }: Tensor): string | undefined {
  const bad = dims.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (bad !== undefined) return `has the size ${bad}; allowed are whole numbers from 0`;
  const fits = type === 'string' ? Array.isArray(data) : data instanceof arrays[type];
  if (!fits) return `does not keep its elements as ${type}`;
  if (data.length !== elementCount(dims))
    return `has ${data.length} elements; the shape [${dims.join(', ')}] has ${elementCount(dims)}`;
  return undefined;
}

/** What of a tensor is not as the graph declares it: its type, its rank, or a size that is not free; undefined for nothing. */
export function formMisfit({ type, dims }: Tensor, form: TensorForm): string | undefined {
  if (type !== form.type) return `has type ${type}; declared is ${form.type}`;
  const fits =
    dims.length === form.shape.length && form.shape.every((size, index) => size === null || size === dims[index]);
  return fits ? undefined : `has shape ${shapeText(dims)}; declared is ${shapeText(form.shape)}`;
}

/** `[2, 3]`; a free size is a question mark. */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}
