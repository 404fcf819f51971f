import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { ownerMark } from '../../src/imaging/study/owner-mark.ts';
import type { ImageDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { tensorDigest } from '../../src/model-catalog/tensor-digest.ts';

type ObservedImage = Extract<FeatureValue, { state: 'observed' }>;

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

/** A frontal radiograph of two by two pixels that was read. */
export function readImage(numbers: readonly number[] = [0, 0.25, 0.5, 1], frame = 1): ObservedImage {
  const tensor = Float32Array.from(numbers);
  return {
    state: 'observed',
    value: 1,
    at: '2026-02-28T08:00:00Z',
    sources: [{ reference: 'ImagingStudy/chest/_history/1' }],
    detail: 'the only PA or AP image of the newest CR or DX study',
    image: {
      tensor,
      digest: tensorDigest(tensor),
      shape: [2, 2],
      preview: {
        rows: 2,
        columns: 2,
        channels: 1,
        data: Uint8Array.from(numbers, (each) => 255 * each),
        frame: 0,
        toTensor: { rows: { scale: 1, offset: 0 }, columns: { scale: 1, offset: 0 } },
      },
      study: { studyInstanceUid: '1.2.3', owners: [ownerMark('1.2.3', { patientId: '4711' })] },
      images: [
        {
          seriesInstanceUid: '1.2.3.4',
          sopInstanceUid: '1.2.3.4.5',
          sopClassUid: '1.2.840.10008.5.1.4.1.1.1.1',
          frame,
          objectFrames: 1,
        },
      ],
    },
  };
}
