import { hasSaliency } from '../model-catalog/check-saliency.ts';
import { classProbability } from '../model-catalog/class-of.ts';
import { imageLayout } from '../model-catalog/image-layout.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import { inputColumns, inputTensors, outputTensors } from '../model-catalog/model-tensors.ts';
import type { ModelVersion } from '../model-catalog/model-version.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { isProbable, outcomeScore } from '../model-catalog/outcome-score.ts';
import type { ActivationSaliency, Saliency } from '../model-catalog/saliency-schema.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import { PredictionError } from '../platform/errors.ts';
import { type FollowedScore, occludeImage } from './occlude-image.ts';
import type { SaliencyMap } from './saliency-map.ts';

/** What maps are wanted of: one subject, and the outcomes that it has scores of. */
export interface SaliencyRequest {
  readonly inputs: ModelRow;
  readonly run: RunRows;
  readonly outcomes: readonly Outcome[];
  readonly scores: ReadonlyMap<string, number>;
  readonly details: ReadonlyMap<string, ScoreDetail>;
  /** See Scores.output. */
  readonly output: readonly number[];
}

/** Where an image moved the scores of a model, as its manifest declares. */
export interface SaliencyMethod {
  readonly saliency: Saliency;
  /** Rows and columns of the tensor of the image. */
  readonly size: readonly [rows: number, columns: number];
  /** One map for each outcome that is chosen, most probable first. Throws PredictionError where there are none that hold. */
  mapsOf(request: SaliencyRequest): Promise<readonly SaliencyMap[]>;
}

/** Made once for a version, at load; undefined where it declares none. What it declares has been checked, see `checkSaliency`. */
export function createSaliency({
  manifest,
  featureMap,
}: Pick<ModelVersion, 'manifest'> & {
  readonly featureMap: Pick<ModelVersion['featureMap'], 'features'>;
}): SaliencyMethod | undefined {
  const saliency = manifest.explanation.method === 'occlusion' ? manifest.explanation.saliency : undefined;
  if (saliency === undefined) return undefined;
  const definition = featureMap.features[saliency.feature];
  const shape = inputTensors(manifest).find(({ image }) => image === saliency.feature)?.shape;
  const cell = inputColumns(manifest).findIndex(({ feature }) => feature === saliency.feature);
  if (definition?.kind !== 'image' || shape === undefined) throw new RangeError(`${saliency.feature} is no image`);
  const layout = imageLayout(definition, shape);
  const size = [layout.rows, layout.columns] as const;
  const from = columnsBefore(outputTensors(manifest), saliency.by === 'activation' ? saliency.output : '');
  return {
    saliency,
    size,
    async mapsOf(request) {
      const { inputs, run } = request;
      const chosen = mostProbable(saliency, request);
      if (chosen.length === 0) return [];
      if (saliency.by === 'activation') {
        const output = request.output.slice(from.column, from.column + from.columns);
        return chosen.map((outcome) =>
          activationMap(saliency, output, { outcome, all: manifest.outcomes, size, request }),
        );
      }
      const scores = chosen.map((outcome) => followed(outcome, request));
      return await occludeImage({ inputs, cell, layout, saliency, run, scores });
    },
  };
}

function mostProbable(
  { outcomes: wanted, most }: Saliency,
  { outcomes, scores, details }: SaliencyRequest,
): readonly Outcome[] {
  // What is no probability cannot be compared, and comes first.
  const rank = (outcome: Outcome): number =>
    (isProbable(outcome) ? scores.get(outcome.id) : details.get(outcome.id)?.classProbability) ?? 1;
  return outcomes
    .filter((outcome) => hasSaliency(outcome) && (wanted ?? [outcome.id]).includes(outcome.id))
    .toSorted((one, other) => rank(other) - rank(one))
    .slice(0, most);
}

/** Of a class the probability of the one that was said. */
function followed(outcome: Outcome, { scores }: SaliencyRequest): FollowedScore {
  if (outcome.kind !== 'class') return { outcome: outcome.id, of: (row) => outcomeScore(outcome, row) };
  const said = scores.get(outcome.id) ?? Number.NaN;
  return {
    outcome: outcome.id,
    of(row) {
      const probability = classProbability(outcome, row, said);
      if (typeof probability === 'number') return probability;
      throw new PredictionError('INFERENCE_FAILED', `The model's answer for ${outcome.id} is ${probability}.`);
    },
  };
}

interface Place {
  readonly outcome: Outcome;
  /** Those of the manifest. */
  readonly all: readonly Outcome[];
  readonly size: readonly [number, number];
  readonly request: SaliencyRequest;
}

function activationMap({ grid }: ActivationSaliency, output: readonly number[], place: Place): SaliencyMap {
  const { outcome, all, size, request } = place;
  const cells = grid[0] * grid[1];
  const maps = output.length / cells;
  const at = maps === 1 ? 0 : whichMap(maps, outcome, all, request);
  const values = Float32Array.from(output.slice(at * cells, (at + 1) * cells));
  if (values.length !== cells || !values.every(Number.isFinite))
    throw new PredictionError('INFERENCE_FAILED', `The activation for ${outcome.id} has numbers that are none.`);
  const centres = (axis: 0 | 1): number[] =>
    Array.from({ length: grid[axis] }, (_, index) => ((index + 0.5) * size[axis]) / grid[axis]);
  return { outcome: outcome.id, rows: centres(0), columns: centres(1), values };
}

function whichMap(maps: number, outcome: Outcome, all: readonly Outcome[], { scores }: SaliencyRequest): number {
  if (outcome.kind === 'class' && maps === outcome.classes.length)
    return outcome.classes.findIndex(({ number }) => number === scores.get(outcome.id));
  return all.findIndex(({ id }) => id === outcome.id);
}

/** Where the columns of an output begin in an output row; none for one that is not declared. */
function columnsBefore(
  outputs: ReturnType<typeof outputTensors>,
  name: string,
): { readonly column: number; readonly columns: number } {
  const index = outputs.findIndex((each) => each.name === name);
  const column = outputs.slice(0, Math.max(0, index)).reduce((sum, each) => sum + each.columns, 0);
  return { column, columns: outputs[index]?.columns ?? 0 };
}
