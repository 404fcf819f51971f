import type { TreeEnsemble } from '../trees/tree-ensemble.ts';

/** One column of a tensor that is made of one column of the model row by additions and multiplications of constants. */
export interface OneColumn {
  /** Index in the model row. */
  readonly from: number;
  /** The column is `scale * x + offset`, worked out in float64. */
  readonly scale: number;
  readonly offset: number;
  /** The number that ONNX Runtime makes of it, step by step in the element type of the tensor. */
  exact(x: number): number;
}

/** A tensor of rows by columns, each made of one column of the model row. */
export interface Columns {
  readonly kind: 'columns';
  readonly type: 'float32' | 'float64';
  readonly columns: readonly OneColumn[];
}

/** What is done to margins, all columns of a row together. */
export type Link = 'logistic' | 'softmax' | 'share';

/**
 * A tensor of rows by columns: each column a sum of weighted parts and a constant, and then the links. The parts are the
 * columns of a tensor, or what the trees of an ensemble give.
 */
export interface Margin {
  readonly kind: 'margin';
  readonly parts: { readonly of: 'columns'; readonly columns: readonly OneColumn[] } | TreeParts;
  /** By column of the tensor, then by part. */
  readonly weights: readonly Float64Array[];
  readonly constants: readonly number[];
  readonly links: readonly Link[];
}

export interface TreeParts {
  readonly of: 'trees';
  /** Its targets are the parts. */
  readonly ensemble: TreeEnsemble;
  /** What the trees look at. */
  readonly columns: readonly OneColumn[];
}

/** A tensor that is nothing of this kind: why, in words. */
export interface Beyond {
  readonly kind: 'beyond';
  readonly because: string;
}

export type Traced = Columns | Margin | Beyond;
