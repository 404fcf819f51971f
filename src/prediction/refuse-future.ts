import { PredictionError } from '../platform/errors.ts';

/**
 * Throws AS_OF_IN_FUTURE.
 * @param wayOut what the caller can do about it
 */
export function refuseFuture(asOf: Date, now: Date, wayOut = 'Leave asOf out for now.'): void {
  if (asOf.getTime() <= now.getTime()) return;
  throw new PredictionError(
    'AS_OF_IN_FUTURE',
    `As-of ${asOf.toISOString()} lies in the future: a prediction is made of what is known. ${wayOut}`,
  );
}
