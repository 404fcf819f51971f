import { integerAt, type MessageFields, messageFields, messagesAt, textAt, textsAt } from './message-fields.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from './onnx-model.ts';
import { readAttribute } from './read-attribute.ts';
import { readTensor } from './read-tensor.ts';
import { readValue } from './read-value.ts';

/** How deep graphs lie within graphs (If, Loop, Scan) at most. */
const maxDepth = 64;

/**
 * Reads the bytes of an ONNX model. Parts that are there several times are merged, as protobuf has it.
 * Throws SyntaxError where the bytes are no ONNX model: cut off, of another form, or without a graph.
 */
export function readOnnxModel(artefact: Uint8Array): OnnxModel {
  const found = messageFields(artefact);
  const graphs = messagesAt(found, 7);
  if (graphs.length === 0) throw new SyntaxError('it holds no graph');
  return {
    irVersion: integerAt(found, 1) ?? 0,
    opsets: new Map(
      messagesAt(found, 8)
        .map(messageFields)
        .map((each) => [domainAt(each, 1), integerAt(each, 2) ?? 0]),
    ),
    producer: { name: textAt(found, 2), version: textAt(found, 3) },
    modelVersion: integerAt(found, 5) ?? 0,
    description: textAt(found, 6),
    metadata: new Map(
      messagesAt(found, 14)
        .map(messageFields)
        .map((each) => [textAt(each, 1), textAt(each, 2)]),
    ),
    graph: readGraph(graphs.length === 1 && graphs[0] !== undefined ? graphs[0] : Buffer.concat(graphs), 0),
    functions: messagesAt(found, 25).map(readFunction),
  };
}

function readGraph(bytes: Uint8Array, depth: number): OnnxGraph {
  if (depth > maxDepth) throw new SyntaxError(`its graphs are nested deeper than ${maxDepth} levels`);
  const found = messageFields(bytes);
  const initializers = messagesAt(found, 5).map(readTensor);
  return {
    name: textAt(found, 2),
    inputs: messagesAt(found, 11).map(readValue),
    outputs: messagesAt(found, 12).map(readValue),
    nodes: messagesAt(found, 1).map((node) => readNode(node, depth)),
    initializers: new Map(initializers.map((tensor) => [tensor.name, tensor])),
  };
}

function readFunction(bytes: Uint8Array): OnnxFunction {
  const found = messageFields(bytes);
  return {
    name: textAt(found, 1),
    domain: domainAt(found, 10),
    nodes: messagesAt(found, 7).map((node) => readNode(node, 0)),
  };
}

function readNode(bytes: Uint8Array, depth: number): OnnxNode {
  const found = messageFields(bytes);
  const attributes = messagesAt(found, 5).map((each): [string, OnnxAttribute] => {
    const fields = messageFields(each);
    return [textAt(fields, 1), readAttribute(fields, (graph) => readGraph(graph, depth + 1))];
  });
  return {
    operator: textAt(found, 4),
    domain: domainAt(found, 7),
    name: textAt(found, 3),
    inputs: textsAt(found, 1),
    outputs: textsAt(found, 2),
    attributes: new Map(attributes),
  };
}

/** `ai.onnx` is another name of the domain without a name. */
function domainAt(found: MessageFields, number: number): string {
  const domain = textAt(found, number);
  return domain === 'ai.onnx' ? '' : domain;
}
