import type { DeviceReport } from '../model-catalog/engine-report.ts';
import { PredictionError } from '../platform/errors.ts';
import { createGraphParts, type GraphPartsOptions } from './graph-parts.ts';
import type { EngineModel, InferenceEngine, LoadedModel } from './inference-engine.ts';
import { loadedModel } from './loaded-model.ts';
import { sampleTensors } from './matrix-model.ts';
import { type GraphParts, openGraph } from './open-graph.ts';

export interface OnnxEngineOptions extends GraphPartsOptions {
  /** What the site says of a model, by its key; absent: all are trusted, on the CPU. */
  readonly isIsolated?: (key: string) => boolean;
}

const onCpu: DeviceReport = { policy: 'cpu', provider: 'cpu' };

/** ONNX Runtime behind the port: each model is tried, and run where it keeps nobody waiting. */
export function createOnnxEngine(options: OnnxEngineOptions = {}): InferenceEngine {
  const { isIsolated = () => false } = options;
  const parts = createGraphParts(options);
  const loaded = new Set<Promise<LoadedModel>>();
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    const models = await Promise.allSettled(loaded);
    loaded.clear();
    await Promise.all(models.map((model) => (model.status === 'fulfilled' ? model.value.release() : undefined)));
    await parts.close();
  };
  return {
    load(model) {
      if (closing !== undefined)
        return Promise.reject(new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.'));
      const loading = loadModel(parts, model, isIsolated(model.key), () => loaded.delete(loading));
      loaded.add(loading);
      loading.catch(() => loaded.delete(loading));
      return loading;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function loadModel(
  parts: GraphParts,
  model: EngineModel,
  isolated: boolean,
  forget: () => void,
): Promise<LoadedModel> {
  const { key, artefact, input, output } = model;
  const graph = await openGraph(parts, {
    key,
    artefact,
    matrix: { input, output },
    ...sampleTensors(model),
    isolated,
    device: onCpu,
  });
  return loadedModel(model, graph, forget);
}
