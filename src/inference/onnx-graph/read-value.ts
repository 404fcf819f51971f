import { elementTypeAt } from './element-type-at.ts';
import { integerAt, type MessageFields, messageFields, messagesAt, textAt, textsAt } from './message-fields.ts';
import type { OnnxType, OnnxValue } from './onnx-model.ts';

/** How deep a type lies within a type (a sequence of maps of tensors) at most. */
const maxDepth = 16;

/** One ValueInfoProto: an input or output of a graph. */
export function readValue(bytes: Uint8Array): OnnxValue {
  const found = messageFields(bytes);
  const type = messagesAt(found, 2).at(-1);
  return { name: textAt(found, 1), ...(type === undefined ? {} : { type: readType(type, 0) }) };
}

function readType(bytes: Uint8Array, depth: number): OnnxType {
  if (depth > maxDepth) throw new SyntaxError(`its types are nested deeper than ${maxDepth} levels`);
  const found = messageFields(bytes);
  const [tensor, sequence, map] = [1, 4, 5].map((number) => messagesAt(found, number).at(-1));
  if (tensor !== undefined) {
    const form = messageFields(tensor);
    const shape = messagesAt(form, 2).at(-1);
    return {
      kind: 'tensor',
      element: elementTypeAt(form, 1),
      ...(shape === undefined ? {} : { shape: messagesAt(messageFields(shape), 1).map(sizeOf) }),
    };
  }
  if (sequence !== undefined) {
    const of = typeAt(messageFields(sequence), 1, depth);
    return { kind: 'sequence', ...(of === undefined ? {} : { of }) };
  }
  if (map !== undefined) {
    const form = messageFields(map);
    const value = typeAt(form, 2, depth);
    return { kind: 'map', key: elementTypeAt(form, 1), ...(value === undefined ? {} : { value }) };
  }
  return { kind: 'other' };
}

function typeAt(found: MessageFields, number: number, depth: number): OnnxType | undefined {
  const bytes = messagesAt(found, number).at(-1);
  return bytes === undefined ? undefined : readType(bytes, depth + 1);
}

function sizeOf(dimension: Uint8Array): number | string | null {
  const found = messageFields(dimension);
  return integerAt(found, 1) ?? textsAt(found, 2).find((name) => name !== '') ?? null;
}
