import type { ImageDefinition } from '../../src/model-catalog/image-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { frontalRadiograph } from './image-map.ts';
import type { OnnxModel } from './onnx-model.ts';

/**
 * A network that looks at the upper left quarter of an image of 8 by 8 pixels alone: one convolution gives the mean of each
 * quarter (`quarters`, a map of 2 by 2), and the first of them and an age are weighed together.
 */
export const cornerNetwork: OnnxModel = {
  inputs: [
    { name: 'pixels', type: 'float32', shape: ['n', 1, 8, 8] },
    { name: 'clinical', type: 'float32', shape: ['n', 1] },
  ],
  outputs: [
    { name: 'finding', type: 'float32', shape: ['n', 1] },
    { name: 'quarters', type: 'float32', shape: ['n', 4] },
  ],
  constants: [
    { name: 'kernel', shape: [1, 1, 4, 4], data: new Float32Array(16).fill(1 / 16) },
    { name: 'weights', shape: [5, 1], data: Float32Array.of(4, 0, 0, 0, 0.02) },
    { name: 'bias', shape: [1], data: Float32Array.of(-2) },
  ],
  nodes: [
    {
      op: 'Conv',
      inputs: ['pixels', 'kernel'],
      outputs: ['convolved'],
      attributes: { kernel_shape: { ints: [4, 4] }, strides: { ints: [4, 4] } },
    },
    { op: 'Flatten', inputs: ['convolved'], outputs: ['quarters'] },
    { op: 'Concat', inputs: ['quarters', 'clinical'], outputs: ['all'], axis: 1 },
    { op: 'Gemm', inputs: ['all', 'weights', 'bias'], outputs: ['logit'] },
    { op: 'Sigmoid', inputs: ['logit'], outputs: ['finding'] },
  ],
};

export const cornerImage: ImageDefinition = {
  ...frontalRadiograph([8, 8]),
  preprocess: [...frontalRadiograph([8, 8]).preprocess.slice(0, -1), { step: 'channels', as: 'gray', place: 'first' }],
};

type Explanation = Extract<Manifest['explanation'], { method: 'occlusion' }>;

/** What the manifest of it says of tensors, outcomes, reports and explanations. */
export function cornerManifest(saliency: NonNullable<Explanation['saliency']>): Manifest {
  const made: Pick<Manifest, 'id' | 'version' | 'tensors' | 'outcomes' | 'explanation' | 'report'> = {
    id: 'corner',
    version: '1.0.0',
    tensors: {
      inputs: [
        { name: 'pixels', type: 'float32', shape: [1, 8, 8], image: 'frontal' },
        { name: 'clinical', type: 'float32', columns: [{ feature: 'age' }] },
      ],
      outputs: [
        { name: 'finding', type: 'float32', columns: 1 },
        { name: 'quarters', type: 'float32', columns: 4 },
      ],
    },
    outcomes: [
      {
        id: 'finding',
        kind: 'finding',
        label: 'Finding',
        column: 0,
        coding: [{ system: 'https://example.org/codes', code: 'finding' }],
      },
    ],
    explanation: { method: 'occlusion', reference: { age: 50 }, saliency, because: 'test' },
    report: { coding: [{ system: 'https://example.org/codes', code: 'report' }], title: 'Report' },
  };
  return made as Manifest;
}

export const byOcclusion: Extract<NonNullable<Explanation['saliency']>, { by: 'occlusion' }> = {
  feature: 'frontal',
  by: 'occlusion',
  patch: [2, 2],
  stride: [2, 2],
  baseline: 0,
  most: 1,
};
