import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { RangeStep } from './map-range.ts';

/** The step that makes values what a reader sees: the first window, else the first rescale. */
export function shownBy(steps: readonly ImageStep[]): RangeStep | undefined {
  return steps.find((step) => step.step === 'window') ?? steps.find((step) => step.step === 'rescale');
}

/** The first window, where no step before it makes other values of those of the modality LUT: only then it can be put upon these. */
export function windowOfUnits(steps: readonly ImageStep[]): RangeStep | undefined {
  const first = steps.find((step) => step.step === 'window' || step.step === 'rescale' || step.step === 'normalise');
  return first?.step === 'window' ? first : undefined;
}
