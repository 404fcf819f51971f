import type { OnnxAttribute, OnnxNode } from '../../inference/onnx-graph/onnx-model.ts';
import { tensorNumbers } from '../../inference/onnx-graph/read-tensor.ts';
import { checkCover } from './check-cover.ts';
import { comparisons, type TreeEnsemble } from './tree-ensemble.ts';

/** More branches from a root to a leaf than any tree that was trained in earnest. */
const mostDepth = 256;

/**
 * The trees of a TreeEnsembleClassifier or TreeEnsembleRegressor (ai.onnx.ml up to 4), as flat arrays.
 * @param columns how many columns it is given
 * @param doubles whether these are float64: float32 otherwise, and so are the thresholds
 * Throws SyntaxError, whose message goes on after "the trees of model.onnx", where they are no trees, where they are added up
 * in another way than as a sum or an average, and where they hold no counts of training samples.
 */
export function readTreeEnsemble(node: OnnxNode, columns: number, doubles: boolean): TreeEnsemble {
  const classifier = node.operator === 'TreeEnsembleClassifier';
  const kind = classifier ? 'class' : 'target';
  const numbers = (name: string): ArrayLike<number> => realNumbers(node.attributes, name);
  const integers = (name: string): readonly number[] => node.attributes.get(name)?.integers ?? [];
  const modes = node.attributes.get('nodes_modes')?.texts ?? [];
  const count = modes.length;
  const trees = blank(count, targetsOf(node, integers(`${kind}_ids`)), columns);
  const round = doubles ? (x: number) => x : Math.fround;

  const [treeIds, featureIds] = [integers('nodes_treeids'), integers('nodes_featureids')];
  const [trueIds, falseIds] = [integers('nodes_truenodeids'), integers('nodes_falsenodeids')];
  const places = placesOf(treeIds, integers('nodes_nodeids'), count);
  const thresholds = numbers('nodes_values');
  const cover = numbers('nodes_hitrates');
  const missing = integers('nodes_missing_value_tracks_true');
  for (let at = 0; at < count; at++) {
    const mode = (comparisons as readonly string[]).indexOf(modes[at] ?? '');
    if (mode < 0) throw new SyntaxError(`have a branch of the mode ${modes[at]}; read are ${comparisons.join(', ')}`);
    trees.comparison[at] = mode;
    trees.cover[at] = cover[at] ?? Number.NaN;
    if (mode === 0) continue;
    const nodes = places.get(treeIds[at] ?? Number.NaN);
    const child = (id: number | undefined): number =>
      nodes?.get(id ?? Number.NaN) ?? fault(`have a branch to node ${id}, which is none`);
    trees.ifTrue[at] = child(trueIds[at]);
    trees.ifFalse[at] = child(falseIds[at]);
    trees.threshold[at] = round(thresholds[at] ?? Number.NaN);
    trees.missingIsTrue[at] = missing[at] ?? 0;
    trees.feature[at] = columnWithin(featureIds[at], columns);
  }
  const { roots, depth } = rootsOf(trees);
  setValues(node, kind, places, trees, roots.length);
  const read = { ...trees, roots, depth };
  checkCover(read);
  return read;
}

function blank(count: number, targets: number, columns: number): Omit<TreeEnsemble, 'roots' | 'depth'> {
  const places = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count)).fill(-1);
  const bytes = (): Uint8Array => new Uint8Array(new SharedArrayBuffer(count));
  const reals = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length));
  return {
    ifTrue: places(),
    ifFalse: places(),
    feature: places(),
    threshold: reals(count),
    comparison: bytes(),
    missingIsTrue: bytes(),
    cover: reals(count),
    values: reals(count * targets),
    targets,
    base: reals(targets),
    columns,
  };
}

function fault(message: string): never {
  throw new SyntaxError(message);
}

/** float32, or float64 where the attribute of that name as a tensor is there. */
function realNumbers(attributes: ReadonlyMap<string, OnnxAttribute>, name: string): ArrayLike<number> {
  const tensor = attributes.get(`${name}_as_tensor`)?.tensor;
  return tensor === undefined ? (attributes.get(name)?.floats ?? []) : tensorNumbers(tensor);
}

