import { shapeText, type Tensor, type Tensors } from '../tensor.ts';
import { readBinaryData, writeBinaryData } from './binary-data.ts';
import { datatypeNames, datatypeOf, elementTypeOf } from './datatype.ts';
import { readJsonData, writeJsonData } from './json-data.ts';
import { isObject, readParameters } from './parameters.ts';

/** No model has more; lists in lists are followed to this depth. */
const maxRank = 32;

/** `inputs` of a request or `outputs` of an answer, ready to be sent. */
export interface WrittenEntries {
  /** The list as JSON. */
  readonly json: string;
  /** The bytes that follow the JSON, in the order of the list. */
  readonly parts: readonly Uint8Array[];
}

/**
 * Reads `inputs` of a request or `outputs` of an answer.
 * @param binary what follows the JSON: it must be used up by the tensors that announce bytes, in their order
 * @param side the word for one of them, in messages
 * Throws SyntaxError with a sentence that names the tensor and what is wrong with it.
 */
export function readTensorEntries(list: unknown, binary: Uint8Array, side: 'input' | 'output'): Tensors {
  if (!Array.isArray(list)) throw new SyntaxError(`'${side}s' must be a list of tensors.`);
  const tensors = new Map<string, Tensor>();
  let used = 0;
  for (const [index, entry] of list.entries()) {
    if (!isObject(entry) || typeof entry.name !== 'string' || entry.name === '') {
      throw new SyntaxError(`${side}s[${index}] must be an object with a name.`);
    }
    const { name } = entry;
    if (tensors.has(name)) throw new SyntaxError(`${side} ${shownName(name)} is there twice.`);
    try {
      const { tensor, bytes } = readEntry(entry, binary.subarray(used));
      tensors.set(name, tensor);
      used += bytes;
    } catch (cause) {
      if (cause instanceof SyntaxError) throw new SyntaxError(`${side} ${shownName(name)} ${cause.message}.`);
      throw cause;
    }
  }
  if (used !== binary.length) {
    throw new SyntaxError(
      `${binary.length} bytes follow the JSON, and the ${side}s announce ${used} of them (binary_data_size).`,
    );
  }
  return tensors;
}

/**
 * @param isBinary which tensors go as bytes behind the JSON
 * Throws RangeError with a sentence where a tensor cannot be said in the form that was chosen: NaN is not JSON.
 */
export function writeTensorEntries(tensors: Tensors, isBinary: (name: string) => boolean): WrittenEntries {
  const parts: Uint8Array[] = [];
  const entries = [...tensors].map(([name, tensor]) => {
    const head = `{"name":${JSON.stringify(name)},"shape":${JSON.stringify(tensor.dims)},"datatype":"${datatypeOf(tensor.type)}"`;
    try {
      if (!isBinary(name)) return `${head},"data":${writeJsonData(tensor)}}`;
      const bytes = writeBinaryData(tensor);
      parts.push(bytes);
      return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
    } catch (cause) {
      if (cause instanceof RangeError) throw new RangeError(`${name}: ${cause.message}.`);
      throw cause;
    }
  });
  return { json: `[${entries.join(',')}]`, parts };
}

function readEntry(entry: Readonly<Record<string, unknown>>, rest: Uint8Array): { tensor: Tensor; bytes: number } {
  const { datatype, data } = entry;
  const type = typeof datatype === 'string' ? elementTypeOf(datatype) : undefined;
  if (type === undefined) throw new SyntaxError(`has no known datatype; known are ${datatypeNames.join(', ')}`);
  const dims = readDims(entry.shape);
  const { binary_data_size: size } = readParameters(entry.parameters);
  if (size === undefined) return { tensor: readJsonData(type, dims, data), bytes: 0 };
  if (data !== undefined) throw new SyntaxError('has both data and binary_data_size; one of them is allowed');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new SyntaxError('has a binary_data_size that is no whole number from 0');
  }
  if (size > rest.length) {
    throw new SyntaxError(`announces ${size} bytes (binary_data_size), and only ${rest.length} are left of the body`);
  }
  return { tensor: readBinaryData(type, dims, rest.subarray(0, size)), bytes: size };
}

function readDims(shape: unknown): readonly number[] {
  const fits =
    Array.isArray(shape) &&
    shape.length <= maxRank &&
    shape.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0);
  if (!fits) throw new SyntaxError(`has no shape of at most ${maxRank} whole numbers from 0`);
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  if (!Number.isSafeInteger(count)) throw new SyntaxError(`has the shape ${shapeText(shape)}, which is too great`);
  return shape;
}

/** A name of the caller as a message may repeat it. */
export function shownName(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
