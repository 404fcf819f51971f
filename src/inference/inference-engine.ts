/**
 * Port to whatever runs a model. Rows in, rows out; nothing above it knows threads, batches or devices.
 * Numbers are double precision; `columns` values are in the order of the manifest's input columns.
 */
export interface InferenceEngine {
  /** Loads the artefact and checks names, types and shapes against the manifest. Throws MODEL_INVALID. */
  load(model: EngineModel): Promise<LoadedModel>;
  close(): Promise<void>;
}

export interface EngineModel {
  /** `id@version`, for messages. */
  readonly key: string;
  readonly artefact: Uint8Array;
  readonly input: {
    readonly name: string;
    readonly type: 'float32' | 'float64';
    readonly columns: number;
    /** The model takes NaN for a value that is missing on purpose; without it a row with NaN is refused. */
    readonly acceptsNaN?: boolean;
  };
  readonly output: { readonly name: string; readonly type: 'float32' | 'float64'; readonly columns: number };
}

export interface LoadedModel {
  /**
   * @param rows n rows of `input.columns` finite numbers, or NaN where the input accepts it
   * @returns n rows of `output.columns` numbers; a row gives the same bits alone and in company
   * Throws INFERENCE_FAILED.
   */
  run(rows: readonly (readonly number[])[]): Promise<number[][]>;
  release(): Promise<void>;
}
