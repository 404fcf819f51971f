import { PredictionError } from '../../platform/errors.ts';
import { goldenRow, runGoldenCases } from '../golden-cases.ts';
import type { ModelLoader } from '../model-loader.ts';
import { engineForms } from '../model-tensors.ts';
import type { ModelVersion } from '../model-version.ts';
import { checkClassLabels } from './check-class-labels.ts';
import { checkGraph } from './check-graph.ts';
import { checkGoldenSpread } from './golden-spread.ts';
import { type ProofBudget, proveVersion } from './prove-version.ts';
import type { Registration } from './registration.ts';

type Loaded = Awaited<ReturnType<ModelLoader['load']>>;

/**
 * Every check of a version that was read, and the model as it serves.
 * @param budget how much is run
 * Throws MODEL_INVALID and what the engine throws; nothing stays open then.
 */
export async function testVersion(
  version: Pick<ModelVersion, 'key' | 'artefact' | 'manifest' | 'featureMap' | 'goldenCases'>,
  engine: ModelLoader,
  registration: Pick<Registration, 'check' | 'know'>,
  budget: ProofBudget,
): Promise<Loaded> {
  const { key, artefact, manifest, featureMap, goldenCases } = version;
  const { facts } = await registration.check('graph', () => {
    const facts = engine.describe({ key, artefact });
    if (facts === undefined) return { tested: 'nothing: another server runs it', count: 0, facts };
    registration.know({ graph: facts });
    return { ...checkGraph(facts, manifest), facts };
  });
  await registration.check('class-labels', () => checkClassLabels(facts ?? { labelled: [] }, manifest));
  await registration.check('golden-spread', () => checkGoldenSpread(manifest, goldenCases));
  const { model } = await registration.check('engine', async () => {
    let proved = false;
    const model = await engine.load({
      key,
      artefact,
      ...engineForms(manifest),
      samples: goldenCases.map((golden) => goldenRow(golden, manifest, featureMap)),
      prove: async (run) => {
        await proveVersion(version, run, registration, budget);
        proved = true;
      },
    });
    registration.know({ engine: model.report });
    if (!proved)
      throw await released(model, new PredictionError('INTERNAL', `${key} was loaded without being proved.`));
    return { tested: 'batches that were timed', count: model.report.runs.length, model };
  });
  try {
    await registration.check('golden-cases-served', async () => ({
      tested: 'golden cases where the model serves',
      count: goldenCases.length,
      findings: await runGoldenCases(version, (rows) => model.run(rows)),
    }));
  } catch (error) {
    throw await released(model, error);
  }
  return model;
}

/** The error, once the model is released. */
async function released(model: Loaded, error: unknown): Promise<unknown> {
  await model.release();
  return error;
}
