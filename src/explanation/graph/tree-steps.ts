import type { OnnxNode } from '../../inference/onnx-graph/onnx-model.ts';
import { readTreeEnsemble } from '../trees/read-tree-ensemble.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import { bothClasses, linksOf } from './linear-steps.ts';
import type { Link, Margin, Traced } from './margin.ts';
import type { Step } from './steps.ts';

const regressor: Step = ({ node, traced: [only] }) => {
  if (only?.kind !== 'columns') return untraced(node, only);
  const links = linksOf(node.attributes.get('post_transform')?.text);
  if (links === undefined) return untraced(node, only);
  return [targetsOf(readTreeEnsemble(node, only.columns.length, only.type === 'float64'), only.columns, links)];
};

/** Its second output: the scores of the classes. Two classes may share one set of weights, that of the second. */
const classifier: Step = ({ node, traced: [only] }) => {
  const label: Traced = { kind: 'beyond', because: 'it is the label of a class' };
  const links = linksOf(node.attributes.get('post_transform')?.text);
  if (only?.kind !== 'columns' || links === undefined) return [label, ...untraced(node, only)];
  const ensemble = readTreeEnsemble(node, only.columns.length, only.type === 'float64');
  const margin = targetsOf(ensemble, only.columns, links);
  if (ensemble.targets !== 1) return [label, margin];
  // ONNX Runtime takes a sum of weights of which none is negative for the probability of the second class.
  const probability = links.length === 0 && ensemble.values.every((value) => value >= 0);
  return [label, bothClasses(margin, probability ? 'complement' : 'negative')];
};

export const treeSteps: readonly (readonly [string, Step])[] = [
  ['TreeEnsembleRegressor', regressor],
  ['TreeEnsembleClassifier', classifier],
];

function targetsOf(
  ensemble: TreeEnsemble,
  columns: Extract<Margin['parts'], { of: 'trees' }>['columns'],
  links: readonly Link[],
): Margin {
  const targets = Array.from({ length: ensemble.targets }, (_, target) => target);
  return {
    kind: 'margin',
    parts: { of: 'trees', ensemble, columns },
    weights: targets.map((target) => Float64Array.from(targets, (each) => Number(each === target))),
    constants: targets.map(() => 0),
    links,
  };
}

function untraced({ operator, attributes }: OnnxNode, input: Traced | undefined): Traced[] {
  const because =
    input?.kind === 'columns'
      ? `${operator} has the post_transform ${attributes.get('post_transform')?.text}`
      : `what goes into ${operator} is not each made of one column`;
  return [{ kind: 'beyond', because }];
}
