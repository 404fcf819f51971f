import { PredictionError } from '../platform/errors.ts';
import { describeError } from './error-response.ts';
import type { GuardedPath } from './open-requests.ts';

/** A request that is one too many is told so in the shape of the protocol it came by. */
export function guardedPath(path: string): GuardedPath {
  const message = 'The server has as many requests under way as it answers in time. Try again after a second.';
  const outcome = describeError(new PredictionError('OVERLOADED', message), '').outcome;
  const isHooks = path === '/cds-services';
  const refusal = path.startsWith('/v2')
    ? { contentType: 'application/json', text: JSON.stringify({ error: message }) }
    : {
        contentType: isHooks ? 'application/json' : 'application/fhir+json; charset=utf-8',
        text: JSON.stringify(outcome),
      };
  return { path, urgent: isHooks, refusal };
}
