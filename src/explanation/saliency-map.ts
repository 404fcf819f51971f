/** Where one image moved the score of one outcome: numbers on a grid laid over its tensor. */
export interface SaliencyMap {
  readonly outcome: string;
  /** Where the rows of the grid have their centres, as rows of the tensor, in which row i covers i to i + 1; rising. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /**
   * Row by row. By occlusion: how much the score falls (of a class its probability) without what lies there, 0 where nothing
   * changes. By activation: what the graph gives, in no unit.
   */
  readonly values: Float32Array;
}
