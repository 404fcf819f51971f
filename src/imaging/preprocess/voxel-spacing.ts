import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { ImageFault } from '../image-fault.ts';

/** Millimetres between the middles of slices, of rows and of columns. */
export interface VoxelSpacing {
  readonly slices?: number;
  readonly rows: number;
  readonly columns: number;
}

/** Slices may lie this much nearer or further than their mean distance: positions are written with few digits. */
const tolerance = 0.01;

/**
 * The spacing of frames, which are all of one grid; between slices it is measured along their normal from their positions
 * (PS3.3 C.7.6.2.1.1), never taken from a thickness.
 * Throws ImageFault where it is not stated, or differs.
 */
export function voxelSpacing(frames: readonly FrameAttributes[], hasSlices: boolean): VoxelSpacing {
  const [one] = frames;
  const spacing = one?.spacingMm;
  if (spacing === undefined)
    throw new ImageFault(
      'image-unsupported',
      'The feature map resamples to a spacing, and Pixel Spacing (0028,0030) of the image is not stated.',
    );
  for (const { spacingMm } of frames)
    if (spacingMm === undefined || spacing.some((each, at) => !isNear(each, spacingMm[at] ?? Number.NaN)))
      throw new ImageFault('image-unsupported', 'Pixel Spacing (0028,0030) differs from slice to slice.');
  const [rows, columns] = spacing;
  return hasSlices ? { slices: sliceSpacing(frames), rows, columns } : { rows, columns };
}

function sliceSpacing(frames: readonly FrameAttributes[]): number {
  const normal = normalOf(frames[0]);
  const along = frames.map(({ position }) => {
    if (position === undefined || normal === undefined)
      throw new ImageFault(
        'image-unsupported',
        'The feature map resamples slices to a spacing, and the position or orientation of one is not stated.',
      );
    return position.reduce((sum, each, axis) => sum + each * (normal[axis] ?? 0), 0);
  });
  const [first = 0] = along;
  const mean = Math.abs(((along.at(-1) ?? 0) - first) / (along.length - 1));
  const steps = along.slice(1).map((each, at) => Math.abs(each - (along[at] ?? 0)));
  if (!(mean > 0) || steps.some((step) => Math.abs(step - mean) > tolerance * mean))
    throw new ImageFault('image-unsupported', 'The slices do not lie at one distance from each other.');
  return mean;
}

/** The cross product of the direction of a row and that of a column. */
function normalOf(frame: FrameAttributes | undefined): readonly number[] | undefined {
  if (frame?.orientation === undefined) return undefined;
  const [a, b, c, d, e, f] = frame.orientation;
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= 1e-4 * one;
}
