import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import { ImageFault } from '../image-fault.ts';
import { leastWeight, type Plane } from './plane.ts';

/**
 * Prepared slices as one tensor of float32: [rows, columns], of a stack or a volume [slices, rows, columns], the channels first, last or
 * not there, as the step `channels` places them.
 * Throws ImageFault for padding that no step gave a value, and for a value that float32 cannot hold.
 */
export function tensorOf(
  planes: readonly Plane[],
  steps: readonly ImageStep[],
  flat: boolean,
): { readonly tensor: Float32Array; readonly shape: readonly number[] } {
  const [one] = planes;
  if (one === undefined) throw new Error('there is no slice');
  const { rows, columns, channels } = one;
  if (planes.some(({ weight }) => weight?.some((share) => share < leastWeight)))
    throw new ImageFault(
      'image-unsupported',
      'The image has padding (0028,0120), and no window or rescale of the feature map says what it becomes.',
    );
  const spatial = flat ? [rows, columns] : [planes.length, rows, columns];
  const place = steps.find((step) => step.step === 'channels')?.place ?? 'none';
  const pixels = rows * columns;
  const tensor = new Float32Array(planes.length * pixels * channels);
  for (const [slice, { values }] of planes.entries()) {
    if (place !== 'first') tensor.set(values, slice * pixels * channels);
    else
      for (let channel = 0; channel < channels; channel++) {
        const start = (channel * planes.length + slice) * pixels;
        for (let at = 0; at < pixels; at++) tensor[start + at] = values[at * channels + channel] ?? Number.NaN;
      }
  }
  if (!tensor.every(Number.isFinite))
    throw new ImageFault('image-unsupported', 'A prepared value is no finite number of 32 bits.');
  if (place === 'none') return { tensor, shape: spatial };
  return { tensor, shape: place === 'first' ? [channels, ...spatial] : [...spatial, channels] };
}
