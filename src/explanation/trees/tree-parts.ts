import type { PartsOfRow } from '../explain-margin.ts';
import type { TreeParts } from '../graph/margin.ts';
import { expectedTargets, treeTargets } from './tree-ensemble.ts';

/** What the trees look at, of one model row: as ONNX Runtime compares it. */
export function treeRow({ columns }: TreeParts, row: readonly number[]): Float64Array {
  return Float64Array.from(columns, ({ from, exact }) => exact(row[from] ?? Number.NaN));
}

/**
 * What the targets of trees are for one subject and on average, and how much each column moved them.
 * @param compared see treeRow
 * @param phi see treeShap
 */
export function treeParts({ ensemble, columns }: TreeParts, compared: Float64Array, phi: Float64Array): PartsOfRow {
  return {
    values: treeTargets(ensemble, compared),
    expected: expectedTargets(ensemble),
    moved: Array.from(phi, (difference, index) => ({
      column: columns[Math.floor(index / ensemble.targets)]?.from ?? Number.NaN,
      part: index % ensemble.targets,
      difference,
    })),
  };
}
