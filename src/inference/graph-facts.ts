import type { GraphFacts } from '../model-catalog/registration/graph-facts.ts';
import { classLabels } from './onnx-graph/class-labels.ts';
import type { OnnxModel, OnnxNode } from './onnx-graph/onnx-model.ts';
import { readOnnxModel } from './onnx-graph/read-onnx-model.ts';

/** Domains whose operators are built into ONNX Runtime for Node; it says itself which operators of these it lacks. */
const knownDomains: readonly string[] = [
  '',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.experimental',
  'com.microsoft.nchwc',
  'com.ms.internal.nhwc',
  'org.pytorch.aten',
];

/** What the file of a graph says about itself. Throws SyntaxError where the bytes are no ONNX model. */
export function graphFacts(artefact: Uint8Array): GraphFacts {
  const model = readOnnxModel(artefact);
  const nodes = allNodes(model);
  const operators = new Map<string, number>();
  for (const { domain, operator } of nodes) {
    const name = domain === '' ? operator : `${domain}:${operator}`;
    operators.set(name, (operators.get(name) ?? 0) + 1);
  }
  const own = new Set(model.functions.map(({ domain }) => domain));
  const unknown = nodes
    .map(({ domain }) => domain)
    .filter((domain) => !knownDomains.includes(domain) && !own.has(domain));
  return {
    irVersion: model.irVersion,
    producer: model.producer,
    opsets: Object.fromEntries(
      [...model.opsets].map(([domain, version]) => [domain === '' ? 'ai.onnx' : domain, version]),
    ),
    operators: Object.fromEntries([...operators].sort(([one], [other]) => (one < other ? -1 : 1))),
    metadata: Object.fromEntries(model.metadata),
    unknownDomains: [...new Set(unknown)].sort(),
    labelled: classLabels(model.graph),
  };
}

function allNodes({ graph, functions }: OnnxModel): OnnxNode[] {
  return [...graph.nodes, ...functions.flatMap(({ nodes }) => nodes)].flatMap(withInner);
}

/** A node and those of the graphs within it. */
function withInner(node: OnnxNode): OnnxNode[] {
  const inner = [...node.attributes.values()].flatMap(({ graph, graphs }) =>
    graph === undefined ? graphs : [graph, ...graphs],
  );
  return [node, ...inner.flatMap(({ nodes }) => nodes.flatMap(withInner))];
}
