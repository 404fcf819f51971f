import type { ImageDefinition } from './image-schema.ts';
import { imageShape } from './image-shape.ts';

type Find = (path: string, message: string) => void;

/** That the rules of an image go together, and that its steps end in one shape whatever the image. */
export function checkImage(definition: ImageDefinition, find: Find): void {
  const { exclude, excludeNothing, images, take } = definition;
  if (exclude.length === 0 && excludeNothing === undefined)
    find('/exclude', 'is empty; say in excludeNothing why derived images, localizers and the like may count');
  if (exclude.length > 0 && excludeNothing !== undefined)
    find('/excludeNothing', 'is for an empty exclude, which this is not');
  for (const key of ['sliceThicknessMm', 'patientAgeYears'] as const) {
    const [least, most] = images[key] ?? [0, 0];
    if (least > most) find(`/images/${key}`, 'the smallest value must not be above the largest');
  }
  if (take === 'volume' && !definition.preprocess.some(({ step }) => step === 'resample' || step === 'pad'))
    find('/preprocess', 'of a volume need resample or pad: studies have different numbers of slices');
  imageShape(definition, (path, message) => find(`/preprocess${path}`, message));
}

/** Its shape where `checkImage` finds nothing; empty else. */
export function shapeOfImage(definition: ImageDefinition): readonly number[] {
  return imageShape(definition, () => undefined) ?? [];
}
