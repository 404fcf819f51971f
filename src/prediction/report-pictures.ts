import { explainInTime } from '../explanation/explain-in-time.ts';
import type { SaliencyMap } from '../explanation/saliency-map.ts';
import type { FeatureValue } from '../features/feature-vector.ts';
import type { PixelWorkers } from '../imaging/preprocess/pixel-workers.ts';
import type { ModelRow, RunRows } from '../model-catalog/model-row.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { isProbable } from '../model-catalog/outcome-score.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import { PredictionError } from '../platform/errors.ts';
import type { ReportPicture, ResultRequest } from '../results/result-request.ts';
import { saliencyTitle } from '../results/saliency-title.ts';
import type { PredictableModel, PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { runOptions } from './run-options.ts';

/** What the picture of one subject is made of. */
export interface Pictured {
  readonly row: ModelRow;
  readonly features: ReadonlyMap<string, FeatureValue>;
  /** Those that have a score. */
  readonly outcomes: readonly Outcome[];
  readonly scores: ReadonlyMap<string, number>;
  readonly details: ReadonlyMap<string, ScoreDetail>;
  /** See Scores.output. */
  readonly output: readonly number[];
  /** @param due aborted when nobody waits for the pictures any more */
  readonly run: (due?: AbortSignal) => RunRows;
}

export type Pictures = Pick<ResultRequest, 'pictures' | 'noPictures'>;

/** A colour that is hardly seen never stands for less: differences of a probability that are nothing look like nothing. */
const leastStrongest = 0.01;

/**
 * The pictures of a report: the image with what moved each score drawn over it, where the manifest declares some. Like
 * contributions they never fail the prediction: where they cannot be made, or not in time, the report says so.
 */
export async function reportPictures(
  parts: Pick<PredictionParts, 'event'> & { readonly imaging?: { readonly workers: Pick<PixelWorkers, 'draw'> } },
  { manifest, saliency }: Pick<PredictableModel, 'manifest' | 'saliency'>,
  request: Pick<PredictionRequest, 'explain' | 'answerBy' | 'entrance' | 'givenUp' | 'shadow'>,
  pictured: Pictured,
): Promise<Pictures> {
  if (saliency === undefined || manifest.report === undefined) return {};
  const { imaging } = parts;
  const { method, time } = saliency;
  const value = pictured.features.get(method.saliency.feature);
  const image = value?.state === 'observed' ? value.image : undefined;
  if (image === undefined || imaging === undefined) return { noPictures: 'there is no image' };
  const { row: inputs, run, ...scored } = pictured;

  const drawOne = async (map: SaliencyMap, signal: AbortSignal | undefined): Promise<ReportPicture> => {
    const outcome = scored.outcomes.find(({ id }) => id === map.outcome);
    const score = scored.scores.get(map.outcome);
    if (outcome === undefined || score === undefined)
      throw new RangeError(`a map of ${map.outcome}, which has no score`);
    const strongest = strongestOf(map, outcome, method.saliency.by);
    const { rows, columns, values } = map;
    const drawing = { preview: image.preview, size: method.size, rows, columns, values, strongest };
    const lane = runOptions(request).lane === 'batch' ? 'back' : 'front';
    const drawn = await imaging.workers.draw(drawing, { lane, ...(signal === undefined ? {} : { signal }) });
    const classProbability = scored.details.get(outcome.id)?.classProbability;
    const title = saliencyTitle({
      outcome,
      score,
      ...(classProbability === undefined ? {} : { classProbability }),
      saliency: method.saliency,
      strongest,
    });
    return { ...drawn, title };
  };

  const made = await explainInTime(request, time, async (due) => {
    try {
      const maps = await method.mapsOf({ ...scored, inputs, run: run(due) });
      if (maps.length === 0) return { none: 'no outcome that pictures are about has a score' };
      const { signal } = runOptions(request, due);
      return { pictures: await Promise.all(maps.map((map) => drawOne(map, signal))) };
    } catch (cause) {
      const code = cause instanceof PredictionError ? cause.code : 'INTERNAL';
      return { none: `it could not be made (${code})`, cause };
    }
  });
  if ('none' in made && made.cause !== undefined)
    parts.event({ name: 'explanation.degraded', model: `${manifest.id}@${manifest.version}`, error: made.cause });
  return 'none' in made ? { noPictures: made.none } : made;
}

function strongestOf({ values }: SaliencyMap, outcome: Outcome, by: 'occlusion' | 'activation'): number {
  const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isProbability = by === 'occlusion' && (outcome.kind === 'class' || isProbable(outcome));
  return isProbability ? Math.max(greatest, leastStrongest) : greatest;
}
