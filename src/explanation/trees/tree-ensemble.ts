/**
 * Trees as flat arrays, all nodes of all trees in one: places of children are indices, -1 in a leaf. The arrays lie in
 * memory that a worker thread can share.
 */
export interface TreeEnsemble {
  /** Node of the root of each tree. */
  readonly roots: Int32Array;
  /** Where a row goes for which the comparison holds, and where every other goes. */
  readonly ifTrue: Int32Array;
  readonly ifFalse: Int32Array;
  /** Which column is compared. */
  readonly feature: Int32Array;
  /** As ONNX Runtime compares: of a model of float32 each is a float32. */
  readonly threshold: Float64Array;
  /** Index in `comparisons`. */
  readonly comparison: Uint8Array;
  /** 1 where NaN counts as a comparison that holds. */
  readonly missingIsTrue: Uint8Array;
  /** How many training samples passed the node. */
  readonly cover: Float64Array;
  /** What a leaf adds to each target, by node; the division of an average is done. */
  readonly values: Float64Array;
  readonly targets: number;
  /** What each target begins with. */
  readonly base: Float64Array;
  /** Most branches from a root to a leaf. */
  readonly depth: number;
  /** How many columns the trees may look at. */
  readonly columns: number;
}

/** Modes of a branch in ONNX; 0 is a leaf. */
export const comparisons = [
  'LEAF',
  'BRANCH_LEQ',
  'BRANCH_LT',
  'BRANCH_GTE',
  'BRANCH_GT',
  'BRANCH_EQ',
  'BRANCH_NEQ',
] as const;

/** True where the row goes to `ifTrue` at this node. */
export function holds(trees: TreeEnsemble, node: number, x: number): boolean {
  const threshold = trees.threshold[node] as number;
  if (Number.isNaN(x) && trees.missingIsTrue[node] === 1) return true;
  switch (trees.comparison[node]) {
    case 1:
      return x <= threshold;
    case 2:
      return x < threshold;
    case 3:
      return x >= threshold;
    case 4:
      return x > threshold;
    case 5:
      return x === threshold;
    default:
      return x !== threshold;
  }
}

/** What the trees give for each target, in float64. */
export function treeTargets(trees: TreeEnsemble, row: ArrayLike<number>): Float64Array {
  return sumOfLeaves(trees, row, (value) => value);
}

/** The same without signs: what is added up one after the other, and each time rounded by the model. */
export function treeMagnitudes(trees: TreeEnsemble, row: ArrayLike<number>): Float64Array {
  return sumOfLeaves(trees, row, Math.abs);
}

function sumOfLeaves(trees: TreeEnsemble, row: ArrayLike<number>, of: (value: number) => number): Float64Array {
  const sums = trees.base.map(of);
  for (let tree = 0; tree < trees.roots.length; tree++) {
    let node = trees.roots[tree] as number;
    while (trees.comparison[node] !== 0) {
      const x = row[trees.feature[node] as number] as number;
      node = (holds(trees, node, x) ? trees.ifTrue[node] : trees.ifFalse[node]) as number;
    }
    for (let target = 0; target < trees.targets; target++)
      sums[target] = (sums[target] as number) + of(trees.values[node * trees.targets + target] as number);
  }
  return sums;
}

/** What the trees give on average over the samples that passed them: what contributions start from. */
export function expectedTargets(trees: TreeEnsemble): Float64Array {
  const sums = Float64Array.from(trees.base);
  const add = (root: number): void => {
    const open = [root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (trees.comparison[node] !== 0) {
        open.push(trees.ifTrue[node] as number, trees.ifFalse[node] as number);
        continue;
      }
      const share = (trees.cover[node] as number) / (trees.cover[root] as number);
      for (let target = 0; target < trees.targets; target++)
        sums[target] = (sums[target] as number) + share * (trees.values[node * trees.targets + target] as number);
    }
  };
  for (const root of trees.roots) add(root);
  return sums;
}
