import type { StoredFeedback } from '../../monitoring/cds-feedback.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { HookService } from './hook-service.ts';
import { usualOverrideReasons } from './override-reasons.ts';

/**
 * One event for each version, outcome and reason among new answers. A reason is named only where a service at this address
 * offers it: what else a client sends could be anything, and goes to the table alone.
 */
export function feedbackCounts(
  offered: readonly HookService[],
  added: StoredFeedback['added'],
): Extract<LogEvent, { name: 'cds-feedback.counted' }>[] {
  const [service] = offered;
  if (service === undefined) return [];
  const offeredReasons = offered.flatMap(({ declared }) => declared.overrideReasons ?? usualOverrideReasons);
  const groups = Map.groupBy(added, ({ outcome, reason, model }) => {
    const isOffered = offeredReasons.some(({ system, code }) => system === reason?.system && code === reason.code);
    const named = reason === undefined ? 'none' : isOffered ? reason.code : 'other';
    return JSON.stringify([model?.id ?? 'unknown', model?.version ?? 'unknown', outcome, named]);
  });
  return [...groups].map(([key, answers]) => {
    const [model, version, outcome, reason] = JSON.parse(key) as [string, string, 'accepted' | 'overridden', string];
    return {
      name: 'cds-feedback.counted',
      service: service.id,
      model,
      version,
      outcome,
      reason,
      answers: answers.length,
    };
  });
}
