import { instantRange } from '../../fhir/instant-range.ts';
import type { CdsFeedback } from '../../monitoring/cds-feedback.ts';
import type { ErrorIssue } from '../../platform/errors.ts';
import { bodyCheck, invalidBody } from './check-body.ts';
import { type FeedbackBody, feedbackSchema } from './hook-schemas.ts';

const checkFeedback: (value: unknown, path: string) => asserts value is FeedbackBody =
  bodyCheck<FeedbackBody>(feedbackSchema);

/** What lies outside was not seen by any card, and not every database can hold it. */
const years = { from: 1900, to: 2200 };

/**
 * Reads the body of a feedback call (CDS-50 to CDS-52).
 * @throws PARAMETER_INVALID naming where and what is allowed; nothing of the body counts then
 */
export function parseFeedback(body: unknown): CdsFeedback[] {
  checkFeedback(body, '');
  const issues: ErrorIssue[] = [];
  const parsed = body.feedback.flatMap((item, index): CdsFeedback[] => {
    const expression = `feedback[${index}]`;
    const find = (name: string, message: string): void => {
      issues.push({ code: 'value', message: `${expression}.${name} ${message}.`, expression: `${expression}.${name}` });
    };
    const { card, outcome, acceptedSuggestions, overrideReason } = item;
    if (outcome === 'accepted' && acceptedSuggestions === undefined)
      find('acceptedSuggestions', 'is missing; it is required where outcome is accepted');
    if (outcome === 'overridden' && acceptedSuggestions !== undefined)
      find('acceptedSuggestions', 'belongs to the outcome accepted');
    const at = item.outcomeTimestamp.length > 10 ? instantRange(item.outcomeTimestamp, 'UTC') : undefined;
    if (at === undefined || !/(?:Z|[+-]\d\d:\d\d)$/.test(item.outcomeTimestamp)) {
      find('outcomeTimestamp', 'must be an instant with a zone, such as 2026-03-01T08:00:00Z');
      return [];
    }
    const year = new Date(at.start).getUTCFullYear();
    if (year < years.from || year > years.to)
      find('outcomeTimestamp', `must lie in the years ${years.from} to ${years.to}`);
    return [
      {
        card: card.toLowerCase(),
        outcome,
        outcomeAt: new Date(at.start),
        acceptedSuggestions: (acceptedSuggestions ?? []).map(({ id }) => id.toLowerCase()),
        ...(overrideReason?.reason === undefined ? {} : { reason: overrideReason.reason }),
        ...(overrideReason?.userComment === undefined ? {} : { comment: overrideReason.userComment }),
      },
    ];
  });
  if (issues.length > 0) throw invalidBody(issues);
  return parsed;
}
