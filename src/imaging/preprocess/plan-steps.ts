import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { type AxisMap, sameAxis, thenAxis } from './axis-map.ts';
import { normalise } from './normalise.ts';
import { planFit } from './plan-fit.ts';
import { planRange } from './plan-range.ts';
import { planResample } from './plan-resample.ts';
import type { Plane } from './plane.ts';
import { shownBy } from './shown-by.ts';
import { takeChannels } from './take-channels.ts';

/** One slice under way, and what is stated of the frame that it comes from. */
export interface Slice {
  readonly plane: Plane;
  readonly attributes: FrameAttributes;
  /** Whether its lowest value is white. */
  readonly inverted: boolean;
}

/** One step, made for images of one size. */
export interface PlannedStep {
  /** What it makes of one slice by itself. */
  within(slice: Slice): Plane;
  /** Then, of all slices together, where it has a part in their axis. */
  across?(slices: readonly Slice[]): Slice[];
}

/** An axis as it is before a step. */
export interface AxisState {
  readonly size: number;
  /** From the frames as they were decoded. */
  readonly map: AxisMap;
}

/** All axes as they are before a step; `slices` of a stack or a volume. */
export interface Axes {
  readonly slices?: AxisState;
  readonly rows: AxisState;
  readonly columns: AxisState;
}

export interface Planned {
  readonly step: PlannedStep;
  readonly axes: Axes;
}

export interface StepPlan {
  readonly steps: readonly PlannedStep[];
  /** As they are after each step. */
  readonly sizes: readonly Axes[];
  /** As they are after the last one. */
  readonly axes: Axes;
}

/** @param size of the frames; `slices`: how many they are, of a stack or a volume. */
export function planSteps(
  declared: readonly ImageStep[],
  attributes: readonly FrameAttributes[],
  size: { readonly slices?: number; readonly rows: number; readonly columns: number },
): StepPlan {
  const axis = (places: number): AxisState => ({ size: places, map: sameAxis });
  let axes: Axes = {
    ...(size.slices === undefined ? {} : { slices: axis(size.slices) }),
    rows: axis(size.rows),
    columns: axis(size.columns),
  };
  const shownAt = shownBy(declared);
  let isShown = false;
  let isMixed = false;
  const plan = (step: ImageStep): PlannedStep => {
    switch (step.step) {
      case 'window':
      case 'rescale':
        isShown ||= step === shownAt;
        return planRange(step, { attributes, isMixed, shows: step === shownAt });
      case 'resample': {
        const planned = planResample(step, axes, attributes);
        isMixed ||= axes.slices !== undefined;
        axes = planned.axes;
        return planned.step;
      }
      case 'crop':
      case 'pad': {
        const planned = planFit(step, axes, isShown);
        axes = planned.axes;
        return planned.step;
      }
      case 'channels':
        return { within: ({ plane }) => takeChannels(plane, step) };
      case 'normalise':
        return { within: ({ plane }) => normalise(plane, step) };
    }
  };
  const sizes: Axes[] = [];
  const steps = declared.map((step) => {
    const planned = plan(step);
    sizes.push(axes);
    return planned;
  });
  return { steps, sizes, axes };
}

/** An axis after it: of what size, and where its places lie. */
export function axisAfter({ map }: AxisState, size: number, then: AxisMap): AxisState {
  return { size, map: thenAxis(map, then) };
}
