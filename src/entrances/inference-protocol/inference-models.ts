import type { TensorForm, Tensors } from '../../model-catalog/tensor.ts';

/** Port to the models as the protocol sees them: graphs that take tensors and give tensors. */
export interface InferenceModels {
  /**
   * @param version absent: the default
   * Throws MODEL_UNKNOWN, MODEL_DISABLED, or MODEL_NOT_READY where the folder was refused or there is no default.
   */
  find(name: string, version?: string): ServedModel;
  /** What is found meanwhile stays loaded until the work ends, whatever is removed. */
  held<T>(work: () => Promise<T>): Promise<T>;
  /** Of a model that is there. */
  versionsOf(name: string): readonly string[];
  /** Whether every folder of the models was loaded. */
  allReady(): boolean;
}

export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorForm[];
  readonly outputs: readonly TensorForm[];
  /** Inputs of which the manifest says that NaN stands for a value that is missing on purpose. */
  readonly acceptsNaN: ReadonlySet<string>;
  /** Throws MODEL_DISABLED, also where it is switched off meanwhile, INFERENCE_FAILED, ENGINE_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED. */
  infer(feeds: Tensors, wanted: readonly string[], options: InferOptions): Promise<Tensors>;
}

export interface InferOptions {
  /** Whoever waits at a bedside of this server goes first. */
  readonly lane: 'batch';
  /** On the clock of performance.now(), in milliseconds. */
  readonly answerBy: number;
  /** Aborted when that time has come, or the caller has gone. */
  readonly signal: AbortSignal;
}
