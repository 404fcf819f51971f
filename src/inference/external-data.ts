import { fields } from './protobuf-fields.ts';

/**
 * ONNX keeps large weights in files beside the model. A model loaded from bytes would read them from below the
 * working directory: unchecked, and outside its own folder. This walk over the protobuf finds any such tensor.
 */

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse-tensor' | 'function' | 'training';

/** Field numbers of onnx.proto that lead, directly or through other messages, to a TensorProto. */
const children: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse-tensor' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse-tensor', 23: 'sparse-tensor' },
  tensor: {},
  'sparse-tensor': { 1: 'tensor', 2: 'tensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
};

const externalDataField = 13;
const dataLocationField = 14;
const externalLocation = 1;
const maxDepth = 64;

/**
 * True where a tensor of the model says that its data lie in another file.
 * @throws SyntaxError where the bytes are not an ONNX model
 */
export function hasExternalData(artefact: Uint8Array): boolean {
  const seen = { graph: false };
  const external = walk(artefact, 'model', 0, seen);
  if (!seen.graph) throw new SyntaxError('it holds no graph');
  return external;
}

function walk(bytes: Uint8Array, message: Message, depth: number, seen: { graph: boolean }): boolean {
  if (depth > maxDepth) throw new SyntaxError(`its graphs are nested deeper than ${maxDepth} levels`);
  if (message === 'graph') seen.graph = true;
  let external = false;
  for (const field of fields(bytes)) {
    if (message === 'tensor' && field.number === externalDataField) external = true;
    if (message === 'tensor' && field.number === dataLocationField && field.value === externalLocation) external = true;
    const child = children[message][field.number];
    if (child === undefined) continue;
    if (field.bytes === undefined) throw new SyntaxError(`field ${field.number} of a ${message} is no message`);
    external = walk(field.bytes, child, depth + 1, seen) || external;
  }
  return external;
}
