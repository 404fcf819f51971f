import { defaultExclusions } from '../features/default-exclusions.ts';
import { extractFeatures } from '../features/extract-features.ts';
import type { FeatureValue, ModelInputs } from '../features/feature-vector.ts';
import type { ImageReadings } from '../features/image.ts';
import { type ModelOutput, type ModelOutputs, outputKey, reasonsOfAbstention } from '../features/model-output.ts';
import { shownInputs } from '../features/shown-inputs.ts';
import { guessedFeatures } from '../features/todays-status.ts';
import { inputRow, score } from '../inference/score.ts';
import { inputColumns } from '../model-catalog/model-tensors.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { levelAt } from '../model-catalog/outcome-score.ts';
import type { RunOptions } from '../model-catalog/run-options.ts';
import { takenOutputs, usedKey } from '../model-catalog/used-models.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { inputRemarks } from './input-remarks.ts';
import type { UsableModel } from './prediction-parts.ts';

type Using = Pick<UsableModel, 'compiled' | 'uses'>;

const noValues: ReadonlyMap<string, FeatureValue> = new Map();
const noOutputs: ModelOutputs = new Map();
const noImages: ImageReadings = new Map();

type ImagesOf = (compiled: UsableModel['compiled']) => Promise<ImageReadings>;

/**
 * Asks the models whose outputs a map takes about the same record as of the same instant, each as if it was asked itself:
 * its population, its required inputs, its caps on what is imputed. One that abstains is an output too, with its reasons.
 * Each is asked once, however many take its outputs; none about somebody of whom no model may speak.
 * Throws INFERENCE_FAILED where one fails, or the request is given up before one was asked.
 * @param asserted features that the caller gives: what is not needed for any other is not asked for
 * @param options how the models are run
 * @param imagesOf what was read of the images of a map
 */
export async function askUsedModels(
  model: Using,
  record: ClinicalRecord,
  timeZone: string,
  asserted: ReadonlyMap<string, FeatureValue> = noValues,
  options: RunOptions = {},
  imagesOf: ImagesOf = async () => noImages,
): Promise<ModelOutputs> {
  if (model.uses.length === 0) return noOutputs;
  if (defaultExclusions(record, record.asOf.getTime(), timeZone).length > 0) return noOutputs;
  const outputs = new Map<string, ModelOutput>();
  for (const { used, outcomes } of toAsk(model, asserted)) {
    stopIfGivenUp(options.signal);
    const said = await outputsOf(used, record, timeZone, outcomes, outputs, options, await imagesOf(used.compiled));
    for (const [key, output] of said) outputs.set(key, output);
  }
  return outputs;
}

interface Asked {
  readonly used: UsableModel;
  /** All that anybody takes of it. */
  readonly outcomes: Set<string>;
}

/** Each model once, after those that it uses itself. */
function toAsk(model: Using, asserted: ReadonlyMap<string, FeatureValue>): readonly Asked[] {
  const known = new Map<string, Asked>();
  const order: Asked[] = [];
  const visit = ({ compiled, uses }: Using, given: ReadonlyMap<string, FeatureValue>): void => {
    const taken = takenOutputs(compiled.map).filter(({ feature }) => !given.has(feature));
    for (const used of uses) {
      const key = keyOf(used);
      const wanted = taken.filter(({ definition }) => usedKey(definition) === key);
      if (wanted.length === 0) continue;
      const asked = known.get(key) ?? { used, outcomes: new Set() };
      if (!known.has(key)) {
        known.set(key, asked);
        visit(used, noValues);
        order.push(asked);
      }
      for (const { definition } of wanted) asked.outcomes.add(definition.outcome);
    }
  };
  visit(model, asserted);
  return order;
}

function stopIfGivenUp(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof PredictionError) throw signal.reason;
  const message =
    'Not every model whose output is an input had been asked when the request was given up. Try again with more time.';
  throw new PredictionError('INFERENCE_FAILED', message, { issues: [{ code: 'timeout', message }] });
}

