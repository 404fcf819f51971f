import { holds, type TreeEnsemble } from '../../src/explanation/trees/tree-ensemble.ts';

/** A path as the paper writes it, a list for each: columns, shares of paths without and with them, weights. */
interface Path {
  readonly d: number[];
  readonly z: number[];
  readonly o: number[];
  readonly w: number[];
}

/**
 * TreeSHAP as Algorithm 2 of Lundberg et al. 2020 is written down: a loop over lists of numbers that are copied at each node,
 * and nothing that is worked out ahead. For ensembles of one target.
 */
export function plainTreeShap(trees: TreeEnsemble, row: ArrayLike<number>): number[] {
  const phi = Array.from({ length: trees.columns }, () => 0);
  const recurse = (node: number, parent: Path, z: number, o: number, d: number): void => {
    const path = copy(parent);
    extend(path, z, o, d);
    if (trees.comparison[node] === 0) {
      for (let i = 1; i < path.d.length; i++) {
        const column = path.d[i] as number;
        const share = unwoundSum(path, i) * ((path.o[i] as number) - (path.z[i] as number));
        phi[column] = (phi[column] as number) + share * (trees.values[node] as number);
      }
      return;
    }
    const column = trees.feature[node] as number;
    const goesTrue = holds(trees, node, row[column] as number);
    const hot = (goesTrue ? trees.ifTrue[node] : trees.ifFalse[node]) as number;
    const cold = (goesTrue ? trees.ifFalse[node] : trees.ifTrue[node]) as number;
    const place = path.d.indexOf(column, 1);
    const [knownZ, knownO] = place < 0 ? [1, 1] : [path.z[place] as number, path.o[place] as number];
    if (place >= 0) unwind(path, place);
    const share = (child: number): number => (trees.cover[child] as number) / (trees.cover[node] as number);
    recurse(hot, path, knownZ * share(hot), knownO, column);
    recurse(cold, path, knownZ * share(cold), 0, column);
  };
  for (const root of trees.roots) recurse(root, { d: [], z: [], o: [], w: [] }, 1, 1, -1);
  return phi;
}

function copy({ d, z, o, w }: Path): Path {
  return { d: d.slice(), z: z.slice(), o: o.slice(), w: w.slice() };
}

function extend({ d, z: zs, o: os, w }: Path, z: number, o: number, column: number): void {
  const length = d.length;
  d.push(column);
  zs.push(z);
  os.push(o);
  w.push(length === 0 ? 1 : 0);
  for (let i = length - 1; i >= 0; i--) {
    w[i + 1] = (w[i + 1] as number) + (o * (w[i] as number) * (i + 1)) / (length + 1);
    w[i] = (z * (w[i] as number) * (length - i)) / (length + 1);
  }
}

function unwind({ d, z: zs, o: os, w }: Path, place: number): void {
  const length = d.length - 1;
  const [z, o] = [zs[place] as number, os[place] as number];
  let n = w[length] as number;
  for (let j = length - 1; j >= 0; j--) {
    const t = w[j] as number;
    if (o !== 0) {
      w[j] = (n * (length + 1)) / ((j + 1) * o);
      n = t - ((w[j] as number) * z * (length - j)) / (length + 1);
    } else {
      w[j] = (t * (length + 1)) / (z * (length - j));
    }
  }
  d.splice(place, 1);
  zs.splice(place, 1);
  os.splice(place, 1);
  w.pop();
}

function unwoundSum({ z: zs, o: os, w }: Path, place: number): number {
  const length = w.length - 1;
  const [z, o] = [zs[place] as number, os[place] as number];
  let n = w[length] as number;
  let sum = 0;
  for (let j = length - 1; j >= 0; j--) {
    if (o !== 0) {
      const t = (n * (length + 1)) / ((j + 1) * o);
      sum += t;
      n = (w[j] as number) - (t * z * (length - j)) / (length + 1);
    } else {
      sum += ((w[j] as number) * (length + 1)) / (z * (length - j));
    }
  }
  return sum;
}
