import { holds, type TreeEnsemble } from './tree-ensemble.ts';

/**
 * Contributions of the columns to each target of the trees: TreeSHAP of Lundberg et al. 2020, Algorithm 2, by the samples
 * that passed each branch (path-dependent). By column, then by target; they add up to what the trees give, less what they
 * give on average.
 * @param row what the trees look at, as ONNX Runtime compares it
 * @see https://doi.org/10.1038/s42256-019-0138-9
 */
export function treeShap(trees: TreeEnsemble, row: ArrayLike<number>): Float64Array {
  const { targets, columns, depth, comparison, feature, ifTrue, ifFalse, cover, values } = trees;
  const phi = new Float64Array(columns * targets);
  // The path of each depth lies behind that of the depth before: 1 + 2 + … entries, and one for the root.
  const entries = ((depth + 2) * (depth + 3)) / 2;
  const pathFeature = new Int32Array(entries);
  const pathZero = new Float64Array(entries);
  const pathOne = new Float64Array(entries);
  const pathWeight = new Float64Array(entries);

  /** Adds a branch to the path whose last place is `length`. */
  const extend = (from: number, length: number, zero: number, one: number, column: number): void => {
    const last = from + length;
    pathFeature[last] = column;
    pathZero[last] = zero;
    pathOne[last] = one;
    pathWeight[last] = length === 0 ? 1 : 0;
    const whole = length + 1;
    for (let i = length - 1; i >= 0; i--) {
      const weight = pathWeight[from + i] as number;
      pathWeight[from + i + 1] = (pathWeight[from + i + 1] as number) + (one * weight * (i + 1)) / whole;
      pathWeight[from + i] = (zero * weight * (length - i)) / whole;
    }
  };

  /** Takes the branch at `place` out of the path again. */
  const unwind = (from: number, length: number, place: number): void => {
    const one = pathOne[from + place] as number;
    const zero = pathZero[from + place] as number;
    const whole = length + 1;
    let next = pathWeight[from + length] as number;
    for (let i = length - 1; i >= 0; i--) {
      const weight = pathWeight[from + i] as number;
      if (one === 0) {
        pathWeight[from + i] = (weight * whole) / (zero * (length - i));
        continue;
      }
      const without = (next * whole) / ((i + 1) * one);
      pathWeight[from + i] = without;
      next = weight - (without * zero * (length - i)) / whole;
    }
    for (let i = place; i < length; i++) {
      pathFeature[from + i] = pathFeature[from + i + 1] as number;
      pathZero[from + i] = pathZero[from + i + 1] as number;
      pathOne[from + i] = pathOne[from + i + 1] as number;
    }
  };

  /** Sum of the weights of the path without the branch at `place`. */
  const unwoundSum = (from: number, length: number, place: number): number => {
    const one = pathOne[from + place] as number;
    const zero = pathZero[from + place] as number;
    let next = pathWeight[from + length] as number;
    let total = 0;
    if (one === 0) {
      for (let i = length - 1; i >= 0; i--) total += (pathWeight[from + i] as number) / (length - i);
      return (total / zero) * (length + 1);
    }
    for (let i = length - 1; i >= 0; i--) {
      const part = next / ((i + 1) * one);
      total += part;
      next = (pathWeight[from + i] as number) - part * zero * (length - i);
    }
    return total * (length + 1);
  };

  const leaf = (node: number, from: number, length: number): void => {
    const value = node * targets;
    for (let i = 1; i <= length; i++) {
      const scale = unwoundSum(from, length, i) * ((pathOne[from + i] as number) - (pathZero[from + i] as number));
      const at = (pathFeature[from + i] as number) * targets;
      for (let target = 0; target < targets; target++)
        phi[at + target] = (phi[at + target] as number) + scale * (values[value + target] as number);
    }
  };

  const walk = (
    node: number,
    parent: number,
    parentLength: number,
    zero: number,
    one: number,
    column: number,
  ): void => {
    let length = parentLength + 1;
    const from = parent + length;
    for (let i = 0; i < length; i++) {
      pathFeature[from + i] = pathFeature[parent + i] as number;
      pathZero[from + i] = pathZero[parent + i] as number;
      pathOne[from + i] = pathOne[parent + i] as number;
      pathWeight[from + i] = pathWeight[parent + i] as number;
    }
    extend(from, length, zero, one, column);
    if (comparison[node] === 0) {
      leaf(node, from, length);
      return;
    }
    const compared = feature[node] as number;
    const goesTrue = holds(trees, node, row[compared] as number);
    const hot = (goesTrue ? ifTrue[node] : ifFalse[node]) as number;
    const cold = (goesTrue ? ifFalse[node] : ifTrue[node]) as number;
    let incomingZero = 1;
    let incomingOne = 1;
    // A column that was compared before on this path counts once.
    for (let place = 1; place <= length; place++) {
      if (pathFeature[from + place] !== compared) continue;
      incomingZero = pathZero[from + place] as number;
      incomingOne = pathOne[from + place] as number;
      unwind(from, length, place);
      length--;
      break;
    }
    const passed = cover[node] as number;
    walk(hot, from, length, ((cover[hot] as number) / passed) * incomingZero, incomingOne, compared);
    walk(cold, from, length, ((cover[cold] as number) / passed) * incomingZero, 0, compared);
  };

  for (const root of trees.roots) {
    if (comparison[root] === 0) continue;
    // The path of a root is one entry that stands for no column.
    walk(root, 0, -1, 1, 1, -1);
  }
  return phi;
}
