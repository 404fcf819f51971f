import { type ElementType, elementTypes, numericData } from '../tensor.ts';

/** The names of the Open Inference Protocol. @see https://github.com/kserve/open-inference-protocol, "Tensor Data Types" */
const datatypes = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
} as const satisfies Readonly<Record<ElementType, string>>;

export const datatypeNames: readonly string[] = Object.values(datatypes);

export function datatypeOf(type: ElementType): string {
  return datatypes[type];
}

/** undefined for a datatype that the protocol or ONNX Runtime does not have. */
export function elementTypeOf(datatype: string): ElementType | undefined {
  return elementTypes.find((type) => datatypes[type] === datatype);
}

/** Bytes of one element in the binary form; undefined for texts, which differ in length. */
export function elementBytes(type: ElementType): number | undefined {
  return type === 'string' ? undefined : numericData(type, 0).BYTES_PER_ELEMENT;
}
