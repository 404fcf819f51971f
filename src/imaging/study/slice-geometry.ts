import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { NoImage } from '../image-reading.ts';

type Orientation = NonNullable<FrameAttributes['orientation']>;
type Vector = readonly [x: number, y: number, z: number];

/** The plane of the patient that an image is nearest to; undefined where none is nearest. */
export function planeOf(orientation: Orientation): 'axial' | 'coronal' | 'sagittal' | undefined {
  const [x, y, z] = normalOf(orientation).map(Math.abs) as unknown as Vector;
  if (z > x && z > y) return 'axial';
  if (y > x && y > z) return 'coronal';
  return x > y && x > z ? 'sagittal' : undefined;
}

/** How far direction cosines of one volume may differ: they are written with few digits. */
const directionTolerance = 1e-3;
/** How far neighbours may be shifted within their plane, in mm: more is a volume that is sheared (a tilted gantry). */
const shiftMm = 0.1;
/** Of the usual distance. */
const unevenTolerance = 0.05;

/**
 * The order of the slices of a volume: by Image Position (Patient) along the normal of their plane, ascending, whatever their
 * numbers say (DW-24). A volume is even: one orientation, one distance, nothing missing and nothing twice.
 * Throws NoImage.
 * @param slices what is stated of each, in any order
 * @returns their places in `slices`
 */
export function sliceOrder(slices: readonly Pick<FrameAttributes, 'position' | 'orientation'>[]): number[] {
  const [first] = slices;
  if (first === undefined || slices.length < 2)
    throw new NoImage('no-matching-image', 'a volume needs two slices at least');
  const placed = slices.map(({ position, orientation }, index) => {
    if (position === undefined || orientation === undefined)
      throw new NoImage('image-unsupported', 'a slice does not state its position and orientation in the patient');
    const isTurned = orientation.some(
      (cosine, at) => Math.abs(cosine - (first.orientation?.[at] ?? 0)) > directionTolerance,
    );
    if (isTurned) throw new NoImage('several-images', 'the slices lie in several orientations');
    return { index, position };
  });
  const normal = normalOf(first.orientation as Orientation);
  const sorted = placed
    .map(({ index, position }) => ({ index, position, alongMm: dot(position, normal) }))
    .sort((left, right) => left.alongMm - right.alongMm);
  checkEven(sorted, normal);
  return sorted.map(({ index }) => index);
}

interface Placed {
  readonly position: Vector;
  readonly alongMm: number;
}

function checkEven(sorted: readonly Placed[], normal: Vector): void {
  const gaps = sorted.slice(1).map((slice, at) => {
    const last = sorted[at] as Placed;
    const gapMm = slice.alongMm - last.alongMm;
    const shift = slice.position.map((value, axis) => value - (last.position[axis] ?? 0) - gapMm * (normal[axis] ?? 0));
    return { gapMm, shiftMm: Math.hypot(...shift) };
  });
  const usual = [...gaps].sort((left, right) => left.gapMm - right.gapMm)[Math.floor(gaps.length / 2)]?.gapMm ?? 0;
  if (gaps.some(({ gapMm }) => gapMm < 1e-3 || gapMm < usual * unevenTolerance))
    throw new NoImage('several-images', 'several slices lie at one position');
  if (gaps.some(({ gapMm }) => gapMm > usual * 1.5))
    throw new NoImage('study-incomplete', 'a slice is missing: two neighbours lie further apart than the others');
  if (gaps.some(({ gapMm }) => Math.abs(gapMm - usual) > usual * unevenTolerance))
    throw new NoImage('image-unsupported', 'the slices are not evenly spaced');
  if (gaps.some((gap) => gap.shiftMm > shiftMm))
    throw new NoImage('image-unsupported', 'the slices are shifted against each other, as of a tilted gantry');
}

function normalOf([rx, ry, rz, cx, cy, cz]: Orientation): Vector {
  return [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx];
}

function dot([ax, ay, az]: Vector, [bx, by, bz]: Vector): number {
  return ax * bx + ay * by + az * bz;
}
