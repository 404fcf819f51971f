import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { PixelAnswer, PixelJob, StatedFrame, ThreadMessage, ToThread } from './pixel-messages.ts';

/** A thread that does one job at a time. */
export interface PixelThread {
  /** False once it was told to end, or has ended for whatever reason. */
  readonly lives: boolean;
  /** Resolves once it is ready for jobs, or has ended. */
  readonly ready: Promise<void>;
  /**
   * Rejects with ThreadEnded where the thread ends before it answers.
   * The frames of a job are handed over with their buffers, many of them in turns of the event loop.
   * @param goesOn called whenever the job has begun another frame
   */
  ask(job: PixelJob, goesOn: () => void): Promise<PixelAnswer>;
  /** Ends it, whatever it is at. */
  end(): Promise<void>;
}

export class ThreadEnded extends Error {
  /** Whether it had no memory left for the job, as far as can be told. */
  readonly outOfMemory: boolean;

  constructor(code: number, cause: unknown) {
    super(`the thread ended with ${code}`, { cause });
    this.name = 'ThreadEnded';
    this.outOfMemory = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  }
}

/** Frames that are handed over at once: what is stated of each is copied, 10 µs or so. */
const framesInTurn = 200;

/** What a thread may hold beside pixels, which lie outside of its heap. */
const mostHeapMb = 256;

/** @param entry file of its entry point */
export function openPixelThread(entry: string): PixelThread {
  const worker = new Worker(entry, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: mostHeapMb } });
  const ready = Promise.withResolvers<void>();
  let lives = true;
  let asked: (PromiseWithResolvers<PixelAnswer> & { readonly goesOn: () => void }) | undefined;
  // An error of the thread is followed by its end.
  let cause: unknown;
  worker.unref();
  worker.on('message', (answer: ThreadMessage) => {
    if (answer === 'ready') {
      ready.resolve();
      return;
    }
    if (answer === 'frame') {
      asked?.goesOn();
      return;
    }
    worker.unref();
    asked?.resolve(answer);
    asked = undefined;
  });
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => {
    lives = false;
    ready.resolve();
    asked?.reject(new ThreadEnded(code, cause));
    asked = undefined;
  });
  return {
    get lives() {
      return lives;
    },
    ready: ready.promise,
    async ask(job, goesOn) {
      const waiting = { ...Promise.withResolvers<PixelAnswer>(), goesOn };
      // It is awaited below, when all frames are handed over; until then nobody hears that the thread has ended, which would end the process.
      waiting.promise.catch(() => undefined);
      asked = waiting;
      worker.ref();
      const post = (message: ToThread, frames: readonly StatedFrame[] = []): void =>
        worker.postMessage(message, [...new Set(frames.map(({ bytes }) => bytes.buffer as ArrayBuffer))]);
      if (!('tensor' in job)) post(job);
      else {
        const { frames, definition } = job.tensor;
        let from = 0;
        for (; lives && from + framesInTurn < frames.length; from += framesInTurn) {
          const first = frames.slice(from, from + framesInTurn);
          post({ first }, first);
          await nextTurn();
        }
        const rest = frames.slice(from);
        if (lives) post({ tensor: { frames: rest, definition } }, rest);
      }
      return await waiting.promise;
    },
    async end() {
      lives = false;
      await worker.terminate();
    },
  };
}
