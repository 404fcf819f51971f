import type { FhirAnswer } from '../../fhir/client/fhir-writer.ts';
import type { DeliveryError, DeliveryOutcome } from './delivery.ts';

type Failed = Extract<DeliveryOutcome, { kind: 'failed' | 'dead' }>;

/**
 * What an answer other than success means for the result that was sent.
 *
 * The sink as a whole is at fault where it cannot be reached, is busy or refuses access: results wait and do not die of
 * it. A result it rejects (400, 422) is dead at once. The rest is tried again, a limited number of times; and wherever
 * the sink may hold the result all the same, the next attempt looks first.
 */
export function deliveryFailure(answer: FhirAnswer): Failed {
  if (answer.kind === 'silent') {
    const text = `The sink gave no answer: ${answer.reason}.`;
    return answer.reached
      ? { kind: 'failed', counts: true, unsure: true, error: { reason: 'no-answer', text } }
      : { kind: 'failed', counts: false, unsure: false, error: { reason: 'unreachable', text } };
  }
  const { status } = answer;
  const said = (reason: DeliveryError['reason'], words: string): DeliveryError => ({
    reason,
    status,
    text: `The sink ${words} (${status}${issuesOf(answer.body)}).`,
  });
  if (status === 429) return { kind: 'failed', counts: false, unsure: false, error: said('busy', 'asks for less') };
  if (status === 503) return { kind: 'failed', counts: false, unsure: true, error: said('busy', 'is not available') };
  if (status === 408 || status >= 500)
    return { kind: 'failed', counts: true, unsure: true, error: said('failed', 'failed') };
  if (status === 409 || status === 412 || status === 423)
    return { kind: 'failed', counts: true, unsure: true, error: said('conflict', 'reports a conflict') };
  if (status === 400 || status === 413 || status === 415 || status === 422)
    return { kind: 'dead', error: said('rejected', 'does not accept the result') };
  if (status >= 300)
    return {
      kind: 'failed',
      counts: false,
      unsure: false,
      error: said('refused-access', 'refuses access: check its address, its token and what it supports'),
    };
  return { kind: 'failed', counts: true, unsure: true, error: said('unexpected-answer', 'answered something else') };
}

/** An answer with a status of success whose content is not what FHIR prescribes. */
export function unexpectedAnswer(status: number, what: string): Failed {
  const text = `The sink answered ${status}, but ${what}.`;
  return { kind: 'failed', counts: true, unsure: true, error: { reason: 'unexpected-answer', status, text } };
}

const longestPauseMs = 3_600_000;

/** Retry-After in milliseconds, at most an hour; undefined where there is none that can be read. */
export function retryAfterMs(answer: FhirAnswer, now: Date): number | undefined {
  const text = answer.kind === 'answered' ? answer.retryAfter : undefined;
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestPauseMs);
}

/** Codes and elements of an OperationOutcome; its texts may quote the patient and are left out. */
function issuesOf(body: unknown): string {
  const { issue } = (body ?? {}) as { issue?: unknown };
  if (!Array.isArray(issue)) return '';
  const parts = issue.slice(0, 3).flatMap((each: unknown) => {
    const { code, expression } = (each ?? {}) as { code?: unknown; expression?: unknown };
    if (typeof code !== 'string' || !/^[a-z-]{1,40}$/.test(code)) return [];
    const [at]: unknown[] = Array.isArray(expression) ? expression : [];
    return typeof at === 'string' && /^[A-Za-z][A-Za-z0-9.[\]]{0,120}$/.test(at) ? [`${code} at ${at}`] : [code];
  });
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}
