import type { ImageDefinition } from '../../src/model-catalog/feature-map-schema.ts';

/** A frontal radiograph of so many rows and columns, as one channel that has no size of its own. */
export function frontalRadiograph(size: readonly [rows: number, columns: number]): ImageDefinition {
  return {
    kind: 'image',
    label: 'Frontal radiograph',
    study: { modality: ['CR', 'DX'], window: 'P2D' },
    images: { view: ['PA', 'AP'] },
    exclude: ['derived', 'localizer'],
    take: 'one-image',
    preprocess: [
      { step: 'window', from: 'image' },
      { step: 'resample', size: [...size], method: 'linear', antialias: true },
      { step: 'channels', as: 'gray', place: 'none' },
    ],
    missing: 'abstain',
  };
}
