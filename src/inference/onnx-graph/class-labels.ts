import type { ClassLabel, LabelledOutput } from '../../model-catalog/registration/graph-facts.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-model.ts';
import { tensorNumbers } from './read-tensor.ts';

/** Classifiers of ai.onnx.ml: their outputs are the label and the scores, one column for each class. */
const classifiers: readonly string[] = ['TreeEnsembleClassifier', 'LinearClassifier', 'SVMClassifier'];
/** Operators that leave the columns of their first input where they are. */
const columnwise: readonly string[] = ['Identity', 'Cast', 'Normalizer', 'Softmax', 'Sigmoid', 'Clip'];
const mostSteps = 32;

/**
 * The outputs of a graph whose classes it names: scores that come from a classifier or a ZipMap, and labels that come from a
 * classifier, followed back through operators that keep or pick columns.
 * @see https://onnx.ai/onnx/operators/#ai-onnx-ml
 */
export function classLabels(graph: OnnxGraph): LabelledOutput[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  return graph.outputs.flatMap(({ name }) => {
    const found = labelsOf(name, { graph, makers }, 0);
    return found === undefined ? [] : [{ output: name, ...found }];
  });
}

interface Nodes {
  readonly graph: OnnxGraph;
  readonly makers: ReadonlyMap<string, OnnxNode>;
}

type Found = Omit<LabelledOutput, 'output'>;

function labelsOf(tensor: string, nodes: Nodes, steps: number): Found | undefined {
  const node = nodes.makers.get(tensor);
  const [before = '', indices = ''] = node?.inputs ?? [];
  if (node === undefined || steps > mostSteps) return undefined;
  const { operator } = node;
  if (operator === 'ZipMap') return { operator, holds: 'scores', labels: labelsIn(node) };
  if (classifiers.includes(operator)) {
    const labels = labelsIn(node);
    return labels.length === 0
      ? undefined
      : { operator, holds: tensor === node.outputs[0] ? 'label' : 'scores', labels };
  }
  if (columnwise.includes(operator)) return labelsOf(before, nodes, steps + 1);
  if (!picksColumns(node)) return undefined;
  const found = labelsOf(before, nodes, steps + 1);
  const columns = constantAt(indices, nodes);
  if (found === undefined || found.holds === 'label' || columns === undefined) return undefined;
  const labels = columns.map((column) => found.labels.at(column));
  return labels.every((label) => label !== undefined) ? { ...found, labels } : undefined;
}

function labelsIn({ attributes }: OnnxNode): readonly ClassLabel[] {
  // SVMClassifier and LinearClassifier call the whole numbers otherwise than the others do.
  const numbers = [attributes.get('classlabels_int64s'), attributes.get('classlabels_ints')];
  const integers = numbers.flatMap((attribute) => attribute?.integers ?? []);
  return integers.length > 0 ? integers : (attributes.get('classlabels_strings')?.texts ?? []);
}

/** Both take columns by their numbers; Gather only along the axis of columns. */
function picksColumns({ operator, attributes }: OnnxNode): boolean {
  if (operator === 'ArrayFeatureExtractor') return true;
  const axis = attributes.get('axis')?.integer ?? 0;
  return operator === 'Gather' && (axis === 1 || axis === -1);
}

/** The whole numbers of a constant of the graph; undefined where it is worked out. */
function constantAt(name: string, { graph, makers }: Nodes): readonly number[] | undefined {
  const constant: OnnxTensor | undefined =
    graph.initializers.get(name) ??
    (makers.get(name)?.operator === 'Constant' ? makers.get(name)?.attributes.get('value')?.tensor : undefined);
  return constant === undefined ? undefined : [...tensorNumbers(constant)].map(Number);
}
