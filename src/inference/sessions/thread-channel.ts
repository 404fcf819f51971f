import { Worker } from 'node:worker_threads';
import { largeOnes, ownCopy } from '../copy-in-turns.ts';
import { entryFile } from './entry-file.ts';
import type { SessionAnswer, SessionChannel, SessionListener, SessionMessage } from './session-messages.ts';

/** What is large is copied in turns and handed over: posted as it is, all of it would be copied at once. */
function postRun(worker: Worker, message: Extract<SessionMessage, { ask: 'run' }>): void | Promise<void> {
  const large = largeOnes(message.feeds);
  if (large.length === 0) return worker.postMessage(message);
  return (async () => {
    const feeds = new Map(message.feeds);
    const handedOver: ArrayBuffer[] = [];
    for (const [name, tensor] of large) {
      const copy = await ownCopy(tensor);
      feeds.set(name, copy);
      handedOver.push(copy.data.buffer);
    }
    worker.postMessage({ ...message, feeds }, handedOver);
  })();
}

/**
 * A worker thread for sessions. It is never terminated: a thread that is stopped inside ONNX Runtime takes the whole
 * process with it. One that is given up goes on until its run ends, unheard.
 */
export function openThread(listener: SessionListener): SessionChannel {
  const worker = new Worker(entryFile('thread-entry'), { execArgv: [], stdout: true, stderr: true });
  worker.stdout.resume();
  worker.stderr.resume();
  let told = false;
  const gone = (reason: string): void => {
    if (told) return;
    told = true;
    listener.gone(reason);
  };
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (answer: SessionAnswer) => {
    if (!told) listener.answer(answer);
  });
  worker.on('error', (error: unknown) => gone(`failed: ${error instanceof Error ? error.message : String(error)}`));
  worker.once('exit', (code) => gone(`ended with ${code}`));
  return {
    name: 'thread',
    post: (message) => (message.ask === 'run' ? postRun(worker, message) : worker.postMessage(message)),
    end() {
      worker.postMessage('end');
      return ended;
    },
    abandon() {
      worker.unref();
      worker.postMessage('end');
      gone('was given up');
      return ended;
    },
  };
}
