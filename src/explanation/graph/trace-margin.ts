import type { OnnxGraph, OnnxNode } from '../../inference/onnx-graph/onnx-model.ts';
import { tensorNumbers } from '../../inference/onnx-graph/read-tensor.ts';
import type { Traced } from './margin.ts';
import { steps } from './steps.ts';

/** An input of the graph, and which columns of the model row fill it. */
export interface GraphInput {
  readonly name: string;
  readonly type: string;
  /** Index of its first column in the model row. */
  readonly from: number;
  readonly columns: number;
  /** Rows by columns: another shape is not followed. */
  readonly isMatrix: boolean;
}

/** The numbers of a constant in row-major order, and its dims. */
export interface ConstantNumbers {
  readonly numbers: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** What a step of a graph can ask of what goes into it. */
export interface StepInputs {
  readonly node: OnnxNode;
  /** What was made of its inputs that are no constants, in their order. */
  readonly traced: readonly Traced[];
  /** The input at a place, where that is a constant. */
  constant(place: number): ConstantNumbers | undefined;
}

/**
 * Follows the model row through the graph to one of its outputs, as far as that is a weighted sum of columns or of trees
 * with links behind it; elsewhere the answer says which node is beyond that.
 * Throws SyntaxError where a constant cannot be read.
 */
export function traceMargin(graph: OnnxGraph, inputs: readonly GraphInput[], output: string): Traced {
  const known = new Map<string, Traced>(inputs.map((input) => [input.name, columnsOf(input)]));
  const constants = new Map<string, ConstantNumbers>();
  const made = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));

  const constantOf = (name: string): ConstantNumbers | undefined => {
    const kept = constants.get(name);
    if (kept !== undefined) return kept;
    const node = made.get(name);
    const tensor =
      graph.initializers.get(name) ??
      (node?.operator === 'Constant' ? node.attributes.get('value')?.tensor : undefined);
    if (tensor === undefined) return undefined;
    const read = { numbers: tensorNumbers(tensor), dims: tensor.dims };
    constants.set(name, read);
    return read;
  };

  // Nodes stand in the order in which they run: one pass, and no recursion however deep the graph is.
  const needed = neededNodes(made, output);
  for (const node of graph.nodes) {
    if (!needed.has(node) || node.operator === 'Constant') continue;
    const places = node.inputs.map((name) => ({ name, constant: name === '' || constantOf(name) !== undefined }));
    const traced = places.flatMap(({ name, constant }): Traced[] =>
      constant ? [] : [known.get(name) ?? { kind: 'beyond', because: `${name} is made in a way that is not followed` }],
    );
    const step = steps.get(node.operator);
    const beyond = traced.find(({ kind }) => kind === 'beyond');
    const results: readonly Traced[] =
      beyond !== undefined
        ? [beyond]
        : step === undefined
          ? [{ kind: 'beyond', because: `it goes through ${node.operator}` }]
          : step({ node, traced, constant: (place) => constantOf(node.inputs[place] ?? '') });
    node.outputs.forEach((name, index) => {
      known.set(name, results[index] ?? results[0] ?? { kind: 'beyond', because: `it goes through ${node.operator}` });
    });
  }
  return known.get(output) ?? { kind: 'beyond', because: `the graph has no output ${output}` };
}

/** The nodes that an output rests on. */
function neededNodes(made: ReadonlyMap<string, OnnxNode>, output: string): ReadonlySet<OnnxNode> {
  const needed = new Set<OnnxNode>();
  const open = [output];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = made.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    open.push(...node.inputs);
  }
  return needed;
}

function columnsOf({ name, type, from, columns, isMatrix }: GraphInput): Traced {
  if (type === 'string' || !isMatrix) return { kind: 'beyond', because: `the input ${name} is no matrix of numbers` };
  const round = type === 'float64' ? (x: number) => x : Math.fround;
  return {
    kind: 'columns',
    type: type === 'float64' ? 'float64' : 'float32',
    columns: Array.from({ length: columns }, (_, index) => ({ from: from + index, scale: 1, offset: 0, exact: round })),
  };
}
