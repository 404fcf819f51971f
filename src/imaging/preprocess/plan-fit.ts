import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import { ImageFault } from '../image-fault.ts';
import { type AxisFit, axisFit, fitPlane } from './fit-size.ts';
import { type Axes, type AxisState, axisAfter, type Planned, type Slice } from './plan-steps.ts';

type FitStep = Extract<ImageStep, { step: 'crop' | 'pad' }>;

/** A crop or a pad. @param isShown whether a step before has made values what a reader sees */
export function planFit(step: FitStep, axes: Axes, isShown: boolean): Planned {
  const [columnSize = 0, rowSize = 0, sliceSize = 0] = step.size.toReversed();
  const rows = axisFit(axes.rows.size, rowSize, step);
  const columns = axisFit(axes.columns.size, columnSize, step);
  const slices = axes.slices && axisFit(axes.slices.size, sliceSize, step);
  const value = step.step === 'pad' ? step.value : 0;
  const grows =
    rows.size > axes.rows.size || columns.size > axes.columns.size || (slices?.size ?? 0) > (axes.slices?.size ?? 0);
  const after = (axis: AxisState, fit: AxisFit): AxisState =>
    axisAfter(axis, fit.size, { scale: 1, offset: -fit.shift });
  return {
    axes: {
      ...(axes.slices && slices ? { slices: after(axes.slices, slices) } : {}),
      rows: after(axes.rows, rows),
      columns: after(axes.columns, columns),
    },
    step: {
      within({ plane, inverted }) {
        if (inverted && grows && !isShown)
          throw new ImageFault(
            'image-unsupported',
            'What pad puts around would be turned over with a MONOCHROME1 image; pad after the window.',
          );
        return fitPlane(plane, rows, columns, value);
      },
      ...(slices === undefined ? {} : { across: (all) => fitSlices(all, slices, value) }),
    },
  };
}

function fitSlices(slices: readonly Slice[], { size, shift }: AxisFit, value: number): Slice[] {
  return Array.from({ length: size }, (_, at) => {
    const old = slices[at + shift];
    if (old !== undefined) return old;
    const [one] = slices;
    if (one === undefined) throw new Error('there are no slices');
    const { rows, columns, channels, values } = one.plane;
    return { ...one, plane: { rows, columns, channels, values: new Float64Array(values.length).fill(value) } };
  });
}
