import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { randomTrees } from '../../bench/support/random-trees.ts';
import { createExplainer } from '../../src/explanation/create-explainer.ts';
import { readTreeEnsemble } from '../../src/explanation/trees/read-tree-ensemble.ts';
import { expectedTargets, holds, type TreeEnsemble, treeTargets } from '../../src/explanation/trees/tree-ensemble.ts';
import { treeShap } from '../../src/explanation/trees/tree-shap.ts';
import { createTreeShapWorker, type TreeShapWorker } from '../../src/explanation/trees/tree-shap-worker.ts';
import { openOnnxSession } from '../../src/inference/onnx-session.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';
import { onnxBytes } from '../support/onnx-model.ts';
import { vectorManifest } from '../support/shap-vectors.ts';
import { treeNode } from '../support/tree-node.ts';

const read = (changes: Parameters<typeof treeNode>[0] = {}, doubles = false): TreeEnsemble =>
  readTreeEnsemble(treeNode(changes), 2, doubles);

describe('trees read from their attributes', () => {
  test('give what their leaves say, and on average what the samples say that passed them', () => {
    const trees = read();
    expect([...treeTargets(trees, [1, 2])]).toEqual([21]);
    expect([...treeTargets(trees, [1.5, 1.5])]).toEqual([12]);
    expect(expectedTargets(trees)[0]).toBeCloseTo(0.3 * 1 + 0.7 * 2 + 0.5 * 10 + 0.5 * 20, 12);
  });

  test('as an average are divided by their number, and begin with their base value', () => {
    const trees = read({ aggregate_function: 'AVERAGE', base_values: [100] });
    expect([...treeTargets(trees, [1, 2])]).toEqual([110.5]);
  });

  test('compare a float32 with a float32, and a float64 with a float64', () => {
    const value = [0.1, 0, 0, 2, 0, 0];
    expect(read({ nodes_values: value }).threshold[0]).toBe(Math.fround(0.1));
    expect(read({ nodes_values: value }, true).threshold[0]).toBe(0.1);
  });

  test.each([
    ['BRANCH_LEQ', [true, true, false]],
    ['BRANCH_LT', [true, false, false]],
    ['BRANCH_GTE', [false, true, true]],
    ['BRANCH_GT', [false, false, true]],
    ['BRANCH_EQ', [false, true, false]],
    ['BRANCH_NEQ', [true, false, true]],
  ])('%s is true below, at and above the threshold as ONNX has it', (mode, wanted) => {
    const trees = read({ nodes_modes: [mode, 'LEAF', 'LEAF', 'BRANCH_LT', 'LEAF', 'LEAF'] });
    expect([0.5, 1, 1.5].map((x) => holds(trees, 0, x))).toEqual(wanted);
  });

  test('let a missing value go where the node says', () => {
    expect(holds(read(), 0, Number.NaN)).toBe(false);
    expect(holds(read({ nodes_missing_value_tracks_true: [1, 0, 0, 0, 0, 0] }), 0, Number.NaN)).toBe(true);
  });

  test.each<[string, Parameters<typeof treeNode>[0], RegExp]>([
    ['count 1 for every node, as converters write', { nodes_hitrates: [1, 1, 1, 1, 1, 1] }, /all 1\).*hitrates\.py/],
    ['count nothing', { nodes_hitrates: undefined }, /do not say how many samples.*permutation-shapley/],
    ['count a node that nobody passed', { nodes_hitrates: [100, 0, 100, 100, 50, 50] }, /a node that 0 samples passed/],
    ['count more children than their parent', { nodes_hitrates: [100, 60, 70, 100, 50, 50] }, /its children 130/],
    [
      'have a mode that nobody knows',
      { nodes_modes: ['BRANCH_MEMBER', 'LEAF', 'LEAF', 'LEAF', 'LEAF', 'LEAF'] },
      /BRANCH_MEMBER/,
    ],
    ['are the least of each other', { aggregate_function: 'MIN' }, /explained are SUM and AVERAGE/],
    ['lead back to themselves', { nodes_truenodeids: [0, 0, 0, 1, 0, 0] }, /lead back|two branches/],
    ['lead to one node twice', { nodes_truenodeids: [2, 0, 0, 1, 0, 0] }, /two branches lead to/],
    ['lead nowhere', { nodes_falsenodeids: [9, 0, 0, 2, 0, 0] }, /to node 9, which is none/],
    ['have a number twice', { nodes_nodeids: [0, 1, 1, 0, 1, 2] }, /two nodes of the same number/],
    [
      'look at a column that is not there',
      { nodes_featureids: [5, 0, 0, 1, 0, 0] },
      /look at column 5; the ensemble is given 2/,
    ],
    ['weigh a node that is no leaf', { target_nodeids: [0, 2, 1, 2] }, /no leaf/],
    ['weigh a target that is not there', { n_targets: 2, target_ids: [0, 0, 0, 3] }, /target 3 of 2/],
    ['have a base for another number of targets', { base_values: [1, 2, 3] }, /3 base values for 1 targets/],
    ['have fewer numbers than nodes', { nodes_nodeids: [0, 1] }, /not as many/],
  ])('are refused where they %s', (_, changes, message) => {
    expect(() => read(changes)).toThrow(message);
    expect(() => read(changes)).toThrow(SyntaxError);
  });
});

