import type { LogEvent } from '../../src/platform/events.ts';
import { errorForLog } from '../../src/platform/logged-error.ts';
import type { Logger } from '../../src/platform/logger.ts';
import { canaryPattern } from './canary.ts';
import { privateWords } from './private-places.ts';

/** A logger that remembers every event in which a name, record number, birth date or value of the shared patients stands. */
export function watchPrivateWords(logger: Logger): { readonly logger: Logger; readonly told: readonly string[] } {
  const told: string[] = [];
  const watched = (inner: Logger): Logger => ({
    event(event: LogEvent) {
      const line = JSON.stringify('error' in event ? { ...event, error: errorForLog(event.error) } : event);
      if (canaryPattern.test(line) || privateWords.some((word) => line.includes(word))) told.push(line);
      inner.event(event);
    },
    with: (context) => watched(inner.with(context)),
  });
  return { logger: watched(logger), told };
}
