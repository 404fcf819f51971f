import type { ModelRow, RunRows } from './model-row.ts';
import type { InputForm, OutputForm } from './model-tensors.ts';
import type { LoadedVersion } from './model-version.ts';
import type { GraphFacts } from './registration/graph-facts.ts';

/** Whatever can load an artefact; the inference engine does. */
export interface ModelLoader {
  /**
   * What the file of a graph says about itself; undefined where another server runs the model and the file is no ONNX model.
   * Throws MODEL_INVALID where it cannot be read.
   */
  describe(model: { readonly key: string; readonly artefact: Uint8Array }): GraphFacts | undefined;
  load(model: {
    readonly key: string;
    readonly artefact: Uint8Array;
    readonly inputs: readonly InputForm[];
    readonly outputs: readonly OutputForm[];
    readonly samples: readonly ModelRow[];
    /** Called once, with the model where its crash, hang or greed harms nobody; what it throws refuses the model. */
    readonly prove: (run: RunRows) => Promise<void>;
  }): Promise<
    Pick<LoadedVersion, 'run' | 'infer' | 'inputs' | 'outputs' | 'release'> & {
      readonly report: LoadedVersion['engine'];
    }
  >;
}
