import type { FrameAttributes } from '../dicom/frame-attributes.ts';
import { ImageFault } from '../image-fault.ts';
import { presentRange, type RangeStep, valueRange } from './map-range.ts';
import type { PlannedStep } from './plan-steps.ts';
import { withValues } from './plane.ts';

/**
 * A window or a rescale. The one that shows the image turns values over and gives padding its value, see `presentRange`.
 * Throws ImageFault where slices that were mixed state different windows: none of them is that of the mixture.
 */
export function planRange(
  step: RangeStep,
  {
    attributes,
    isMixed,
    shows,
  }: { readonly attributes: readonly FrameAttributes[]; readonly isMixed: boolean; readonly shows: boolean },
): PlannedStep {
  if (step.step === 'window' && step.from === 'image' && isMixed && !haveOneVoi(attributes))
    throw new ImageFault(
      'image-unsupported',
      'The slices state different windows; the window has to stand before resample.',
    );
  return {
    within({ plane, attributes: own, inverted }) {
      const range = valueRange(step, own);
      return shows ? presentRange(plane, range, inverted) : withValues(plane, range.value);
    },
  };
}

function haveOneVoi(attributes: readonly FrameAttributes[]): boolean {
  const voiOf = ({ windows, voiLuts }: FrameAttributes): string =>
    JSON.stringify([windows[0], voiLuts.slice(0, 1).map((table) => ({ ...table, values: [...table.values] }))]);
  return new Set(attributes.map(voiOf)).size === 1;
}
