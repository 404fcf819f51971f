import type { ImageStep } from './image-preprocess-schema.ts';
import type { ImageDefinition } from './image-schema.ts';

type Find = (path: string, message: string) => void;

/** How small and how large a size may be; one number where both are the same. */
interface Size {
  readonly least: number;
  readonly most: number;
}

const anySize: Size = { least: 1, most: Number.POSITIVE_INFINITY };

interface Form {
  readonly sizes: readonly Size[];
  readonly channels?: Extract<ImageStep, { step: 'channels' }>;
  /** True where values are no longer those of the modality, which the window of an image is about. */
  readonly isMapped?: true;
}

/** Gray images have one channel, colour images and gray ones that are repeated three. */
const channelCount = { gray: 1, rgb: 3, 'gray-to-3': 3 } as const;

/**
 * The shape that the steps of an image end in, without running them: [rows, columns], of a stack or a volume
 * [slices, rows, columns], with the size of the channels first, last or not at all. Undefined where it depends on the
 * image, or a step does not fit those before it; `find` is told why.
 */
export function imageShape({ take, preprocess }: ImageDefinition, find: Find): readonly number[] | undefined {
  const flat = take === 'one-image' || take === 'newest-image';
  let form: Form = { sizes: flat ? [anySize, anySize] : [anySize, anySize, anySize] };
  let fits = true;
  preprocess.forEach((step, index) => {
    form = shapeAfter(step, form, (path, message) => {
      fits = false;
      find(`/${index}${path}`, message);
    });
  });
  const { channels, sizes } = form;
  if (channels === undefined) {
    find('', 'need one step "channels": whether the tensor is gray or has three channels, and where these stand');
    return undefined;
  }
  if (!fits) return undefined;
  const shape = sizes.map(({ least, most }) => (least === most ? least : undefined));
  if (shape.includes(undefined)) {
    find('', `end in a size that depends on the image: ${sizes.map(sizeText).join(' × ')}; resample, crop or pad it`);
    return undefined;
  }
  const spatial = shape as readonly number[];
  const count = channelCount[channels.as];
  if (channels.place === 'none') return spatial;
  return channels.place === 'first' ? [count, ...spatial] : [...spatial, count];
}

function shapeAfter(step: ImageStep, form: Form, find: Find): Form {
  switch (step.step) {
    case 'window':
      checkWindow(step, form, find);
      return { ...form, isMapped: true };
    case 'rescale':
      if (step.from[0] >= step.from[1]) find('/from', 'the first value must be below the second');
      return { ...form, isMapped: true };
    case 'normalise':
      checkNormalise(step, form, find);
      return { ...form, isMapped: true };
    case 'channels':
      if (form.channels !== undefined) find('', 'is there twice; the channels are said once');
      if (step.colour !== undefined && step.as === 'rgb') find('/colour', 'is for gray; rgb keeps the colours');
      if (step.place === 'none' && step.as !== 'gray') find('/place', `is none, but ${step.as} has three channels`);
      return { ...form, channels: step };
    case 'resample': {
      const { size, spacingMm } = step;
      if ((size === undefined) === (spacingMm === undefined)) find('', 'needs exactly one of size and spacingMm');
      if (step.method === 'nearest' && step.antialias) find('/antialias', 'is not for nearest, which has no kernel');
      if (step.method === 'area' && step.antialias) find('/antialias', 'is not for area, which has it in itself');
      if (spacingMm !== undefined) {
        sameRank(spacingMm, form, '/spacingMm', find);
        return { ...form, sizes: form.sizes.map(() => anySize) };
      }
      const wanted = size ?? [];
      if (!sameRank(wanted, form, '/size', find)) return form;
      return { ...form, sizes: wanted.map((each) => ({ least: each, most: each })) };
    }
    case 'crop':
      if (!sameRank(step.size, form, '/size', find)) return form;
      return { ...form, sizes: bounded(form.sizes, step.size, Math.min) };
    case 'pad':
      if (!sameRank(step.size, form, '/size', find)) return form;
      return { ...form, sizes: bounded(form.sizes, step.size, Math.max) };
  }
}

function bounded(sizes: readonly Size[], by: readonly number[], limit: (one: number, other: number) => number): Size[] {
  return sizes.map(({ least, most }, at) => {
    const bound = by[at] ?? Number.NaN;
    return { least: limit(least, bound), most: limit(most, bound) };
  });
}

function sameRank(given: readonly number[], { sizes }: Form, path: string, find: Find): boolean {
  if (given.length === sizes.length) return true;
  const names = sizes.length === 2 ? '[rows, columns] for one image' : '[slices, rows, columns] for several';
  if (given.length > 0) find(path, `has ${given.length} numbers; ${sizes.length} are needed: ${names}`);
  return false;
}

function checkWindow(
  { center, width, from, function: voi }: Extract<ImageStep, { step: 'window' }>,
  { channels, isMapped }: Form,
  find: Find,
): void {
  if (from !== undefined && isMapped)
    find('/from', 'is about values of the modality: it stands before rescale, normalise and other windows');
  if (from !== undefined && channels?.as === 'rgb')
    find('/from', 'is for gray images; those with colours have no window');
  const isDeclared = center !== undefined && width !== undefined;
  const isPartial = (center === undefined) !== (width === undefined);
  if (isPartial || isDeclared === (from !== undefined)) find('', 'needs center and width, or "from": "image"');
  if (from !== undefined && voi !== undefined) find('/function', 'is for a declared window; the image says its own');
  if (voi !== 'LINEAR_EXACT' && voi !== 'SIGMOID' && width !== undefined && width < 1)
    find('/width', 'must be at least 1 for LINEAR');
}

function checkNormalise(
  { mean, std }: Extract<ImageStep, { step: 'normalise' }>,
  { channels }: Form,
  find: Find,
): void {
  if (mean.length !== std.length) find('', `has ${mean.length} mean and ${std.length} std; one for each is needed`);
  const count = channels === undefined ? undefined : channelCount[channels.as];
  if (mean.length === 1 || mean.length === count) return;
  const why = count === undefined ? 'before the step channels there is one' : `there are ${count}`;
  find('/mean', `has ${mean.length} numbers for the channels; ${why}`);
}

function sizeText({ least, most }: Size): string {
  if (least === most) return String(least);
  if (most === Number.POSITIVE_INFINITY) return least === 1 ? 'any' : `${least} or more`;
  return `${least} to ${most}`;
}
