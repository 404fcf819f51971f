import { elementCount, type NumericData, numericData, shapeText, type Tensor } from '../tensor.ts';
import { datatypeOf, elementBytes } from './datatype.ts';

const lengthBytes = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A tensor from the bytes of the binary tensor data extension: row-major, little-endian, BOOL one byte, BYTES each with its
 * length before it. The bytes are copied.
 * Throws SyntaxError with what is wrong, as the rest of a sentence about the tensor.
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function readBinaryData(type: Tensor['type'], dims: readonly number[], bytes: Uint8Array): Tensor {
  const count = elementCount(dims);
  if (type === 'string') return { type, dims, data: readTexts(bytes, count) };
  const expected = count * (elementBytes(type) ?? 0);
  if (bytes.length !== expected) {
    throw new SyntaxError(
      `has ${bytes.length} bytes of data; its shape ${shapeText(dims)} of ${datatypeOf(type)} has ${expected}`,
    );
  }
  const data = numericData(type, count);
  // Every machine that ONNX Runtime has a build for is little-endian.
  bytesOf(data).set(bytes);
  if (type === 'bool') {
    const bad = bytes.findIndex((byte) => byte > 1);
    if (bad >= 0) throw new SyntaxError(`has an element (${bad}) of BOOL that is neither 0 nor 1`);
  }
  return { type, dims, data };
}

/** The bytes of a tensor as the extension has them; of numbers they are the tensor's own, not a copy. */
export function writeBinaryData(tensor: Tensor): Uint8Array {
  if (tensor.type !== 'string') return bytesOf(tensor.data);
  const parts: Uint8Array[] = [];
  for (const [index, text] of tensor.data.entries()) {
    if (!text.isWellFormed()) throw new RangeError(`element ${index} is no valid Unicode`);
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function readTexts(bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + lengthBytes > bytes.length) throw new SyntaxError(`ends within the length of element ${texts.length}`);
    const from = at + lengthBytes;
    const end = from + view.getUint32(at, true);
    if (end > bytes.length) throw new SyntaxError(`ends within element ${texts.length}`);
    texts.push(decode(bytes.subarray(from, end), texts.length));
    at = end;
  }
  if (texts.length !== count) throw new SyntaxError(`has ${texts.length} elements of BYTES; its shape has ${count}`);
  return texts;
}

function decode(bytes: Uint8Array, index: number): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new SyntaxError(`has an element (${index}) of BYTES that is no UTF-8; texts are all that models take`);
  }
}
