import type { LogEvent } from '../platform/events.ts';
import type { Logger } from '../platform/logger.ts';

/** A logger that tells another part of every event too, whatever LOG_LEVEL hides. */
export function meteredLogger(logger: Logger, onEvent: (event: LogEvent) => void): Logger {
  return {
    event(event) {
      onEvent(event);
      logger.event(event);
    },
    with: (context) => meteredLogger(logger.with(context), onEvent),
  };
}
