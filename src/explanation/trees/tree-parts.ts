import type { PartsOfRow } from '../explain-margin.ts';
import { halfBit } from '../float32.ts';
import type { TreeParts } from '../graph/margin.ts';
import { treeMagnitudes } from './tree-ensemble.ts';

/** What the trees look at, of one model row: as ONNX Runtime compares it. */
export function treeRow({ columns }: TreeParts, row: readonly number[]): Float64Array {
  return Float64Array.from(columns, ({ from, exact }) => exact(row[from] ?? Number.NaN));
}

/**
 * What the targets of trees are on average, and how much each column moved them for one subject.
 * @param expected see expectedTargets
 * @param compared see treeRow
 * @param phi see treeShap
 */
export function treeParts(
  { ensemble, columns }: TreeParts,
  expected: Float64Array,
  compared: Float64Array,
  phi: Float64Array,
): PartsOfRow {
  return {
    expected,
    // Each tree is added in float32, in an order of the engine's own.
    rounding: treeMagnitudes(ensemble, compared).map((sum) => ensemble.roots.length * halfBit * sum),
    moved: Array.from(phi, (difference, index) => ({
      column: columns[Math.floor(index / ensemble.targets)]?.from ?? Number.NaN,
      part: index % ensemble.targets,
      difference,
    })),
  };
}