async function outputsOf(
  used: UsableModel,
  record: ClinicalRecord,
  timeZone: string,
  wanted: ReadonlySet<string>,
  outputs: ModelOutputs,
  options: RunOptions,
  images: ImageReadings,
): Promise<[key: string, output: ModelOutput][]> {
  const { manifest, compiled } = used;
  const all = extractFeatures(record, compiled, manifest, noValues, timeZone, outputs, images);
  // What is said of it to whoever reads its output; it is scored from all of them.
  const inputs = shownInputs(all, compiled.sensitive);
  const isGuess = guessedFeatures(compiled, all.features, record, timeZone, outputs).size > 0;
  const outcomes = manifest.outcomes.filter(({ id }) => wanted.has(id));
  const scored = outcomes.filter(({ id }) => inputs.verdicts.get(id)?.state === 'score');
  const scores = scored.length === 0 ? new Map<string, number>() : await scoresOf(used, all, scored, options);
  const { confidentiality, hidden } = inputs;
  const said = { sources: inputs.basis, isGuess, ...(confidentiality === undefined ? {} : { confidentiality }) };
  return outcomes.map((outcome) => {
    const { id } = outcome;
    const verdict = inputs.verdicts.get(id);
    if (verdict === undefined) throw new PredictionError('INTERNAL', `${keyOf(used)} judged nothing of ${id}.`);
    const key = outputKey({ model: manifest.id, version: manifest.version, outcome: id });
    if (verdict.state !== 'score')
      return [key, { ...said, verdict, behind: reasonsOfAbstention(verdict, inputs.features) }];
    const value = saidValue(outcome, scores.get(id));
    if (value === undefined) throw new PredictionError('INTERNAL', `${keyOf(used)} gave no score of ${id}.`);
    const columns = inputColumns(manifest);
    const dates = columns.flatMap(({ feature }) => dateOf(inputs.features.get(feature)));
    const remarks = [
      ...supersession(used),
      ...inputRemarks(compiled, columns, inputs.features),
      ...aboutHidden(hidden),
    ];
    return [key, { ...said, value, dates, remarks }];
  });
}

/** The very numbers that the model's own result has: one row, the same columns. */
async function scoresOf(
  used: UsableModel,
  { features }: ModelInputs,
  outcomes: readonly Outcome[],
  options: RunOptions,
): Promise<ReadonlyMap<string, number>> {
  try {
    const row = inputRow(inputColumns(used.manifest), features);
    return (await score((rows) => used.run(rows, options), row, outcomes)).scores;
  } catch (cause) {
    if (!(cause instanceof PredictionError)) throw cause;
    throw new PredictionError(cause.code, `${keyOf(used)}, whose output is an input, failed: ${cause.message}`, {
      cause,
    });
  }
}

function supersession({ manifest: { supersededBy } }: UsableModel): string[] {
  return supersededBy === undefined ? [] : [`which is superseded by ${supersededBy.model}: ${supersededBy.because}`];
}

/** That it rests on inputs which nobody is shown. */
function aboutHidden(hidden: ModelInputs['hidden']): string[] {
  if (hidden === undefined || hidden.size === 0) return [];
  return [
    hidden.size === 1
      ? 'not shown there: 1 input, which is sensitive'
      : `not shown there: ${hidden.size} inputs, which are sensitive`,
  ];
}

/** A class is said by its code. */
function saidValue(outcome: Outcome, number: number | undefined): number | string | undefined {
  if (outcome.kind !== 'class' || number === undefined) return number;
  return levelAt(outcome, number)?.code;
}

function dateOf(value: FeatureValue | undefined): string[] {
  return value !== undefined && 'at' in value && value.at !== undefined ? [value.at] : [];
}

function keyOf({ manifest }: UsableModel): string {
  return usedKey({ model: manifest.id, version: manifest.version });
}
