import { elementCount } from '../../model-catalog/tensor.ts';
import { float32Of, float64Of } from '../protobuf-fields.ts';
import { elementTypeAt } from './element-type-at.ts';
import {
  fixedAt,
  integerAt,
  integersAt,
  type MessageFields,
  messageFields,
  messagesAt,
  textAt,
} from './message-fields.ts';
import type { OnnxTensor } from './onnx-model.ts';

/** One TensorProto, without its numbers. Throws SyntaxError for a size that is none. */
export function readTensor(message: Uint8Array): OnnxTensor {
  const found = messageFields(message);
  const dims = integersAt(found, 1);
  const bad = dims.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (bad !== undefined) throw new SyntaxError(`a tensor of it has the size ${bad}`);
  return { name: textAt(found, 8), type: elementTypeAt(found, 2), dims, message };
}

const externalLocation = 1;
/** Where the numbers lie that are not raw bytes. */
const typedFields = { float32: 4, int32: 5, int64: 7, float64: 10 } as const;
type ReadableType = keyof typeof typedFields;

/**
 * The numbers of a constant tensor in row-major order; those of int64 beyond 2^53 the nearest that a number can be.
 * Throws SyntaxError where it has another element type than float32, float64, int32 and int64, where they lie in another
 * file, and where they are not as many as its dims say.
 */
export function tensorNumbers({ name, type, dims, message }: OnnxTensor): Float32Array | Float64Array | Int32Array {
  if (!isReadable(type)) throw new SyntaxError(`the tensor '${name}' is of ${type}, whose numbers are not read`);
  const found = messageFields(message);
  if (integerAt(found, 14) === externalLocation)
    throw new SyntaxError(`the numbers of the tensor '${name}' lie in another file`);
  const raw = messagesAt(found, 9).at(-1);
  const numbers = raw === undefined ? typedNumbers(type, found) : rawNumbers(type, raw);
  const count = elementCount(dims);
  if (numbers.length !== count)
    throw new SyntaxError(
      `the tensor '${name}' holds ${numbers.length} numbers; its dims [${dims.join(', ')}] say ${count}`,
    );
  return numbers;
}

function isReadable(type: string): type is ReadableType {
  return Object.hasOwn(typedFields, type);
}

function rawNumbers(type: ReadableType, bytes: Uint8Array): Float32Array | Float64Array | Int32Array {
  switch (type) {
    case 'float32':
      return float32Of(bytes);
    case 'float64':
      return float64Of(bytes);
    case 'int32':
      return new Int32Array(float32Of(bytes).buffer);
    case 'int64':
      return Float64Array.from(new BigInt64Array(float64Of(bytes).buffer), Number);
  }
}

function typedNumbers(type: ReadableType, found: MessageFields): Float32Array | Float64Array | Int32Array {
  const number = typedFields[type];
  if (type === 'float32') return float32Of(fixedAt(found, number));
  if (type === 'float64') return float64Of(fixedAt(found, number));
  return type === 'int32' ? Int32Array.from(integersAt(found, number)) : Float64Array.from(integersAt(found, number));
}
