import type { DevicePolicy, DeviceReport } from '../model-catalog/engine-report.ts';
import type { GraphFacts } from '../model-catalog/registration/graph-facts.ts';
import { PredictionError } from '../platform/errors.ts';
import type { Devices } from './devices/create-devices.ts';
import { modelCandidate } from './devices/model-candidate.ts';
import { graphFacts } from './graph-facts.ts';
import { createGraphParts, type GraphPartsOptions } from './graph-parts.ts';
import type { EngineModel, InferenceEngine, LoadedModel } from './inference-engine.ts';
import { loadedModel } from './loaded-model.ts';
import { sampleTensors } from './matrix-model.ts';
import { type GraphParts, openGraph } from './open-graph.ts';
import type { OpenedGraph } from './served-graph.ts';

export interface OnnxEngineOptions extends GraphPartsOptions {
  /** What the site says of a model, by its key; absent: all are trusted, on the CPU. */
  readonly isIsolated?: (key: string) => boolean;
  /** The devices of this machine, which the engine closes with itself; absent: all models run on the CPU. */
  readonly devices?: Devices;
  /** What the site wants of devices for a model, by its key; absent: `cpu` for all. */
  readonly policyOf?: (key: string) => DevicePolicy;
}

const onCpu: DeviceReport = { policy: 'cpu', provider: 'cpu' };

/** ONNX Runtime behind the port: each model is tried, and run where it keeps nobody waiting. */
export function createOnnxEngine(options: OnnxEngineOptions = {}): InferenceEngine {
  const { isIsolated = () => false, devices, policyOf = () => 'cpu' } = options;
  const parts = createGraphParts(options);
  const loaded = new Set<Promise<LoadedModel>>();
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    await devices?.close(); // whatever is still tried there is given up
    const models = await Promise.allSettled(loaded);
    loaded.clear();
    const released = await Promise.allSettled(
      models.map((model) => (model.status === 'fulfilled' ? model.value.release() : undefined)),
    );
    await parts.close();
    for (const each of released) if (each.status === 'rejected') throw each.reason;
  };
  return {
    describe: ({ key, artefact }) => readableFacts(key, artefact),
    load(model) {
      if (closing !== undefined)
        return Promise.reject(new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.'));
      const loading = loadModel(
        parts,
        model,
        { isolated: isIsolated(model.key), device: deviceFor(model, devices, policyOf(model.key)) },
        () => loaded.delete(loading),
      );
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

function readableFacts(key: string, artefact: Uint8Array): GraphFacts {
  try {
    return graphFacts(artefact);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PredictionError(
      'MODEL_INVALID',
      `Model ${key} is refused: model.onnx is not an ONNX model: ${cause.message}.`,
      {
        cause,
      },
    );
  }
}

/** Throws MODEL_NOT_READY where a GPU is required and none will do. */
async function deviceFor(
  model: EngineModel,
  devices: Devices | undefined,
  policy: DevicePolicy,
): Promise<DeviceReport> {
  if (policy === 'cpu') return onCpu;
  if (devices === undefined)
    throw new PredictionError('INTERNAL', `${model.key} wants a GPU of an engine that was given no devices.`);
  return (await devices.choose(modelCandidate(model), policy)).report;
}

async function loadModel(
  parts: GraphParts,
  model: EngineModel,
  { isolated, device }: { readonly isolated: boolean; readonly device: Promise<DeviceReport> },
  forget: () => void,
): Promise<LoadedModel> {
  const { key, artefact, inputs, outputs, prove } = model;
  const graph = await openGraph(parts, {
    key,
    artefact,
    declared: { inputs, outputs },
    ...sampleTensors(model),
    isolated,
    device: await device,
    ...(prove && { prove: (opened: OpenedGraph) => prove(loadedModel(model, opened, () => undefined).run) }),
  });
  return loadedModel(model, graph, forget);
}
