import { float32Of } from '../protobuf-fields.ts';
import { fixedAt, integerAt, integersAt, type MessageFields, messagesAt, textsAt } from './message-fields.ts';
import type { OnnxAttribute, OnnxGraph } from './onnx-model.ts';
import { readTensor } from './read-tensor.ts';

/** One AttributeProto. A number that is written as 0 is 0; one that is not written is absent, but where the type says that it is one. */
export function readAttribute(found: MessageFields, readGraph: (bytes: Uint8Array) => OnnxGraph): OnnxAttribute {
  const [type, integer] = [integerAt(found, 20), integerAt(found, 3)];
  const float = float32Of(fixedAt(found, 2)).at(-1);
  const text = textsAt(found, 4).at(-1);
  const tensor = messagesAt(found, 5).map(readTensor).at(-1);
  const graph = messagesAt(found, 6).map(readGraph).at(-1);
  return {
    ...(float === undefined && type !== types.float ? {} : { float: float ?? 0 }),
    ...(integer === undefined && type !== types.integer ? {} : { integer: integer ?? 0 }),
    ...(text === undefined && type !== types.text ? {} : { text: text ?? '' }),
    ...(tensor === undefined ? {} : { tensor }),
    ...(graph === undefined ? {} : { graph }),
    floats: [...float32Of(fixedAt(found, 7))],
    integers: integersAt(found, 8),
    texts: textsAt(found, 9),
    tensors: messagesAt(found, 10).map(readTensor),
    graphs: messagesAt(found, 11).map(readGraph),
  };
}

/** Of AttributeProto.AttributeType those that a writer may leave without a value where it is the default. */
const types = { float: 1, integer: 2, text: 3 } as const;
