import type { LogEvent } from './events.ts';

const errorEvents = new Set<LogEvent['name']>([
  'tls.renewal-failed',
  'model.without-default',
  'models.changed-since-promoted',
  'error.unexpected',
  'database.stopped-unexpectedly',
  'model.images-unconfigured',
  'model.refused',
  'delivery.dead',
  'study-notice.given-up',
  'access-log.failed',
  'access-log.refused',
  'access-log.lost',
  'audit-file.failed',
  'retention.failed',
]);
const warningEvents = new Set<LogEvent['name']>([
  'audit-file.begun-anew',
  'version-states.unknown',
  'shadow.dropped',
  'model.engine-lost',
  'overload.started',
  'overload.ended',
  'database.connection-lost',
  'database.close-timed-out',
  'database.statistics-failed',
  'data-dir.lock-taken-over',
  'prediction.failed',
  'explanation.degraded',
  'record.unreachable',
  'images.unreachable',
  'outbound.refused',
  'cds-hook.earlier-unknown',
  'cds-hook.report-unasked',
  'cds-hook.reports-unknown',
  'cds-hook.report-untold',
  'cds-feedback.words-not-kept',
  'report-review.words-not-kept',
  'cds-hook.late',
  'cds-hook.switched-off',
  'cds-client.refused',
  'cds-client.keys-unreachable',
  'cds-replay.prune-failed',
  'cds-hook.repeats-unknown',
  'run.failed',
  'run.given-up',
  'run.postponed',
  'study-notice.postponed',
  'study-notice.check-failed',
  'study-notice.refused',
  'schedule.missed',
  'schedule.failed',
  'schedule.look-ahead',
  'prediction-log.failed',
  'model.device-fallback',
]);
const debugEvents = new Set<LogEvent['name']>(['data-dir.locked', 'request.refused']);

/** The level at which an event is logged; `LOG_LEVEL` hides what lies below. */
export function eventLevel(event: LogEvent): 'error' | 'warn' | 'info' | 'debug' {
  if (errorEvents.has(event.name)) return 'error';
  if (event.name === 'request.failed') return event.status >= 500 ? 'error' : 'info';
  // Somebody asked for the others.
  if (event.name === 'model.state-changed') return event.action === 'begin' ? 'info' : 'warn';
  if (warningEvents.has(event.name)) return 'warn';
  return debugEvents.has(event.name) ? 'debug' : 'info';
}
