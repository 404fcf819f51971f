import type { Tensors } from '../../model-catalog/tensor.ts';

/** How what several calls bring becomes the tensors of one run, and what comes of the run the answer of each. */
export interface RowForm<Input, Answer> {
  /** How many rows an input has. */
  count(input: Input): number;
  /**
   * The rows of all inputs one after the other.
   * A promise where they are so large that they are put together in turns of the event loop.
   * @param rows up to which the last one is repeated; absent: there is one input, which goes in as it is
   */
  join(inputs: readonly Input[], rows?: number): Tensors | Promise<Tensors>;
  /**
   * The answer to a call of `rows` rows.
   * @param from the first of its rows among those of the run; absent: the run was of its rows and no others
   * Throws INFERENCE_FAILED where what came is no answer.
   */
  split(outputs: Tensors, rows: number, from?: number): Answer;
  /** Rows `from` to `to` of an input. */
  slice(input: Input, from: number, to: number): Input;
  /** The answers to the parts of a call, which has `rows` rows, as one. */
  merge(answers: readonly Answer[], rows: number): Answer;
}
