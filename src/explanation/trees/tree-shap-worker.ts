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

/** Whether all of them take longer than that for a row of zeros: worked out tree by tree, until it is known. */
function areLonger(ensembles: readonly TreeEnsemble[], longestMs: number): boolean {
  for (const trees of ensembles) warmUp(trees);
  const from = performance.now();
  for (const trees of ensembles) {
    const row = new Float64Array(trees.columns);
    for (let tree = 0; tree < trees.roots.length; tree++) {
      treeShap(oneOf(trees, tree), row);
      if (performance.now() - from > longestMs) return true;
    }
  }
  return performance.now() - from > longestMs;
}

/** The first runs are slower, for nothing is compiled yet. */
function warmUp(trees: TreeEnsemble): void {
  const row = new Float64Array(trees.columns);
  for (let run = 0; run < 3; run++) treeShap(oneOf(trees, 0), row);
}

function oneOf(trees: TreeEnsemble, tree: number): TreeEnsemble {
  return { ...trees, roots: trees.roots.subarray(tree, tree + 1) };
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
