import type { CompiledFeatureMap } from '../features/compile-feature-map.ts';
import { defaultExclusions } from '../features/default-exclusions.ts';
import type { ImageReadings } from '../features/image.ts';
import type { ImageReading } from '../imaging/image-reading.ts';
import { type ReadOptions, readImages } from '../imaging/read-images.ts';
import type { ImageDefinition } from '../model-catalog/image-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import type { OpenOrigin } from './record-origin.ts';
import { runOptions } from './run-options.ts';

/** What becomes of the images of a map. */
export interface ImageUse extends Pick<ReadOptions, 'hold'> {
  /** The feature that is occluded to explain a score; absent: none is. */
  readonly occluded?: string;
}

/**
 * Reads what images a map wants of one subject. None is fetched of somebody of whom no model may speak, nor where the caller says
 * whose a study is: this server asks for images by its own right, so a claim of the caller would open those of anybody.
 * Throws what `readImages` throws.
 */
export async function imagesOfMap(
  { imaging, timeZone }: Pick<PredictionParts, 'imaging' | 'timeZone'>,
  { map }: Pick<CompiledFeatureMap, 'map'>,
  { record, unverified }: { readonly record: ClinicalRecord } & Pick<OpenOrigin, 'unverified'>,
  request: Partial<Pick<PredictionRequest, 'entrance' | 'focus' | 'signal' | 'givenUp' | 'shadow'>>,
  { hold, occluded }: ImageUse = {},
): Promise<ImageReadings> {
  const wanted = Object.entries(map.features).flatMap(([name, definition]) =>
    definition.kind === 'image' ? [{ name, definition, isOccluded: name === occluded }] : [],
  );
  if (wanted.length === 0 || defaultExclusions(record, record.asOf.getTime(), timeZone).length > 0) return none;
  if (unverified || isClaimed(record))
    return new Map(wanted.map(({ name, definition }) => [name, unproven(definition)]));
  const { lane, signal } = runOptions(request, request.signal);
  return await readImages(imaging, wanted, record, {
    timeZone,
    lane: lane === 'batch' ? 'back' : 'front',
    ...(signal === undefined ? {} : { signal }),
    ...(request.focus === undefined ? {} : { focus: request.focus }),
    ...(hold === undefined ? {} : { hold }),
  });
}

const none: ImageReadings = new Map();

/** True where a resource that says which images are whose is held by the caller alone. */
function isClaimed(record: ClinicalRecord): boolean {
  const saying = [record.patient, ...record.byType('ImagingStudy'), ...record.byType('Endpoint')];
  return saying.some((resource) => record.sourceReference(resource).reference === undefined);
}

function unproven({ label }: ImageDefinition): ImageReading {
  const why =
    'images are read only where a FHIR server, not the caller, holds the Patient, the ImagingStudies and their Endpoints';
  return { state: 'missing', because: 'no-image-source', detail: `${label}: ${why}`, sources: [] };
}
