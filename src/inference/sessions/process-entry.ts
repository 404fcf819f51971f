import { endWithParent } from './end-with-parent.ts';
import { serveSessions } from './serve-sessions.ts';
import type { SessionMessage } from './session-messages.ts';

/** A child process that runs sessions. It ends with its parent, or when it is told `end`. */
const serve = serveSessions((answer) => process.send?.(answer));
process.on('message', (message: SessionMessage | 'end') => {
  if (message === 'end') process.disconnect();
  else serve(message);
});
process.on('disconnect', () => process.exit(0));
// An interrupt from a terminal reaches the whole group; the parent says when this process ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
endWithParent();
