import { ImageFault } from '../image-fault.ts';
import { makeObjects } from '../objects/make-objects.ts';
import { decodeFrame } from '../pixels/decode-frame.ts';
import { drawSaliency } from './draw-saliency.ts';
import { encodePng } from './encode-png.ts';
import { type DecodedFrame, makeTensor } from './make-tensor.ts';
import type { PixelAnswer, PixelJob, StatedFrame, TensorJob } from './pixel-messages.ts';

/**
 * Does one job to its end; frames are decoded one after the other, each when the one before is done with.
 * @param atFrame called before each frame, and before what is made of all of them
 */
export function answerPixelJob(job: PixelJob, atFrame: () => void): PixelAnswer {
  try {
    if ('saliency' in job) {
      const picture = drawSaliency(job.saliency);
      return { drawn: { png: encodePng(picture), rows: picture.rows, columns: picture.columns } };
    }
    if ('objects' in job) return { files: makeObjects(job.objects) };
    return 'png' in job ? { png: encodePng(job.png) } : { made: tensorOf(job.tensor, atFrame) };
  } catch (error) {
    if (error instanceof ImageFault) return { fault: { because: error.because, message: error.message } };
    return { broken: error };
  }
}

function tensorOf({ frames, definition }: TensorJob, atFrame: () => void) {
  const attributes = frames.map((frame) => frame.attributes);
  return makeTensor({ frames: decodedOneByOne(frames, atFrame), attributes, definition });
}

function* decodedOneByOne(frames: readonly StatedFrame[], atFrame: () => void): Generator<DecodedFrame> {
  for (const { attributes, ...encoded } of frames) {
    atFrame();
    yield { stored: decodeFrame(encoded), attributes, form: encoded.form };
  }
  atFrame();
}
