import { Worker } from 'node:worker_threads';
import type { PixelAnswer, PixelJob } from './pixel-messages.ts';

/** A thread that does one job at a time. */
export interface PixelThread {
  /** False once it has ended, for whatever reason. */
  readonly lives: boolean;
  /** @param handedOver buffers that are the thread's from now on. Rejects where the thread ends before it answers. */
  ask(job: PixelJob, handedOver: readonly ArrayBuffer[]): Promise<PixelAnswer>;
  /** Ends it, whatever it is at. */
  end(): Promise<void>;
}

export function openPixelThread(entry: string): PixelThread {
  const worker = new Worker(entry, { execArgv: [] });
  let lives = true;
  let asked: PromiseWithResolvers<PixelAnswer> | undefined;
  // An error of the thread is followed by its end.
  let cause: unknown;
  worker.unref();
  worker.on('message', (answer: PixelAnswer) => {
    worker.unref();
    asked?.resolve(answer);
    asked = undefined;
  });
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => {
    lives = false;
    asked?.reject(new Error(`the thread ended with ${code}`, { cause }));
    asked = undefined;
  });
  return {
    get lives() {
      return lives;
    },
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
