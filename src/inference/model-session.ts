import type { TensorForm, Tensors } from '../model-catalog/tensor.ts';

/** The execution providers that can be asked for. @see https://onnxruntime.ai/docs/execution-providers */
export type Provider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu';

/** A graph that is to be run. */
export interface SessionRequest {
  /** `id@version`, for messages. */
  readonly key: string;
  /** The bytes of model.onnx. */
  readonly artefact: Uint8Array;
  readonly provider: Provider;
  /** Threads of one operator. */
  readonly threads: number;
}

/**
 * Port to one opened graph, wherever it runs: in this thread, in another thread or process, on another server.
 * Calls may overlap; each gets its own answer.
 */
export interface ModelSession {
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  /** Outputs that are no tensors (sequences, maps): they cannot be asked for. */
  readonly otherOutputs: readonly string[];
  /**
   * @param feeds one tensor for each input, of the declared form
   * @param wanted names of `outputs`
   * Throws INFERENCE_FAILED where the graph fails, ENGINE_UNAVAILABLE where what runs it is gone.
   */
  run(feeds: Tensors, wanted: readonly string[]): Promise<Tensors>;
  /** Waits for the runs in progress. */
  release(): Promise<void>;
}
