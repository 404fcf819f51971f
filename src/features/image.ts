import type { ImageReading } from '../imaging/image-reading.ts';
import type { ImageDefinition } from '../model-catalog/feature-map-schema.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';

/** What was read of the images of a map, by feature. They are fetched and prepared before anything is extracted. */
export type ImageReadings = ReadonlyMap<string, ImageReading>;

/**
 * The tensor that an image was made, as old as its study; its value is how many frames were read. Where none was read the
 * feature is missing, for the reason that `readImages` gives.
 * @param name of the feature
 */
export function compileImage(name: string, { label }: Pick<ImageDefinition, 'label'>): FeatureExtractor {
  return ({ images }) => {
    const reading = images.get(name);
    if (reading === undefined) return missing('input-missing', `${label} needs images, which were not asked for`);
    if (reading.state === 'missing') return missing(reading.because, reading.detail, reading.sources);
    const { tensor, digest, shape, preview, study, images: frames, at, rule } = reading;
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
