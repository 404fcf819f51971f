import { availableParallelism } from 'node:os';
import { PredictionError } from '../../platform/errors.ts';
import type { Lane } from '../../platform/lane-queue.ts';
import { createLanes } from '../../platform/lanes.ts';
import { givenUp, unlessGivenUp } from '../given-up.ts';
import { ImageFault } from '../image-fault.ts';
import type { ObjectsJob } from '../objects/make-objects.ts';
import type { SaliencyDrawing } from './draw-saliency.ts';
import type { Picture } from './encode-png.ts';
import type { MadeTensor } from './make-tensor.ts';
import { pixelEntryFile } from './pixel-entry-file.ts';
import type { DrawnPicture, PixelAnswer, PixelJob, StatedFrame, TensorJob } from './pixel-messages.ts';
import { openPixelThread, type PixelThread, ThreadEnded } from './pixel-thread.ts';

export interface PixelOptions {
  /** Jobs at once, each in a thread of its own; absent: one less than the machine has cores, at least 1 and at most 4. */
  readonly threads?: number;
  /** Jobs of each lane that may wait for a thread; absent: 64. */
  readonly mostWaiting?: number;
  /** How long one frame of a job may take, in milliseconds from where its thread has begun it; absent: a minute. */
  readonly longestMs?: number;
  /** Told of a job that failed in a way that nobody expected. */
  failed?(error: unknown): void;
  /** File of the thread; tests give others. */
  readonly entry?: string;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** `back` for what nobody waits for at a bedside, such as a run; absent: `front`. */
  readonly lane?: Lane;
  /** Called once nothing of the job is held any more: whoever gives it up hears before its thread does. */
  ended?(): void;
}

/** Decodes and prepares images in threads of their own, so that the event loop stays free. */
export interface PixelWorkers {
  /**
   * From encoded frames to a tensor. The bytes of the frames are handed over where they are a whole buffer: the caller's are empty then.
   * Throws ImageFault for this image alone, be it that its decoder crashes or runs out of memory; OVERLOADED where too many wait, or
   * one frame takes too long; ENGINE_UNAVAILABLE where its thread is lost: a machine that is busy says nothing of the image; DEADLINE_EXCEEDED where its signal is aborted first, or the PredictionError that is the reason of it.
   */
  make(job: TensorJob, options?: AskOptions): Promise<MadeTensor>;
  /** A PNG file of the picture. Throws like `make`. */
  png(picture: Picture, options?: AskOptions): Promise<Uint8Array>;
  /** A PNG file of an image with a map of what moved a score over it, see `drawSaliency`. Throws like `make`. */
  draw(drawing: SaliencyDrawing, options?: AskOptions): Promise<DrawnPicture>;
  /** DICOM files of a result, see `makeObjects`. Throws like `make`. */
  objects(job: ObjectsJob, options?: AskOptions): Promise<readonly Uint8Array[]>;
  /** Ends the threads; what they work on fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}

export function createPixelWorkers(options: PixelOptions = {}): PixelWorkers {
  const threads = options.threads ?? Math.max(1, Math.min(4, availableParallelism() - 1));
  const { mostWaiting = 64, longestMs = 60_000, entry = pixelEntryFile() } = options;
  const lanes = createLanes(threads);
  const open = new Set<PixelThread>();
  const idle: PixelThread[] = [];
  /** Jobs that are under way or wait: however many a run has, somebody at a bedside may wait too. */
  const held: Record<Lane, number> = { front: 0, back: 0 };
  let closed = false;

  /** @returns what gives the place back */
  const enter = async ({ signal, lane = 'front' }: AskOptions): Promise<() => void> => {
    if (closed) throw closing();
    if (signal?.aborted === true) throw givenUp(signal);
    if (held[lane] >= threads + mostWaiting)
      throw new PredictionError('OVERLOADED', `${mostWaiting} images wait to be prepared already. Try again in 5 s.`, {
        retryAfterSeconds: 5,
      });
    held[lane] += 1;
    const entered = lanes.enter(lane);
    try {
      const leave = await (signal === undefined ? entered : unlessGivenUp(signal, entered));
      return () => {
        held[lane] -= 1;
        leave();
      };
    } catch (error) {
      held[lane] -= 1;
      void entered.then((leave) => leave());
      throw error;
    }
  };

