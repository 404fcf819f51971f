import type { PixelForm } from '../dicom/pixel-form.ts';
import type { ImageSource } from '../dicomweb/image-sources.ts';
import { NoImage } from '../image-reading.ts';
import { transferSyntax } from '../pixels/transfer-syntaxes.ts';
import type { StatedFrame } from '../preprocess/pixel-messages.ts';
import { mostFrameBytes } from './reading-bytes.ts';
import type { StudySources } from './study-sources.ts';
import type { TakenFrame } from './take-frames.ts';

/** How much of a study one prediction reads. */
export interface FetchLimits {
  /** Frames. */
  readonly frames: number;
  /** Of one frame as it is decoded, and of one as it comes. */
  readonly objectBytes: number;
  /** Of all frames as they come. */
  readonly studyBytes: number;
}

/**
 * Fetches frames as they are stored, so that our decoder runs, image by image; in the order given.
 * Throws NoImage and ImageFault `image-too-large`, and IMAGES_UNREACHABLE.
 */
export async function fetchFrames(
  taken: readonly TakenFrame[],
  sources: StudySources,
  limits: FetchLimits,
  signal?: AbortSignal,
): Promise<StatedFrame[]> {
  const wanted = new Map<TakenFrame['image'], number[]>();
  for (const { image, frame } of taken) wanted.set(image, [...(wanted.get(image) ?? []), frame]);
  const fetched = new Map<string, Pick<StatedFrame, 'bytes' | 'transferSyntaxUid'>>();
  let bytes = 0;
  for (const [image, numbers] of wanted) {
    const source = sources.series.get(image.seriesInstanceUid) ?? sources.study;
    if (source === undefined) throw new NoImage('no-image-source', 'nothing says where a series of the study lies');
    for await (const each of source.frames(asked(image, numbers), signal)) {
      bytes += each.bytes.byteLength;
      if (bytes > limits.studyBytes)
        throw tooLarge(`its frames are more than ${limits.studyBytes} bytes (limits.studyMb of IMAGING_FILE)`);
      refuseUnknownColours(image, each);
      fetched.set(`${image.sopInstanceUid}#${each.frame}`, {
        bytes: each.bytes,
        transferSyntaxUid: each.transferSyntaxUid,
      });
    }
  }
  return taken.map(({ image, frame }) => {
    const one = fetched.get(`${image.sopInstanceUid}#${frame}`);
    if (one === undefined) throw new Error('a source ended without a frame that was asked for');
    return { ...one, form: formOf(image), attributes: image.frame(frame - 1) };
  });
}

function asked(image: TakenFrame['image'], numbers: readonly number[]): Parameters<ImageSource['frames']>[0] {
  return {
    study: image.studyInstanceUid,
    series: image.seriesInstanceUid,
    instance: image.sopInstanceUid,
    frameNumbers: [...numbers].sort((left, right) => left - right),
    transferSyntax: 'stored',
    mostBytes: mostFrameBytes(formOf(image)),
  };
}

/** Throws NoImage `image-too-large` before anything is fetched that would be. */
export function checkSizes(taken: readonly TakenFrame[], limits: FetchLimits): void {
  if (taken.length > limits.frames)
    throw tooLarge(`${taken.length} frames; ${limits.frames} are read (limits.frames of IMAGING_FILE)`);
  for (const { image } of taken) {
    const { rows, columns, samplesPerPixel, bitsAllocated } = formOf(image);
    const bytes = Math.ceil((rows * columns * samplesPerPixel * bitsAllocated) / 8);
    if (bytes > limits.objectBytes)
      throw tooLarge(
        `${rows} × ${columns} pixels; ${limits.objectBytes} bytes are read (limits.objectMb of IMAGING_FILE)`,
      );
  }
}

/**
 * A server that decodes colours, asked to or not, may turn them to RGB or leave them, and lay them out as it likes; what it says of the
 * stored image does not tell. Only where that says that it is stored so has nobody decoded what comes uncompressed.
 */
function refuseUnknownColours(
  image: TakenFrame['image'],
  { transferSyntaxUid }: Pick<StatedFrame, 'transferSyntaxUid'>,
): void {
  const { photometricInterpretation, samplesPerPixel, planarConfiguration } = formOf(image);
  if (samplesPerPixel === 1 || !isNative(transferSyntaxUid) || isNative(image.transferSyntaxUid)) return;
  if (photometricInterpretation === 'RGB' && planarConfiguration === 0) return;
  throw new NoImage(
    'image-unsupported',
    `the image server gives an image of ${photometricInterpretation} uncompressed, and does not say that it is stored so: which colours these are, and in which order, cannot be told`,
  );
}

function isNative(uid: string | undefined): boolean {
  const coding = uid === undefined ? undefined : transferSyntax(uid)?.coding;
  return coding === 'native' || coding === 'big-endian';
}

function formOf({ pixels }: TakenFrame['image']): PixelForm {
  if (pixels === undefined) throw new Error('an image without pixels was taken');
  return pixels;
}

function tooLarge(what: string): NoImage {
  return new NoImage('image-too-large', `the image is larger than what is read: ${what}`);
}
