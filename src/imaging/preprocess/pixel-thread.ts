import { Worker } from 'node:worker_threads';
import type { PixelAnswer, PixelJob, ThreadMessage } from './pixel-messages.ts';

/** A thread that does one job at a time. */
export interface PixelThread {
  /** False once it was told to end, or has ended for whatever reason. */
  readonly lives: boolean;
  /** Resolves once it is ready for jobs, or has ended. */
  readonly ready: Promise<void>;
  /**
   * Rejects with ThreadEnded where the thread ends before it answers.
   * @param handedOver buffers that are the thread's from now on
   * @param goesOn called whenever the job has begun another frame
   */
  ask(job: PixelJob, handedOver: readonly ArrayBuffer[], goesOn: () => void): Promise<PixelAnswer>;
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
    ask(job, handedOver, goesOn) {
      asked = { ...Promise.withResolvers<PixelAnswer>(), goesOn };
      worker.ref();
      worker.postMessage(job, handedOver);
      return asked.promise;
    },
    async end() {
      lives = false;
      await worker.terminate();
    },
  };
}
