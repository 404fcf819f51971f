import type { CompiledFeatureMap } from '../features/compile-feature-map.ts';
import { defaultExclusions } from '../features/default-exclusions.ts';
import type { ImageReadings } from '../features/image.ts';
import { readImages } from '../imaging/read-images.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { runOptions } from './run-options.ts';

/**
 * Reads what images a map wants of one subject. None is fetched of somebody of whom no model may speak.
 * Throws what `readImages` throws.
 */
export async function imagesOfMap(
  { imaging, timeZone }: Pick<PredictionParts, 'imaging' | 'timeZone'>,
  { map }: Pick<CompiledFeatureMap, 'map'>,
  record: ClinicalRecord,
  request: Partial<Pick<PredictionRequest, 'entrance' | 'focus' | 'signal' | 'givenUp' | 'shadow'>>,
): Promise<ImageReadings> {
  const wanted = Object.entries(map.features).flatMap(([name, definition]) =>
    definition.kind === 'image' ? [{ name, definition }] : [],
  );
  if (wanted.length === 0 || defaultExclusions(record, record.asOf.getTime(), timeZone).length > 0) return none;
  const { lane, signal } = runOptions(request, request.signal);
  return await readImages(imaging, wanted, record, {
    timeZone,
    lane: lane === 'batch' ? 'back' : 'front',
    ...(signal === undefined ? {} : { signal }),
    ...(request.focus === undefined ? {} : { focus: request.focus }),
  });
}

const none: ImageReadings = new Map();