/** What the trees give where only some columns are known: at a branch of another both sides count by their samples. */
function knownGives(trees: TreeEnsemble, row: readonly number[], known: ReadonlySet<number>): number {
  const at = (node: number): number => {
    if (trees.comparison[node] === 0) return trees.values[node] as number;
    const [yes, no] = [trees.ifTrue[node] as number, trees.ifFalse[node] as number];
    const column = trees.feature[node] as number;
    if (known.has(column)) return at(holds(trees, node, row[column] as number) ? yes : no);
    const share = (trees.cover[yes] as number) / (trees.cover[node] as number);
    return share * at(yes) + (1 - share) * at(no);
  };
  return [...trees.roots].reduce((sum, root) => sum + at(root), 0);
}

/** Shapley values by their definition: over all sets of the other columns. */
function shapleyByDefinition(trees: TreeEnsemble, row: readonly number[]): number[] {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const all = row.length;
  return row.map((_, column) => {
    let sum = 0;
    for (let mask = 0; mask < 2 ** all; mask++) {
      const known = new Set(row.keys().filter((each) => (mask >> each) & 1));
      if (known.has(column)) continue;
      const weight = (factorial(known.size) * factorial(all - known.size - 1)) / factorial(all);
      sum += weight * (knownGives(trees, row, new Set([...known, column])) - knownGives(trees, row, known));
    }
    return sum;
  });
}

