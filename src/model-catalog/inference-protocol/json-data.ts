import { float16OfNumber, numberOfFloat16 } from '../float16.ts';
import { elementCount, type NumericData, type NumericType, numericData, shapeText, type Tensor } from '../tensor.ts';
import { datatypeOf } from './datatype.ts';
import { NumberText } from './exact-json.ts';

/** The least and the greatest whole number of each type. */
const ranges: Partial<Readonly<Record<NumericType, readonly [bigint, bigint]>>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * A tensor from the `data` of JSON, which is row-major: flat, or nested exactly as the shape says.
 * Whole numbers are taken digit for digit (see parseExactJson), FP16 and FP32 are the nearest of their kind.
 * Throws SyntaxError with what is wrong, as the rest of a sentence about the tensor; elements are named by their place, never
 * by their value.
 */
export function readJsonData(type: Tensor['type'], dims: readonly number[], data: unknown): Tensor {
  const values = flatten(data, dims);
  if (type === 'string') return { type, dims, data: values.map(textOf) };
  const read = numericData(type, values.length);
  const set = setterOf(type, read);
  for (const [index, value] of values.entries()) set(index, value);
  return { type, dims, data: read };
}

/** The flat `data` of JSON. Throws RangeError where an element is no finite number, which JSON cannot say. */
export function writeJsonData(tensor: Tensor): string {
  switch (tensor.type) {
    case 'string':
      return `[${tensor.data.map((text) => JSON.stringify(text)).join(',')}]`;
    case 'bool':
      return `[${Array.from(tensor.data as Uint8Array, (bit) => bit !== 0).join(',')}]`;
    case 'float16':
      return `[${Array.from(tensor.data as Uint16Array, (bits, index) => decimal(numberOfFloat16(bits), index)).join(',')}]`;
    case 'float32':
    case 'float64':
      return `[${Array.from(tensor.data as Float64Array, decimal).join(',')}]`;
    default:
      return `[${tensor.data.join(',')}]`;
  }
}

function decimal(value: number, index: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`element ${index} is NaN or infinite, which JSON cannot say`);
  return Object.is(value, -0) ? '-0' : String(value);
}

function flatten(data: unknown, dims: readonly number[]): readonly unknown[] {
  if (!Array.isArray(data)) throw new SyntaxError('has no list as its data');
  const nested = dims.length > 1 && Array.isArray(data[0]);
  const values: unknown[] = nested ? [] : data;
  if (nested) collect(data, dims, 0, values);
  const count = elementCount(dims);
  if (values.length !== count) {
    throw new SyntaxError(`has ${values.length} elements; its shape ${shapeText(dims)} has ${count}`);
  }
  return values;
}

function collect(level: unknown, dims: readonly number[], depth: number, values: unknown[]): void {
  if (!Array.isArray(level) || level.length !== dims[depth]) {
    throw new SyntaxError(`has lists in lists that are not as its shape ${shapeText(dims)}`);
  }
  for (const item of level) {
    if (depth < dims.length - 1) collect(item, dims, depth + 1, values);
    else values.push(item);
  }
}

function setterOf(type: NumericType, data: NumericData): (index: number, value: unknown) => void {
  const range = ranges[type];
  if (range !== undefined) {
    return (index, value) => {
      const whole = wholeOf(value);
      if (whole === undefined) throw misfit(type, index, 'no whole number, or its digits are not certain');
      if (whole < range[0] || whole > range[1]) {
        throw misfit(type, index, `not between ${range[0]} and ${range[1]}`);
      }
      data[index] = data instanceof BigInt64Array || data instanceof BigUint64Array ? whole : Number(whole);
    };
  }
  if (type === 'bool') {
    return (index, value) => {
      if (typeof value !== 'boolean') throw misfit(type, index, 'neither true nor false');
      data[index] = Number(value);
    };
  }
  return (index, value) => {
    const number = value instanceof NumberText ? Number(value.text) : value;
    if (typeof number !== 'number') throw misfit(type, index, 'no number');
    const kept = type === 'float16' ? float16OfNumber(number) : number;
    data[index] = kept;
    const there = type === 'float16' ? numberOfFloat16(kept) : data[index];
    // JSON has no infinite numbers: this one is too great, for a double or for its type.
    if (!Number.isFinite(there)) throw misfit(type, index, 'too great for its type');
  };
}

/** undefined for what is no whole number, and for one that a double may have changed. */
function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const [, digits] = value instanceof NumberText ? (/^(-?\d+)(?:\.0*)?$/.exec(value.text) ?? []) : [];
  return digits === undefined ? undefined : BigInt(digits);
}

function textOf(value: unknown, index: number): string {
  if (typeof value !== 'string') throw misfit('string', index, 'no text');
  // A lone half of a surrogate pair is no character: it has no bytes, and would reach the model as another one.
  if (!value.isWellFormed()) throw misfit('string', index, 'no valid Unicode');
  return value;
}

function misfit(type: Tensor['type'], index: number, what: string): SyntaxError {
  return new SyntaxError(`has an element (${index}) that is ${what}; its datatype is ${datatypeOf(type)}`);
}