/** One target where two classes share one set of weights; else one for each class, or as many as a regressor declares. */
function targetsOf(node: OnnxNode, ids: readonly number[]): number {
  const { attributes } = node;
  if (node.operator === 'TreeEnsembleRegressor') return attributes.get('n_targets')?.integer ?? 1;
  const labels = [attributes.get('classlabels_int64s')?.integers, attributes.get('classlabels_strings')?.texts];
  const classes = Math.max(...labels.map((each) => each?.length ?? 0));
  return classes === 2 && new Set(ids).size === 1 ? 1 : classes;
}

/** Place of each node by tree, then by number. */
type Places = ReadonlyMap<number, ReadonlyMap<number, number>>;

function placesOf(trees: readonly number[], nodes: readonly number[], count: number): Places {
  if (count === 0 || trees.length !== count || nodes.length !== count)
    fault('have no nodes, or not as many of one kind as of another');
  const places = new Map<number, Map<number, number>>();
  for (let at = 0; at < count; at++) {
    const [tree, node] = [trees[at] as number, nodes[at] as number];
    const known = places.get(tree);
    if (known === undefined) places.set(tree, new Map([[node, at]]));
    else if (known.has(node)) fault('have two nodes of the same number in one tree');
    else known.set(node, at);
  }
  return places;
}

function columnWithin(column: number | undefined, columns: number): number {
  if (column === undefined || column < 0 || column >= columns)
    return fault(`look at column ${column}; the ensemble is given ${columns}`);
  return column;
}

/** The nodes that no branch leads to; every other must be led to once, so that each tree is a tree. */
function rootsOf({ ifTrue, ifFalse }: Pick<TreeEnsemble, 'ifTrue' | 'ifFalse'>): { roots: Int32Array; depth: number } {
  const parents = new Int32Array(ifTrue.length);
  for (const child of [...ifTrue, ...ifFalse]) if (child >= 0) parents[child] = (parents[child] ?? 0) + 1;
  const roots = Int32Array.from([...parents.keys()].filter((node) => parents[node] === 0));
  if (parents.some((count) => count > 1)) fault('have a node that two branches lead to');
  let depth = 0;
  let level = [...roots];
  let met = 0;
  for (; level.length > 0; depth++) {
    met += level.length;
    if (depth > mostDepth) fault(`are deeper than ${mostDepth} branches`);
    level = level.flatMap((node) => [ifTrue[node] ?? -1, ifFalse[node] ?? -1].filter((child) => child >= 0));
  }
  if (met !== ifTrue.length) fault('have branches that lead back to themselves');
  const shared = new Int32Array(new SharedArrayBuffer(4 * roots.length));
  shared.set(roots);
  return { roots: shared, depth: depth - 1 };
}

function setValues(
  node: OnnxNode,
  kind: 'class' | 'target',
  places: Places,
  { values, base, targets, comparison }: Pick<TreeEnsemble, 'values' | 'base' | 'targets' | 'comparison'>,
  trees: number,
): void {
  const aggregate = node.attributes.get('aggregate_function')?.text ?? 'SUM';
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE')
    fault(`are added up by ${aggregate}; explained are SUM and AVERAGE`);
  const [treeIds, nodeIds, ids] = ['treeids', 'nodeids', 'ids'].map(
    (name) => node.attributes.get(`${kind}_${name}`)?.integers ?? [],
  );
  const weights = realNumbers(node.attributes, `${kind}_weights`);
  for (let at = 0; at < weights.length; at++) {
    const place = places.get(treeIds?.[at] ?? Number.NaN)?.get(nodeIds?.[at] ?? Number.NaN);
    const target = targets === 1 ? 0 : ids?.[at];
    if (place === undefined || comparison[place] !== 0) fault('have a weight of a node that is no leaf');
    if (target === undefined || target < 0 || target >= targets)
      fault(`have a weight for target ${target} of ${targets}`);
    const weight = (weights[at] as number) / (aggregate === 'AVERAGE' ? trees : 1);
    const index = (place as number) * targets + (target as number);
    values[index] = (values[index] as number) + weight;
  }
  const declared = realNumbers(node.attributes, 'base_values');
  if (declared.length !== 0 && declared.length !== targets)
    fault(`have ${declared.length} base values for ${targets} targets`);
  base.set(declared);
}
