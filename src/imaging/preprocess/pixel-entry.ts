import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { answerPixelJob } from './answer-pixel-job.ts';
import type { PixelAnswer, PixelJob, ThreadMessage } from './pixel-messages.ts';

/** A thread of createPixelWorkers: one answer for each job, in their order. */

const port = parentPort;
if (port === null) throw new Error('This file is the entry point of a thread.');

// On Linux this is about the thread that calls it: whoever waits for the event loop goes first. Elsewhere it would be about the process.
if (process.platform === 'linux') setPriority(10);

port.on('message', (job: PixelJob) => {
  const answer = answerPixelJob(job, () => port.postMessage('frame' satisfies ThreadMessage));
  port.postMessage(answer, buffersOf(answer));
});
port.postMessage('ready');

/** What is handed over rather than copied. */
function buffersOf(answer: PixelAnswer): ArrayBuffer[] {
  if ('png' in answer) return [answer.png.buffer as ArrayBuffer];
  if ('drawn' in answer) return [answer.drawn.png.buffer as ArrayBuffer];
  return 'made' in answer
    ? [answer.made.tensor.buffer as ArrayBuffer, answer.made.preview.data.buffer as ArrayBuffer]
    : [];
}
