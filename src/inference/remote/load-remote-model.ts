import { PredictionError } from '../../platform/errors.ts';
import type { EngineModel, LoadedModel } from '../inference-engine.ts';
import { loadedModel } from '../loaded-model.ts';
import { sampleTensors } from '../matrix-model.ts';
import { servedGraph } from '../served-graph.ts';
import { tryModel } from '../trial/try-model.ts';
import type { RemoteEngine, RemoteModel } from './remote-engine.ts';

/** About how long timing a model may take, and grading it again, in milliseconds. */
const trialBudgetMs = 150;
/** A joint run may take as long, in milliseconds: it keeps nobody here waiting but those who ask the same model. */
const longestJointMs = 200;

/**
 * A model that another server runs, tried there as one of this server is here: its form against the manifest, how long it takes,
 * and whether rows change each other.
 * Throws ENGINE_UNAVAILABLE, MODEL_INVALID where what is served there is not as the manifest declares, INFERENCE_FAILED where it
 * fails on its samples, and what proving throws.
 * @param forget called once it is released
 */
export async function loadRemoteModel(
  engine: RemoteEngine,
  there: Omit<RemoteModel, 'key'>,
  model: EngineModel,
  forget: () => void,
): Promise<LoadedModel> {
  const { key, artefact, inputs, outputs } = model;
  const open = () => engine.open({ key, ...there });
  const trial = await tryModel(open, {
    session: { key, artefact, provider: 'cpu', threads: 1 },
    declared: { inputs, outputs },
    ...sampleTensors(model),
    budgetMs: trialBudgetMs,
  }).catch((error: unknown) => {
    throw error instanceof PredictionError && error.code === 'MODEL_INVALID' ? served(engine, error) : error;
  });
  const session = await open();
  const graph = servedGraph(session, trial, {
    key,
    longestJointMs,
    // A server that is gone is gone for each of the rows.
    sharesFate: (error) => error instanceof PredictionError && error.code === 'ENGINE_UNAVAILABLE',
    report: {
      place: 'remote',
      because: `ENGINES_FILE has it run by ${engine.name}.`,
      runtime: session.runtime,
      device: { policy: 'cpu', provider: 'remote' },
    },
  });
  const loaded = loadedModel(model, graph, forget);
  try {
    await model.prove?.((rows, options) => loaded.run(rows, options));
  } catch (error) {
    await loaded.release();
    throw error;
  }
  return loaded;
}

/** What is compared with the manifest is not the file beside it. */
function served({ name }: RemoteEngine, error: PredictionError): PredictionError {
  const message = `${error.message} That is what engine ${name} serves in the place of the folder's model.onnx.`;
  return new PredictionError('MODEL_INVALID', message, { cause: error });
}
