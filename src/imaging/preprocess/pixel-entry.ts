import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { answerPixelJob } from './answer-pixel-job.ts';
import type { PixelAnswer, PixelJob, StatedFrame, ThreadMessage, ToThread } from './pixel-messages.ts';

/** A thread of createPixelWorkers: one answer for each job, in their order. */

const port = parentPort;
if (port === null) throw new Error('This file is the entry point of a thread.');

// On Linux this is about the thread that calls it: whoever waits for the event loop goes first. Elsewhere it would be about the process.
if (process.platform === 'linux') setPriority(10);

let first: StatedFrame[] = [];
port.on('message', (message: ToThread) => {
  if ('first' in message) {
    first.push(...message.first);
    return;
  }
  const job = wholeJob(message);
  const answer = answerPixelJob(job, () => port.postMessage('frame' satisfies ThreadMessage));
  port.postMessage(answer, buffersOf(answer));
});
port.postMessage('ready');

/** The job with all of its frames. */
function wholeJob(job: PixelJob): PixelJob {
  if (!('tensor' in job) || first.length === 0) return job;
  const frames = [...first, ...job.tensor.frames];
  first = [];
  return { tensor: { ...job.tensor, frames } };
}

/** What is handed over rather than copied. */
function buffersOf(answer: PixelAnswer): ArrayBuffer[] {
  if ('png' in answer) return [answer.png.buffer as ArrayBuffer];
  if ('files' in answer) return answer.files.map(({ buffer }) => buffer as ArrayBuffer);
  if ('drawn' in answer) return [answer.drawn.png.buffer as ArrayBuffer];
  return 'made' in answer
    ? [answer.made.tensor.buffer as ArrayBuffer, answer.made.preview.data.buffer as ArrayBuffer]
    : [];
}
