import type { ElementType } from '../../model-catalog/tensor.ts';
import { integerAt, type MessageFields } from './message-fields.ts';

/** TensorProto.DataType, as far as this server has tensors of it. */
const names: ReadonlyMap<number, ElementType> = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [8, 'string'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [13, 'uint64'],
]);

/** The element type that a field names by its number; `other` for one that this server has no tensor of. */
export function elementTypeAt(found: MessageFields, number: number): ElementType | 'other' {
  return names.get(integerAt(found, number) ?? 0) ?? 'other';
}
