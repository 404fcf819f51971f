import { inferTensors } from '../../src/inference/graph-model.ts';
import { createGraphParts, type GraphPartsOptions } from '../../src/inference/graph-parts.ts';
import { type GraphRequest, openGraph } from '../../src/inference/open-graph.ts';
import type { OpenedGraph } from '../../src/inference/served-graph.ts';
import type { RunOptions } from '../../src/model-catalog/run-options.ts';
import type { Tensors } from '../../src/model-catalog/tensor.ts';

export interface InferringGraph extends OpenedGraph {
  infer(feeds: Tensors, wanted?: readonly string[], options?: RunOptions): Promise<Tensors>;
}

/** Opens graphs that have no manifest as the engine does: tried, placed, with their queue. */
export interface GraphOpener {
  open(artefact: Uint8Array, change?: Partial<GraphRequest>): Promise<InferringGraph>;
  close(): Promise<void>;
}

export function createGraphOpener(options: GraphPartsOptions = {}): GraphOpener {
  const parts = createGraphParts(options);
  return {
    async open(artefact, change = {}) {
      const graph = await openGraph(parts, {
        key: 'test@1.0.0',
        artefact,
        isolated: false,
        device: { policy: 'cpu', provider: 'cpu' },
        ...change,
      });
      return { ...graph, infer: (feeds, wanted, runOptions = {}) => inferTensors(graph, feeds, wanted, runOptions) };
    },
    close: () => parts.close(),
  };
}
