import { parentPort } from 'node:worker_threads';
import type { PixelAnswer, ThreadMessage, ToThread } from '../../../src/imaging/preprocess/pixel-messages.ts';

/** A thread for tests: what it does with a picture is said by its columns. */

const port = parentPort;
if (port === null) throw new Error('This file is the entry point of a thread.');

port.on('message', (job: ToThread) => {
  if ('first' in job) return;
  const columns = 'png' in job ? job.png.columns : 0;
  if (columns === 1) throw new Error('a decoder that throws');
  if (columns === 2) process.exit(3);
  if (columns === 3) for (;;);
  if (columns === 4) {
    const held: number[][] = [];
    for (;;) held.push(new Array(1e6).fill(0.5));
  }
  if (columns === 5)
    for (let frame = 0; frame < 6; frame++) {
      port.postMessage('frame' satisfies ThreadMessage);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 350);
    }
  port.postMessage({ png: Uint8Array.of(columns) } satisfies PixelAnswer);
});
port.postMessage('ready');
