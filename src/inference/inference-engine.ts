import type { EngineReport } from '../model-catalog/engine-report.ts';
import type { ModelRow } from '../model-catalog/model-row.ts';
import type { InputForm, OutputForm } from '../model-catalog/model-tensors.ts';
import type { GraphFacts } from '../model-catalog/registration/graph-facts.ts';
import type { RunOptions } from '../model-catalog/run-options.ts';
import type { TensorForm, Tensors } from '../model-catalog/tensor.ts';

/**
 * Port to whatever runs a model. Rows in, rows out; nothing above it knows threads, batches or devices.
 * Numbers are double precision; the values of a row are in the order of the manifest's input columns.
 */
export interface InferenceEngine {
  /**
   * What the file of a graph says about itself; undefined where another server runs the model and the file is no ONNX model.
   * Throws MODEL_INVALID where it cannot be read.
   */
  describe(model: Pick<EngineModel, 'key' | 'artefact'>): GraphFacts | undefined;
  /** Loads the artefact and checks names, types and shapes against the manifest. Throws MODEL_INVALID. */
  load(model: EngineModel): Promise<LoadedModel>;
  close(): Promise<void>;
}

export interface EngineModel {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly artefact: Uint8Array;
  /** Every input of the graph; a row holds their columns one after the other. */
  readonly inputs: readonly InputForm[];
  /** Those outputs of the graph that are read, whose columns an answer holds one after the other. */
  readonly outputs: readonly OutputForm[];
  /** Rows the model is tried with at load, such as those of its golden cases; none: made-up ones. */
  readonly samples?: readonly ModelRow[];
  /**
   * A test of the caller, called once before the model is opened where it serves, with the model as it runs in a process whose
   * crash, hang or greed harms nobody (where another server runs it, there). What it throws refuses the model. A row that a rule of ours
   * refuses, since an element of it or of its answer cannot be used, fails with a RangeError as the cause; one that the graph
   * fails on with another or none.
   */
  readonly prove?: (run: LoadedModel['run']) => Promise<void>;
}

export interface LoadedModel {
  /**
   * @param rows n rows of as many finite numbers, or texts, as `inputs` have columns, or NaN where an input accepts it; not to
   * be changed before the answer
   * @returns n rows of as many numbers as `outputs` have columns; for the grades bitwise, padded and single a row gives the
   * same bits alone and in company
   * Throws INFERENCE_FAILED, ENGINE_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED.
   */
  run(rows: readonly ModelRow[], options?: RunOptions): Promise<number[][]>;
  /**
   * Runs the graph on tensors as they are, whatever it takes; the finite-number rule of `run` does not apply.
   * @param feeds one tensor for each of `inputs`, not to be changed before the answer; a fault is PARAMETER_INVALID
   * @param wanted names of `outputs`; absent: all
   * Throws as `run` does.
   */
  infer(feeds: Tensors, wanted?: readonly string[], options?: RunOptions): Promise<Tensors>;
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  readonly report: EngineReport;
  release(): Promise<void>;
}
