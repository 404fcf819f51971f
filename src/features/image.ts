import type { ImageReading } from '../imaging/image-reading.ts';
import { shapeOfImage } from '../model-catalog/check-image.ts';
import type { ImageDefinition } from '../model-catalog/feature-map-schema.ts';
import { PredictionError } from '../platform/errors.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';

/** What was read of the images of a map, by feature. They are fetched and prepared before anything is extracted. */
export type ImageReadings = ReadonlyMap<string, ImageReading>;

/**
 * The tensor that an image was made, as old as its study; its value is how many frames were read. Where none was read the
 * feature is missing, for the reason that `readImages` gives.
 * @param name of the feature
 * @throws PredictionError INTERNAL where the tensor has another shape than its declaration: as many numbers in another order are another image
 */
export function compileImage(name: string, definition: ImageDefinition): FeatureExtractor {
  const { label } = definition;
  const declared = shapeOfImage(definition).join(', ');
  return ({ images }) => {
    const reading = images.get(name);
    if (reading === undefined) return missing('input-missing', `${label} needs images, which were not asked for`);
    if (reading.state === 'missing') {
      const { because, detail, sources, passes } = reading;
      return { ...missing(because, detail, sources), ...(passes === undefined ? {} : { passes }) };
    }
    const { tensor, digest, shape, preview, study, images: frames, at, rule } = reading;
    if (shape.join(', ') !== declared)
      throw new PredictionError('INTERNAL', `${label} was made [${shape.join(', ')}]; its map declares [${declared}].`);
    const { imagingStudy, ...named } = study;
    return {
      state: 'observed',
      value: frames.length,
      at,
      sources: [imagingStudy],
      detail: rule,
      image: { tensor, digest, shape, preview, study: named, images: frames },
    };
  };
}
