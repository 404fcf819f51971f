import { PredictionError } from '../../platform/errors.ts';

export interface ReadingTimes {
  /** When the call came, on the clock of performance.now(). */
  readonly startedMs: number;
  readonly timeoutMs: number;
  /** What is left of the life of the call's token when the call comes; absent where there is no token. */
  readonly tokenMs?: number | undefined;
}

/**
 * Aborts when a prediction may read no more: when its time is up, or when its token expires, whichever comes first. With a
 * token that has expired already nothing is read at all. The reason is the error that the reading then ends with.
 */
export function readingLimit({ startedMs, timeoutMs, tokenMs = Infinity }: ReadingTimes): {
  readonly signal: AbortSignal;
  clear(): void;
} {
  const controller = new AbortController();
  const isToken = tokenMs <= timeoutMs;
  const expire = (): void => controller.abort(isToken ? tokenExpired() : timeIsUp(timeoutMs));
  const leftMs = startedMs + Math.min(timeoutMs, tokenMs) - performance.now();
  if (tokenMs <= 0 || leftMs <= 0) expire();
  const timer = setTimeout(expire, Math.max(0, leftMs));
  timer.unref();
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

function tokenExpired(): PredictionError {
  return stopped(
    'The token of the call has expired (fhirAuthorization.expires_in), so its server is not asked any more. Call again with a token that lasts.',
  );
}

function timeIsUp(timeoutMs: number): PredictionError {
  return stopped(`The record was not read completely within ${timeoutMs} ms. Try again later.`);
}

function stopped(message: string): PredictionError {
  return new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'timeout', message }] });
}
