import { type AssertedInput, readAssertedInputs } from '../features/asserted-input.ts';
import type { CompiledFeatureMap } from '../features/compile-feature-map.ts';
import { extractFeatures } from '../features/extract-features.ts';
import type { ModelInputs } from '../features/feature-vector.ts';
import type { ModelOutputs } from '../features/model-output.ts';
import type { Manifest } from '../model-catalog/manifest-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { gatherRecord } from '../records/gather-record.ts';
import type { Subject } from '../records/subject.ts';
import { askUsedModels } from './ask-used-models.ts';
import { type ImageUse, imagesOfMap } from './images-of-map.ts';
import type { PredictableModel, PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { type OpenOrigin, openOrigin } from './record-origin.ts';
import { runOptions } from './run-options.ts';

/** What the first two steps need of the house. */
export type InputParts = Pick<
  PredictionParts,
  'tenant' | 'source' | 'subjectBase' | 'openServer' | 'validate' | 'timeZone' | 'imaging'
>;

export type InputRequest = Pick<
  PredictionRequest,
  'subject' | 'encounter' | 'focus' | 'origin' | 'seed' | 'inputs' | 'answerBy' | 'signal' | 'givenUp' | 'shadow'
> & {
  readonly asOf: Date;
  /** Absent: somebody waits for it. */
  readonly entrance?: PredictionRequest['entrance'];
};

/** What the first two steps give. */
export interface ReadInputs {
  readonly subject: Subject;
  readonly origin: Omit<OpenOrigin, 'close'>;
  readonly record: ClinicalRecord;
  readonly inputs: ModelInputs;
  /** What the models whose outputs are taken said; for `guessedFeatures`. */
  readonly outputs: ModelOutputs;
}

/**
 * Steps 1 and 2 of the path, gather and extract (which reads the images and asks the models whose outputs are inputs), in the
 * only place that joins them: a prediction and a row of the training matrix begin with the very same call, so that they cannot read
 * different data.
 * Throws what `gatherRecord` and `readImages` throw, INFERENCE_FAILED where another model fails, and PARAMETER_INVALID for asserted values
 * that do not fit.
 * @param onGathered called between the two steps
 * @param hold given what gives back the memory of the images; absent: it is given back with the inputs
 */
export async function readModelInputs(
  parts: InputParts,
  model: Pick<PredictableModel, 'manifest' | 'compiled' | 'uses' | 'readByUsed' | 'queriesAt'>,
  request: InputRequest,
  onGathered: () => void = () => undefined,
  hold?: (release: () => void) => void,
): Promise<ReadInputs> {
  const { asOf } = request;
  const { manifest, compiled, queriesAt } = model;
  const asserted = readAssertedInputs(request.inputs, compiled);
  refuseHalfAsserted(request.inputs, model);
  const queries = queriesAt(asOf);
  const origin = await openOrigin(parts, request, queries);
  const subject: Subject = { tenant: parts.tenant, base: origin.subjectBase, id: request.subject };
  const record = await gatherRecord({
    source: origin.source,
    subject: { ...subject, base: origin.source.base },
    queries,
    seed: origin.seed,
    asOf,
    ...(request.encounter === undefined ? {} : { encounter: request.encounter }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }).finally(origin.close);
  onGathered();
  const imagesOf = (map: CompiledFeatureMap, use: ImageUse) =>
    imagesOfMap(parts, map, { record, unverified: origin.unverified }, request, use);
  // Each has been asked when the next one's images are read, and nobody holds the memory of two.
  let releaseUsed = (): void => undefined;
  const imagesOfUsed = (map: CompiledFeatureMap) => {
    releaseUsed();
    return imagesOf(map, {
      hold(release) {
        releaseUsed = release;
      },
    });
  };
  const asking = askUsedModels(model, record, parts.timeZone, asserted, runOptions(request), imagesOfUsed);
  const outputs = await asking.finally(() => releaseUsed());
  const occluded = occludedFeature(manifest);
  const images = await imagesOf(compiled, { ...(hold && { hold }), ...(occluded && { occluded }) });
  const inputs = extractFeatures(record, compiled, manifest, asserted, parts.timeZone, outputs, images);
  return { subject, origin, record, inputs, outputs };
}

/** The image of which a model is shown all but a patch, to explain its scores; its copies need memory. */
function occludedFeature({ explanation }: Pick<Manifest, 'explanation'>): string | undefined {
  const saliency = explanation.method === 'occlusion' ? explanation.saliency : undefined;
  return saliency?.by === 'occlusion' ? saliency.feature : undefined;
}

/** Throws PARAMETER_INVALID where a caller asserts what another model would still read from the record. */
function refuseHalfAsserted(
  inputs: readonly AssertedInput[],
  { readByUsed }: Pick<PredictableModel, 'readByUsed'>,
): void {
  for (const { name, expression } of inputs) {
    const outputs = readByUsed.get(name) ?? [];
    const unknown = outputs.filter((output) => !inputs.some((other) => other.name === output));
    if (unknown.length === 0) continue;
    const message = `Input '${name}' is asserted, but ${unknown.join(', ')} would be computed by another model from what the record says of it. Assert ${unknown.join(', ')} too.`;
    throw new PredictionError('PARAMETER_INVALID', message, {
      issues: [{ message, ...(expression === undefined ? {} : { expression }) }],
    });
  }
}
