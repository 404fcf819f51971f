import { parentPort } from 'node:worker_threads';
import { serveSessions } from './serve-sessions.ts';
import type { SessionMessage } from './session-messages.ts';

/** A worker thread that runs sessions. It ends when it is told `end`, once what was asked before is answered. */
if (parentPort !== null) {
  const port = parentPort;
  const serve = serveSessions((answer) => port.postMessage(answer));
  port.on('message', (message: SessionMessage | 'end') => {
    if (message === 'end') port.close();
    else serve(message);
  });
}
