import { PredictionError } from '../platform/errors.ts';

/** Throws AS_OF_IN_FUTURE. */
export function refuseFuture(asOf: Date, now: Date): void {
  if (asOf.getTime() <= now.getTime()) return;
  throw new PredictionError(
    'AS_OF_IN_FUTURE',
    `As-of ${asOf.toISOString()} lies in the future: a prediction is made of what is known. Leave asOf out for now.`,
  );
}
