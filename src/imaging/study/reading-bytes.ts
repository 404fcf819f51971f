import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import { elementCount } from '../../model-catalog/tensor.ts';
import type { PixelForm } from '../dicom/pixel-form.ts';
import { type Axes, planSteps } from '../preprocess/plan-steps.ts';
import type { TakenFrame } from './take-frames.ts';

/** How much memory one image needs, in bytes. */
export interface ReadingBytes {
  /** Until its tensor is made: its frames as they come, as they are decoded, and what the steps make of them. */
  readonly pixels: number;
  /** Afterwards: its tensor, and the picture of it that people see. */
  readonly tensor: number;
  /** While a model runs on it, beside the tensor: the copies of it that there are at once. */
  readonly copies: number;
}

/** What is done with a tensor. */
export interface TensorUse {
  /** True where a model is run on it once more without each patch of it in turn, to explain a score. */
  readonly isOccluded: boolean;
}

/** Numbers are worked with as float64, and go into a tensor as float32. */
const workBytes = 8;
const tensorBytes = 4;
/** Headers, tables and comments of a coded frame. */
const asideBytes = 65_536;
/** Of images without a patch that are run together, see `occludeImage`. */
const occludedBytes = 1_000_000;
/** See `showFrame`: 1,024 by 1,024 pixels of three colours. */
const previewBytes = 3 * 1024 * 1024;

/**
 * How large a frame of this form may be as it comes. What no coding makes smaller, such as noise, they make larger by some percent.
 */
export function mostFrameBytes(form: PixelForm): number {
  return Math.ceil((form.rows * form.columns * form.samplesPerPixel * form.bitsAllocated * 1.25) / 8) + asideBytes;
}

/**
 * How much memory it takes at most to read these frames, by what is stated of them: known before any is fetched. It is rather too much
 * than too little, and counts what is there at once in the thread that prepares them (see `makeTensor`): one frame under way, all of
 * them as far as they go without the others, and twice what is made of all together.
 * A model that runs on the tensor is sent a copy of it, be it in a thread or a process, and one without a patch is a copy that is sent as a copy;
 * rows that run together are of 2 MB at most for each model (see `tryModel`), and none of this.
 * Throws ImageFault where the steps cannot be done with images that are so.
 */
export function readingBytes(
  taken: readonly TakenFrame[],
  { take, preprocess }: ReadingDefinition,
  { isOccluded }: TensorUse,
): ReadingBytes {
  const [first] = taken;
  if (first?.image.pixels === undefined) throw new Error('frames without pixels were taken');
  const { rows, columns } = first.image.pixels;
  const flat = take === 'one-image' || take === 'newest-image';
  const attributes = taken.map(({ image, frame }) => image.frame(frame - 1));
  const { sizes } = planSteps(preprocess, attributes, { rows, columns, ...(flat ? {} : { slices: taken.length }) });
  const meet = preprocess.findIndex(({ step }) => step === 'resample');
  const alone = sizes.slice(0, meet === -1 ? sizes.length : meet + 1);
  const channels = isColour(first.image.pixels, preprocess) ? 3 : 1;
  const plane = (axes: Pick<Axes, 'rows' | 'columns'>): number => axes.rows.size * axes.columns.size * channels;
  const volume = (axes: Axes): number => plane(axes) * (axes.slices?.size ?? 1);

  const kept = plane(alone.at(-1) as Axes);
  const largest = Math.max(rows * columns * channels, ...alone.map(plane));
  const together = Math.max(...sizes.slice(Math.max(0, alone.length - 1)).map(volume));
  const frames = taken.reduce((sum, { image: { pixels } }) => {
    if (pixels === undefined) return sum;
    return sum + mostFrameBytes(pixels) + Math.max(decodedBytes(pixels), kept * workBytes * planesOf(pixels));
  }, 0);
  const atWork = (2 + planesOf(first.image.pixels)) * largest * workBytes + 2 * together * workBytes;
  const tensor = tensorBytes * volume(sizes.at(-1) as Axes);
  const copies = isOccluded ? 2 * Math.max(tensor, occludedBytes) : tensor;
  return { pixels: frames + atWork, tensor: tensor + previewBytes, copies };
}

type ReadingDefinition = Pick<ImageDefinition, 'take' | 'preprocess'>;

/** Rows × columns × samples × the bytes of a sample. */
function decodedBytes({ rows, columns, samplesPerPixel, bitsAllocated }: PixelForm): number {
  const cell = bitsAllocated <= 8 ? 1 : bitsAllocated === 16 ? 2 : 4;
  return elementCount([rows, columns, samplesPerPixel, cell]);
}

/** Where some pixels are padding, how much of each is image is kept beside the values. */
function planesOf({ paddingValue }: PixelForm): number {
  return paddingValue === undefined ? 1 : 2;
}

function isColour({ photometricInterpretation }: PixelForm, preprocess: ReadingDefinition['preprocess']): boolean {
  const isRepeated = preprocess.some((step) => step.step === 'channels' && step.as === 'gray-to-3');
  return isRepeated || !photometricInterpretation.startsWith('MONOCHROME');
}
