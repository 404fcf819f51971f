import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { ImageFault } from '../image-fault.ts';
import { leastWeight, mapped, type Plane } from './plane.ts';
import { voiLutFunction, windowFunction } from './voi.ts';

export type RangeStep = Extract<ImageStep, { step: 'window' | 'rescale' }>;

/** A function of values, and the two ends that it leads to. */
export interface ValueRange {
  readonly value: (x: number) => number;
  readonly to: readonly [number, number];
}

/**
 * What a step makes of values: `window` 0..1, `rescale` what its `to` says.
 * @param attributes of the frame: "from": "image" takes its first VOI LUT, else its first window (DW-22)
 * Throws ImageFault where the image has neither, or a window that no function takes.
 */
export function valueRange(step: RangeStep, attributes: FrameAttributes): ValueRange {
  if (step.step === 'rescale') return { value: straightLine(step), to: step.to };
  const { center, width } = step;
  if (center !== undefined && width !== undefined)
    return { value: windowFunction({ center, width, function: step.function ?? 'LINEAR' }), to: [0, 1] };
  const value = ownWindow(attributes);
  if (value === undefined)
    throw new ImageFault('image-unsupported', 'The feature map takes the window from the image, which states none.');
  return { value, to: [0, 1] };
}

/** The VOI LUT or window that the image itself states first; a table before a window, as pydicom and DCMTK do. */
export function ownWindow({ voiLuts: [table], windows: [window] }: FrameAttributes): ValueRange['value'] | undefined {
  if (table !== undefined) return voiLutFunction(table);
  return window === undefined ? undefined : windowFunction(window);
}

function straightLine({ from, to, clip }: Extract<RangeStep, { step: 'rescale' }>): (x: number) => number {
  const slope = (to[1] - to[0]) / (from[1] - from[0]);
  const line = (x: number): number => to[0] + (x - from[0]) * slope;
  if (!clip) return line;
  return (x) => {
    if (x <= from[0]) return to[0];
    return x >= from[1] ? to[1] : line(x);
  };
}

/**
 * The first range of a gray image is where it becomes what a reader sees: values of an image whose lowest is white are turned over
 * between the two ends, after the VOI (DW-23), and padding becomes the end that is black (DW-24), whatever its stored value.
 */
export function presentRange(plane: Plane, { value, to: [low, high] }: ValueRange, inverted: boolean): Plane {
  const { weight, ...rest } = plane;
  const values = mapped(plane.values, inverted ? (x) => low + high - value(x) : value);
  if (weight !== undefined) {
    for (let pixel = 0; pixel < weight.length; pixel++)
      if ((weight[pixel] as number) < leastWeight)
        values.fill(low, pixel * plane.channels, (pixel + 1) * plane.channels);
  }
  return { ...rest, values };
}

/**
 * Whether the lowest value is white: MONOCHROME1, or Presentation LUT Shape INVERSE.
 * Throws ImageFault where both contradict each other: viewers differ about such an image.
 */
export function isWhiteLow(photometricInterpretation: string, { presentationLutShape }: FrameAttributes): boolean {
  const isFirst = photometricInterpretation === 'MONOCHROME1';
  if (isFirst && presentationLutShape === 'IDENTITY')
    throw new ImageFault(
      'image-unsupported',
      'The image is MONOCHROME1 and its Presentation LUT Shape (2050,0020) is IDENTITY: which end is white cannot be told.',
    );
  return isFirst || presentationLutShape === 'INVERSE';
}
