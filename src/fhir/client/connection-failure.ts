import type { PredictionError } from '../../platform/errors.ts';
import { connectionTrouble } from '../../platform/outbound/connection-trouble.ts';
import { type Interaction, unreachable } from './unreachable.ts';

/** An attempt that failed, and whether the same request may be tried once more. */
export interface Failure {
  readonly error: PredictionError;
  /** Milliseconds to wait before the one repetition; absent: do not repeat. */
  readonly repeatInMs?: number;
}

/** Says in words what the network, TLS or HTTP layer reported. Never repeats what the server sent. */
export function connectionFailure(interaction: Interaction, cause: unknown): Failure {
  const { happened, wayOut, timeout, mayRepeat } = connectionTrouble(cause);
  const code = timeout === true ? 'timeout' : 'transient';
  const error = unreachable(interaction, happened, wayOut, { code, cause });
  return mayRepeat === true ? { error, repeatInMs: 0 } : { error };
}
