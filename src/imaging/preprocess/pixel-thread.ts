import { Worker } from 'node:worker_threads';
import type { PixelAnswer, PixelJob } from './pixel-messages.ts';

/** A thread that does one job at a time. */
export interface PixelThread {
  /** False once it has ended, for whatever reason. */
  readonly lives: boolean;
  /** Resolves once it is ready for jobs, or has ended. */
  readonly ready: Promise<void>;
  /** @param handedOver buffers that are the thread's from now on. Rejects where the thread ends before it answers. */
  ask(job: PixelJob, handedOver: readonly ArrayBuffer[]): Promise<PixelAnswer>;
  /** Ends it, whatever it is at. */
  end(): Promise<void>;
}

/** What a thread may hold beside pixels, which lie outside of its heap. */
const mostHeapMb = 256;

/** @param entry file of its entry point */
export function openPixelThread(entry: string): PixelThread {
  const worker = new Worker(entry, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: mostHeapMb } });
  const ready = Promise.withResolvers<void>();
  let lives = true;
  let asked: PromiseWithResolvers<PixelAnswer> | undefined;
  // An error of the thread is followed by its end.
  let cause: unknown;
  worker.unref();
  worker.on('message', (answer: PixelAnswer | 'ready') => {
    if (answer === 'ready') {
      ready.resolve();
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
    asked?.reject(new Error(`the thread ended with ${code}`, { cause }));
    asked = undefined;
  });
  return {
    get lives() {
      return lives;
    },
    ready: ready.promise,
    ask(job, handedOver) {
      asked = Promise.withResolvers();
      worker.ref();
      worker.postMessage(job, handedOver);
      return asked.promise;
    },
    async end() {
      await worker.terminate();
    },
  };
}
