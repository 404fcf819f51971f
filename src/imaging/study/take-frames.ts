import { setImmediate } from 'node:timers/promises';
import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import type { ImageAttributes } from '../dicom/image-attributes.ts';
import { NoImage } from '../image-reading.ts';
import { sliceOrder } from './slice-geometry.ts';

/** One frame of one image; frames count from 1 (DICOM). */
export interface TakenFrame {
  readonly image: ImageAttributes;
  readonly frame: number;
}

export interface Taken {
  /** In the order of the tensor. */
  readonly frames: readonly TakenFrame[];
  /** What was taken of the images that fit, in words. */
  readonly words: string;
}

/**
 * Takes of the images that fit what the feature map takes; where that leaves a choice, none is made.
 * Throws NoImage; for more frames than `mostFrames` before any is listed: an object says how many it has, and may say anything.
 * @param fitting at least one
 */
export function takeFrames(
  fitting: readonly ImageAttributes[],
  take: ImageDefinition['take'],
  mostFrames: number,
): Taken {
  refuseTooMany(fitting, take, mostFrames);
  switch (take) {
    case 'one-image':
      return { frames: oneFrame(onlyOne(fitting)), words: 'the only image that fits' };
    case 'newest-image':
      return { frames: oneFrame(newestOf(fitting)), words: `the newest of ${fitting.length} that fit` };
    case 'stack': {
      const frames = stackOf(oneSeries(fitting));
      return { frames, words: `${frames.length} frames of one series in their order` };
    }
    case 'volume': {
      const frames = oneSeries(fitting).flatMap(allFrames);
      const order = sliceOrder(frames.map(({ image, frame }) => image.frame(frame - 1)));
      return {
        frames: order.flatMap((index) => frames[index] ?? []),
        words: `${frames.length} slices of one series by their position`,
      };
    }
  }
}

function refuseTooMany(fitting: readonly ImageAttributes[], take: ImageDefinition['take'], mostFrames: number): void {
  if (take !== 'stack' && take !== 'volume') return;
  const frames = fitting.reduce((sum, { pixels }) => sum + (pixels?.frames ?? 0), 0);
  if (frames > mostFrames)
    throw new NoImage(
      'image-too-large',
      `the image is larger than what is read: ${frames} frames; ${mostFrames} are read (limits.frames of IMAGING_FILE)`,
    );
}

/** Frames of which is read in one go what is stated about them. */
const framesInTurn = 100;

/**
 * Reads what a volume is sorted by, so that it is at hand; other work of the process has its turn in between.
 * Throws NoImage as `takeFrames` does for more frames than `mostFrames`, and ImageFault.
 */
export async function readPositions(fitting: readonly ImageAttributes[], mostFrames: number): Promise<void> {
  refuseTooMany(fitting, 'volume', mostFrames);
  await readStated(fitting.flatMap(allFrames));
}

/** Reads what is stated of each frame, so that it is at hand; other work of the process has its turn in between. Throws ImageFault. */
export async function readStated(frames: readonly TakenFrame[]): Promise<void> {
  for (const [index, { image, frame }] of frames.entries()) {
    if (index > 0 && index % framesInTurn === 0) await setImmediate();
    image.frame(frame - 1);
  }
}

function allFrames(image: ImageAttributes): TakenFrame[] {
  return Array.from({ length: image.pixels?.frames ?? 0 }, (_, index) => ({ image, frame: index + 1 }));
}

function oneFrame(image: ImageAttributes): TakenFrame[] {
  const count = image.pixels?.frames ?? 0;
  if (count > 1) throw new NoImage('several-images', `the image that fits has ${count} frames`);
  return allFrames(image);
}

function onlyOne(fitting: readonly ImageAttributes[]): ImageAttributes {
  const [image, ...others] = fitting;
  if (image === undefined || others.length > 0)
    throw new NoImage('several-images', `${fitting.length} images of the study fit, where one is wanted`);
  return image;
}

/** By when it was acquired, as far as the images say so to the second; they are of one study and so of one clock. */
function newestOf(fitting: readonly ImageAttributes[]): ImageAttributes {
  if (fitting.length === 1) return onlyOne(fitting);
  const times = fitting.map(({ acquiredAt }) => acquiredAt);
  const zones = new Set(fitting.map(({ timezoneOffset }) => timezoneOffset));
  if (times.includes(undefined) || zones.size > 1)
    throw new NoImage('several-images', `${fitting.length} images fit, and not each says when it was acquired`);
  const last = (times as string[]).reduce((later, time) => (time > later ? time : later));
  return onlyOne(fitting.filter(({ acquiredAt }) => acquiredAt === last));
}

function oneSeries(fitting: readonly ImageAttributes[]): readonly ImageAttributes[] {
  const series = new Set(fitting.map(({ seriesInstanceUid }) => seriesInstanceUid)).size;
  if (series > 1) throw new NoImage('several-images', `images of ${series} series fit, where one is wanted`);
  return fitting;
}

/** The frames of one object, or one frame of each of several by their InstanceNumber. */
function stackOf(images: readonly ImageAttributes[]): TakenFrame[] {
  const [image] = images;
  if (images.length === 1 && image !== undefined) return allFrames(image);
  const numbers = images.map(({ instanceNumber }) => instanceNumber);
  if (numbers.includes(undefined) || new Set(numbers).size < numbers.length)
    throw new NoImage('image-unsupported', 'the images of the series have no InstanceNumber each of its own');
  const ordered = [...images].sort((left, right) => (left.instanceNumber ?? 0) - (right.instanceNumber ?? 0));
  return ordered.flatMap(oneFrame);
}
