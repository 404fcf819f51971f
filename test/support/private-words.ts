import type { LogEvent } from '../../src/platform/events.ts';
import { errorForLog } from '../../src/platform/logged-error.ts';
import type { Logger } from '../../src/platform/logger.ts';
import { canaryPattern } from './canary.ts';
import { privateDetails } from './scorable-patient.ts';

const names = [privateDetails.family, privateDetails.given, privateDetails.identifier];

/** A logger that remembers every event in which a name or record number of the shared patients stands. */
export function watchPrivateWords(logger: Logger): { readonly logger: Logger; readonly told: readonly string[] } {
  const told: string[] = [];
  const watched = (inner: Logger): Logger => ({
    event(event: LogEvent) {
      const line = JSON.stringify('error' in event ? { ...event, error: errorForLog(event.error) } : event);
      if (canaryPattern.test(line) || names.some((name) => line.includes(name))) told.push(line);
      inner.event(event);
    },
    with: (context) => watched(inner.with(context)),
  });
  return { logger: watched(logger), told };
}
