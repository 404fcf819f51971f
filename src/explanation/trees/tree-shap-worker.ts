import { Worker } from 'node:worker_threads';
import { PredictionError } from '../../platform/errors.ts';
import { shapEntryFile } from './shap-entry-file.ts';
import type { ShapAnswer, ShapJob } from './shap-messages.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';
import { treeShap } from './tree-shap.ts';

/** See treeShap. */
export type TreeShap = (trees: TreeEnsemble, row: Float64Array) => Promise<Float64Array>;

/** Works out contributions that take long in a thread of their own. */
export interface TreeShapWorker {
  /** Here or in the thread: whichever the time that it takes for these ensembles says. */
  measured(ensembles: readonly TreeEnsemble[]): TreeShap;
  /** Ends the thread; what it works on fails. */
  close(): Promise<void>;
}

/** Longest time in milliseconds that contributions may keep the event loop: others wait meanwhile. */
const longestHereMs = 10;

/** How much slower a first run may be. */
const notCompiledYet = 10;

/**
 * One thread for all versions, begun with the first that needs it. Ensembles lie in shared memory: nothing is copied, and
 * the thread keeps nothing of a version that is gone.
 * @param longestMs see longestHereMs
 */
export function createTreeShapWorker(longestMs: number = longestHereMs): TreeShapWorker {
  let thread: ShapThread | undefined;
  let closed = false;
  const apart: TreeShap = (trees, row) => {
    if (closed) return Promise.reject(ended());
    thread ??= openThread(() => {
      thread = undefined;
    });
    return thread.work(trees, row);
  };
  return {
    measured(ensembles) {
      return areLonger(ensembles, longestMs) ? apart : (trees, row) => Promise.resolve(treeShap(trees, row));
    },
    async close() {
      closed = true;
      await thread?.end();
    },
  };
}

/** Whether all of them take longer than that; no more is worked out than it takes to know. */
function areLonger(ensembles: readonly TreeEnsemble[], longestMs: number): boolean {
  let ms = 0;
  for (const trees of ensembles) {
    ms += measuredMs(trees, longestMs);
    if (ms > longestMs) return true;
  }
  return false;
}

/**
 * The least of some runs with zeros: the first ones are slower, for nothing is compiled yet. One that takes far longer than
 * that makes is the last.
 */
function measuredMs(trees: TreeEnsemble, longestMs: number): number {
  const row = new Float64Array(trees.columns);
  let leastMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const from = performance.now();
    treeShap(trees, row);
    leastMs = Math.min(leastMs, performance.now() - from);
    if (leastMs > notCompiledYet * longestMs) break;
  }
  return leastMs;
}

interface ShapThread {
  work: TreeShap;
  end(): Promise<void>;
}

function openThread(lost: () => void): ShapThread {
  const worker = new Worker(shapEntryFile());
  const waiting = new Map<number, { resolve(phi: Float64Array): void; reject(error: Error): void }>();
  let next = 0;
  worker.unref();
  worker.on('message', ({ id, phi }: ShapAnswer) => {
    waiting.get(id)?.resolve(phi);
    waiting.delete(id);
  });
  // An error of the thread is followed by its end.
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', () => {
    for (const { reject } of waiting.values()) reject(ended(cause));
    waiting.clear();
    lost();
  });
  return {
    work(trees, row) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, trees, row } satisfies ShapJob);
      });
    },
    async end() {
      await worker.terminate();
    },
  };
}

function ended(cause?: unknown): PredictionError {
  return new PredictionError('INFERENCE_FAILED', 'The thread that works out contributions has ended.', { cause });
}
