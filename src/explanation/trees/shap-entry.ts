import { parentPort } from 'node:worker_threads';
import type { ShapAnswer, ShapJob } from './shap-messages.ts';
import { treeShap } from './tree-shap.ts';

/** The thread of createTreeShapWorker: one answer for each job, in their order. */

const port = parentPort;
if (port === null) throw new Error('This file is the entry point of a thread.');

port.on('message', ({ id, trees, row }: ShapJob) => {
  port.postMessage({ id, phi: treeShap(trees, row) } satisfies ShapAnswer);
});
