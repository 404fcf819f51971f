import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { Plane } from './plane.ts';

/** Where a part of an axis goes: `from` old places are left out, or `before` new ones put in front. */
export interface AxisFit {
  readonly size: number;
  /** New place i is old place i + shift, where there is one. */
  readonly shift: number;
}

type FitStep = Extract<ImageStep, { step: 'crop' | 'pad' }>;

/** How an axis of `old` places is cut to at most, or filled up to at least, a size. Of an odd difference the smaller half lies in front. */
export function axisFit(old: number, size: number, { step, at }: Pick<FitStep, 'step' | 'at'>): AxisFit {
  if (step === 'crop') return size >= old ? { size: old, shift: 0 } : { size, shift: Math.floor((old - size) / 2) };
  if (size <= old) return { size: old, shift: 0 };
  return { size, shift: at === 'end' ? 0 : -Math.floor((size - old) / 2) };
}

/** @param value of the pixels that are put around; they are image and no padding. */
export function fitPlane(plane: Plane, rows: AxisFit, columns: AxisFit, value: number): Plane {
  if (rows.shift === 0 && columns.shift === 0 && rows.size === plane.rows && columns.size === plane.columns)
    return plane;
  const { channels, weight } = plane;
  const size = { rows: rows.size, columns: columns.size };
  const values = fitted(plane, plane.values, channels, rows, columns, value);
  const fittedWeight = weight === undefined ? undefined : fitted(plane, weight, 1, rows, columns, 1);
  return { channels, ...size, values, ...(fittedWeight === undefined ? {} : { weight: fittedWeight }) };
}

function fitted(
  plane: Plane,
  from: Float64Array,
  width: number,
  rows: AxisFit,
  columns: AxisFit,
  value: number,
): Float64Array {
  const to = new Float64Array(rows.size * columns.size * width).fill(value);
  const first = Math.max(0, columns.shift);
  const count = Math.min(plane.columns, columns.size + columns.shift) - first;
  for (let row = 0; row < rows.size; row++) {
    const old = row + rows.shift;
    if (old < 0 || old >= plane.rows) continue;
    const start = (old * plane.columns + first) * width;
    to.set(from.subarray(start, start + count * width), (row * columns.size + first - columns.shift) * width);
  }
  return to;
}
