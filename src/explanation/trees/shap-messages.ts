import type { TreeEnsemble } from './tree-ensemble.ts';

/** To the thread: what it shall work out. */
export interface ShapJob {
  readonly id: number;
  readonly trees: TreeEnsemble;
  readonly row: Float64Array;
}

/** From the thread: see treeShap. */
export interface ShapAnswer {
  readonly id: number;
  readonly phi: Float64Array;
}
