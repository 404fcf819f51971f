import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { ImageFault } from '../image-fault.ts';
import { type AxisScale, axisWeights } from './axis-weights.ts';
import { type Axes, type AxisState, axisAfter, type Planned, type Slice } from './plan-steps.ts';
import { resamplePlane, resampleSlices, settlePadding } from './resample.ts';
import { voxelSpacing } from './voxel-spacing.ts';

type ResampleStep = Extract<ImageStep, { step: 'resample' }>;
type AxisName = keyof Axes;

/** As the schema has it of sizes that are declared. */
const longestAxis = 4096;

/** Throws ImageFault where a spacing is wanted and none is stated, or leads to more than 4,096 places of an axis. */
export function planResample(step: ResampleStep, axes: Axes, attributes: readonly FrameAttributes[]): Planned {
  const { slices: before } = axes;
  const wanted = wantedAxes(step, axes, attributes);
  const weightsOf = (name: AxisName) => {
    const { size, scale } = wanted(name);
    return axisWeights((axes[name] as AxisState).size, size, scale, step);
  };
  const after = (name: AxisName): AxisState => {
    const { size, scale } = wanted(name);
    return axisAfter(axes[name] as AxisState, size, { scale: scale.under / scale.over, offset: 0 });
  };
  const rows = weightsOf('rows');
  const columns = weightsOf('columns');
  if (before === undefined)
    return {
      axes: { rows: after('rows'), columns: after('columns') },
      step: { within: ({ plane }) => settlePadding(resamplePlane(plane, rows, columns)) },
    };
  const slices = weightsOf('slices');
  return {
    axes: { slices: after('slices'), rows: after('rows'), columns: after('columns') },
    step: {
      within: ({ plane }) => resamplePlane(plane, rows, columns),
      across: (all) =>
        resampleSlices(
          all.map(({ plane }) => plane),
          slices,
        ).map((plane, at): Slice => ({ ...(all[slices.first[at] ?? 0] as Slice), plane: settlePadding(plane) })),
    },
  };
}

/** How many places each axis shall have, and how far apart. */
function wantedAxes(
  { size, spacingMm }: ResampleStep,
  axes: Axes,
  attributes: readonly FrameAttributes[],
): (name: AxisName) => { readonly size: number; readonly scale: AxisScale } {
  const order: readonly AxisName[] = axes.slices === undefined ? ['rows', 'columns'] : ['slices', 'rows', 'columns'];
  const numberOf = (numbers: readonly number[], name: AxisName): number => numbers[order.indexOf(name)] ?? Number.NaN;
  if (spacingMm === undefined)
    return (name) => {
      const places = numberOf(size ?? [], name);
      return { size: places, scale: { over: (axes[name] as AxisState).size, under: places } };
    };
  const stated = voxelSpacing(attributes, axes.slices !== undefined);
  return (name) => {
    const { size: old, map } = axes[name] as AxisState;
    // What was resampled before lies further apart by as much.
    const spacing = (stated[name] ?? Number.NaN) / map.scale;
    const target = numberOf(spacingMm, name);
    const places = Math.max(1, Math.round((old * spacing) / target));
    if (!(places <= longestAxis))
      throw new ImageFault(
        'image-too-large',
        `At ${target} mm the image has ${places} ${name}; at most ${longestAxis} are made.`,
      );
    return { size: places, scale: { over: target, under: spacing } };
  };
}
