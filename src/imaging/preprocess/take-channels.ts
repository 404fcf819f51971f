import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import { ImageFault } from '../image-fault.ts';
import type { Plane } from './plane.ts';

type Channels = Extract<ImageStep, { step: 'channels' }>;

/** Luma of RGB as ITU-R BT.601 has it, which is the Y of YBR_FULL (PS3.3 C.7.6.3.1.2). */
const luma = [0.299, 0.587, 0.114] as const;

/**
 * The channels that a model reads.
 * Throws ImageFault for a gray image where colours are declared, and for a colour image where gray is and nothing says how it becomes that.
 */
export function takeChannels(plane: Plane, { as, colour }: Channels): Plane {
  if (as === 'rgb') {
    if (plane.channels === 3) return plane;
    throw new ImageFault('image-unsupported', 'The image is gray; the feature map declares colours.');
  }
  const gray = plane.channels === 1 ? plane : toGray(plane, colour);
  if (as === 'gray') return gray;
  const values = new Float64Array(gray.values.length * 3);
  for (const [at, value] of gray.values.entries()) values.fill(value, at * 3, at * 3 + 3);
  return { ...gray, channels: 3, values };
}

function toGray(plane: Plane, colour: Channels['colour']): Plane {
  if (colour !== 'luma')
    throw new ImageFault(
      'image-unsupported',
      'The image has colours; the feature map declares a gray one. With "colour": "luma" the step channels makes it gray.',
    );
  const values = new Float64Array(plane.rows * plane.columns);
  for (let at = 0; at < values.length; at++) {
    const [red = 0, green = 0, blue = 0] = plane.values.subarray(at * 3, at * 3 + 3);
    values[at] = luma[0] * red + luma[1] * green + luma[2] * blue;
  }
  return { ...plane, channels: 1, values };
}
