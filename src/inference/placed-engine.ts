import type { GraphFacts } from '../model-catalog/registration/graph-facts.ts';
import { PredictionError } from '../platform/errors.ts';
import { graphFacts } from './graph-facts.ts';
import type { InferenceEngine, LoadedModel } from './inference-engine.ts';
import { type Engines, placementOf } from './read-engines.ts';
import { loadRemoteModel } from './remote/load-remote-model.ts';
import { createRemoteEngine, type RemoteEngine } from './remote/remote-engine.ts';

/**
 * Models where ENGINES_FILE has them run: on the remote engine that it names, else here.
 * @param here closed with it
 */
export function createPlacedEngine(engines: Engines, here: InferenceEngine): InferenceEngine {
  const remote = new Map<string, RemoteEngine>(
    Object.entries(engines.remote).map(([name, settings]) => [name, createRemoteEngine(name, settings)]),
  );
  const loaded = new Set<Promise<LoadedModel>>();
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    const models = await Promise.allSettled(loaded);
    const closed = await Promise.allSettled(
      models.map((model) => (model.status === 'fulfilled' ? model.value.release() : undefined)),
    );
    closed.push(...(await Promise.allSettled([here, ...remote.values()].map((engine) => engine.close()))));
    for (const each of closed) if (each.status === 'rejected') throw each.reason;
  };
  return {
    describe(model) {
      if (placementOf(engines, model.key).remote === undefined) return here.describe(model);
      return factsForAnother(model.artefact);
    },
    load(model) {
      const placement = placementOf(engines, model.key);
      if (placement.remote === undefined) return here.load(model);
      const { engine: name, ...there } = placement.remote;
      const engine = remote.get(name);
      if (engine === undefined)
        return Promise.reject(new PredictionError('INTERNAL', `Engine ${name} was not read from ENGINES_FILE.`));
      if (closing !== undefined)
        return Promise.reject(new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.'));
      const loading = loadRemoteModel(engine, there, model, () => loaded.delete(loading));
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

/** What another server runs may have operators of its own, and need be no ONNX model at all. */
function factsForAnother(artefact: Uint8Array): GraphFacts | undefined {
  try {
    return { ...graphFacts(artefact), unknownDomains: [] };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
