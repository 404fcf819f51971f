import type { TreeEnsemble } from '../../src/explanation/trees/tree-ensemble.ts';

/** Full trees of one target, whose columns, thresholds, counts and leaves are drawn at random: the same each time. */
export function randomTrees(count: number, depth: number, columns: number): TreeEnsemble {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const perTree = 2 ** (depth + 1) - 1;
  const nodes = count * perTree;
  const made = {
    roots: new Int32Array(count),
    ifTrue: new Int32Array(nodes).fill(-1),
    ifFalse: new Int32Array(nodes).fill(-1),
    feature: new Int32Array(nodes),
    threshold: new Float64Array(nodes),
    comparison: new Uint8Array(nodes),
    missingIsTrue: new Uint8Array(nodes),
    cover: new Float64Array(nodes),
    values: new Float64Array(nodes),
    targets: 1,
    base: new Float64Array(1),
    depth,
    columns,
  };
  for (let tree = 0; tree < count; tree++) {
    const root = tree * perTree;
    made.roots[tree] = root;
    made.cover[root] = 10_000;
    for (let at = 0; at < perTree; at++) {
      const [node, left, right] = [root + at, root + 2 * at + 1, root + 2 * at + 2];
      if (2 * at + 2 >= perTree) {
        made.values[node] = random() - 0.5;
        continue;
      }
      made.comparison[node] = 1;
      made.ifTrue[node] = left;
      made.ifFalse[node] = right;
      made.feature[node] = Math.floor(random() * columns);
      made.threshold[node] = Math.fround(random());
      const share = 0.2 + 0.6 * random();
      made.cover[left] = share * (made.cover[node] as number);
      made.cover[right] = (1 - share) * (made.cover[node] as number);
    }
  }
  return made;
}