  /** The longest idle one that lives, else a new one. */
  const takeThread = (): PixelThread => {
    for (let thread = idle.shift(); thread !== undefined; thread = idle.shift()) {
      if (thread.lives) return thread;
      open.delete(thread);
    }
    const thread = openPixelThread(entry);
    open.add(thread);
    return thread;
  };

  const ask = async (job: PixelJob, options: AskOptions): Promise<PixelAnswer> => {
    const ended = (): void => options.ended?.();
    const leave = await enter(options).catch((error: unknown) => {
      ended();
      throw error;
    });
    if (closed) {
      leave();
      ended();
      throw closing();
    }
    const thread = takeThread();
    const answer = answerInTime(thread, job);
    const done = answer.then(
      () => void idle.push(thread),
      () => thread.end().finally(() => open.delete(thread)),
    );
    // Whoever gives up does not end it: the thread is free when the job is done, or its time is up.
    void done.then(leave).then(ended);
    return await (options.signal === undefined ? answer : unlessGivenUp(options.signal, answer));
  };

  const answerInTime = async (thread: PixelThread, job: PixelJob): Promise<PixelAnswer> => {
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const late = (): void => {
      isLate = true;
      void thread.end();
    };
    try {
      const answer = thread.ask(job, () => timer?.refresh());
      // A job is not answerable for how long its thread takes to begin.
      await Promise.race([thread.ready, answer]);
      timer = setTimeout(late, longestMs);
      return await answer;
    } catch (error) {
      if (closed) throw closing();
      if (isLate)
        throw new PredictionError(
          'OVERLOADED',
          `A frame of the image was not prepared within ${longestMs} ms. Try again in 5 s, or with less load.`,
          { retryAfterSeconds: 5 },
        );
      options.failed?.(error);
      if (error instanceof ThreadEnded && error.outOfMemory)
        throw new ImageFault('image-unsupported', 'The image needs more memory than its thread has.', { cause: error });
      throw new PredictionError('ENGINE_UNAVAILABLE', 'The thread that prepared the image has ended. Try again.', {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  };

  /** Throws what kept the thread from an answer. */
  const checked = <T extends PixelAnswer>(answer: PixelAnswer, isWanted: (one: PixelAnswer) => one is T): T => {
    if (isWanted(answer)) return answer;
    if ('fault' in answer) throw new ImageFault(answer.fault.because, answer.fault.message);
    const cause = 'broken' in answer ? answer.broken : new Error('another answer than was asked for');
    options.failed?.(cause);
    throw new ImageFault('image-unsupported', 'Preparing the image failed in a way that is not known.', { cause });
  };

  return {
    async make({ frames, definition }, askOptions = {}) {
      const answer = await ask({ tensor: { frames: ownedFrames(frames, askOptions), definition } }, askOptions);
      return checked(answer, (one) => 'made' in one).made;
    },
    async png({ rows, columns, channels, data }, askOptions = {}) {
      const answer = await ask({ png: { rows, columns, channels, data } }, askOptions);
      return checked(answer, (one) => 'png' in one).png;
    },
    async draw(saliency, askOptions = {}) {
      const answer = await ask({ saliency }, askOptions);
      return checked(answer, (one) => 'drawn' in one).drawn;
    },
    async objects(objects, askOptions = {}) {
      const answer = await ask({ objects }, askOptions);
      return checked(answer, (one) => 'files' in one).files;
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((thread) => thread.end()));
    },
  };
}

/** Frames that can be handed over. Where there is no memory for copies of them, nothing is held and its error is thrown. */
function ownedFrames(frames: readonly StatedFrame[], { ended }: AskOptions): readonly StatedFrame[] {
  try {
    return frames.map((frame) => ({ ...frame, bytes: wholeBuffer(frame.bytes) }));
  } catch (error) {
    ended?.();
    throw error;
  }
}

/** Bytes that share their buffer with others (a part of a message, a small Buffer) are copied: only a whole one can be handed over. */
function wholeBuffer(bytes: Uint8Array): Uint8Array {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return isWhole ? bytes : Uint8Array.from(bytes);
}

function closing(): PredictionError {
  return new PredictionError('SHUTTING_DOWN', 'The server stops; no image is prepared any more.');
}