describe('an ensemble of many trees', () => {
  test('is not refused for the float32 in which its trees are added up', async () => {
    const count = 1000;
    const nodes = Array.from({ length: 3 * count }, (_, index) => ({ tree: Math.floor(index / 3), node: index % 3 }));
    const leaves = nodes.filter(({ node }) => node > 0);
    const every = (branch: number, leaf: number) => ({ ints: nodes.map(({ node }) => (node === 0 ? branch : leaf)) });
    const attributes = {
      nodes_treeids: { ints: nodes.map(({ tree }) => tree) },
      nodes_nodeids: { ints: nodes.map(({ node }) => node) },
      nodes_featureids: { ints: nodes.map(({ tree, node }) => (node === 0 ? tree % 2 : 0)) },
      nodes_modes: { texts: nodes.map(({ node }) => (node === 0 ? 'BRANCH_LEQ' : 'LEAF')) },
      nodes_values: { floats: nodes.map(({ tree, node }) => (node === 0 ? tree / count : 0)) },
      nodes_hitrates: { floats: nodes.map(({ node }) => (node === 0 ? 100 : 50)) },
      nodes_truenodeids: every(1, 0),
      nodes_falsenodeids: every(2, 0),
      nodes_missing_value_tracks_true: every(0, 0),
      target_treeids: { ints: leaves.map(({ tree }) => tree) },
      target_nodeids: { ints: leaves.map(({ node }) => node) },
      target_ids: { ints: leaves.map(() => 0) },
      target_weights: { floats: leaves.map(({ node }) => node / 3) },
      n_targets: { int: 1 },
    };
    const artefact = onnxBytes({
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['n', 1] }],
      nodes: [{ op: 'TreeEnsembleRegressor', domain: 'ai.onnx.ml', inputs: ['x'], outputs: ['y'], attributes }],
    });
    const explanation = { method: 'tree-shap' as const, against: 'the average', because: 'tests' };
    const vectors = { name: 'many', artefact, input: 'x', output: 'y', outputColumns: 1, column: 0 };
    const manifest = vectorManifest(
      { ...vectors, scale: 'score', rows: [[0, 0]], base: 0, contributions: [] },
      explanation,
    );
    const explainer = createExplainer({ manifest, artefact, featureMap: { features: {} } }, createTreeShapWorker());
    const session = await openOnnxSession({ key: 'many', artefact, provider: 'cpu', threads: 1 });
    const run = async ([row = []]: readonly ModelRow[]) => {
      const data = Float32Array.from(row, Number);
      const found = await session.run(new Map([['x', { type: 'float32' as const, dims: [1, 2], data }]]), ['y']);
      return [Array.from(found.get('y')?.data as Float32Array)];
    };
    try {
      const shares: number[] = [];
      for (let step = 0; step < 20; step++) {
        const inputs = [step / 20, 1 - step / 30];
        const { bases, contributions } = await explainer({
          inputs,
          features: new Map(),
          outcomes: manifest.outcomes,
          run,
        });
        const sum = contributions.reduce((total, { difference }) => total + difference, bases[0]?.base ?? Number.NaN);
        shares.push(Math.abs(bases[0]?.residual ?? Number.NaN) / sum);
      }
      // Some would have been refused for 1e-6 of the sum, and none misses what would be another model.
      expect(Math.max(...shares)).toBeGreaterThan(1e-6);
      expect(Math.max(...shares)).toBeLessThan(1e-4);
    } finally {
      await session.release();
    }
  });
});

describe('TreeSHAP', () => {
  test('gives the Shapley values by their definition, for any row, and they add up', () => {
    const trees = randomTrees(3, 5, 4);
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }), (row) => {
        const phi = [...treeShap(trees, row)];
        for (const [column, wanted] of shapleyByDefinition(trees, row).entries())
          expect(phi[column]).toBeCloseTo(wanted, 10);
        const sum = phi.reduce((total, each) => total + each, expectedTargets(trees)[0] as number);
        expect(sum).toBeCloseTo(treeTargets(trees, row)[0] as number, 10);
      }),
      { numRuns: 30 },
    );
  });

  test('of a tree that is a leaf says nothing', () => {
    const leaf = { ...randomTrees(1, 0, 2), depth: 0 };
    expect([...treeShap(leaf, [0, 0])]).toEqual([0, 0]);
  });
});

describe('the thread that works out long explanations', () => {
  let worker: TreeShapWorker | undefined;
  afterEach(() => worker?.close());

  test('answers many at once, each with its own', async () => {
    worker = createTreeShapWorker(0);
    const trees = randomTrees(2, 3, 4);
    const shap = worker.measured([trees]);
    const rows = Array.from({ length: 20 }, (_, index) => Float64Array.from([index / 20, 0.5, 1 - index / 20, 0.2]));
    expect(await Promise.all(rows.map((row) => shap(trees, row)))).toEqual(rows.map((row) => treeShap(trees, row)));
  });

  test('is found to be needed long before a great forest would have been worked out: others wait meanwhile', () => {
    worker = createTreeShapWorker(5);
    const trees = randomTrees(1, 7, 4);
    // The same tree many times over: minutes, were all of them tried.
    const many = { ...trees, roots: new Int32Array(1_000_000).fill(trees.roots[0] as number) };
    const from = performance.now();
    worker.measured([many]);
    expect(performance.now() - from).toBeLessThan(500);
  });

  test('once closed refuses, and never answers late', async () => {
    worker = createTreeShapWorker(0);
    const trees = randomTrees(2, 3, 4);
    const shap = worker.measured([trees]);
    const row = new Float64Array(4);
    const asked = shap(trees, row);
    const outcome = Promise.allSettled([asked]);
    await worker.close();
    expect(['fulfilled', 'rejected']).toContain((await outcome)[0].status);
    await expect(shap(trees, row)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  });
});
