import type { ImageStep } from '../../model-catalog/image-preprocess-schema.ts';
import type { RangeStep } from './map-range.ts';

/** The step that makes values what a reader sees: the first window, else the first rescale. */
export function shownBy(steps: readonly ImageStep[]): RangeStep | undefined {
  return steps.find((step) => step.step === 'window') ?? steps.find((step) => step.step === 'rescale');
}
