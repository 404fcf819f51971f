import { PredictionError } from '../platform/errors.ts';
import { unlessAborted } from '../platform/unless-aborted.ts';

/** What comes of the work; throws `givenUp` once the signal is aborted. */
export async function unlessGivenUp<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  try {
    return await unlessAborted(signal, work);
  } catch (error) {
    throw signal.aborted && error === signal.reason ? givenUp(signal) : error;
  }
}

/** Why nobody waits for an image any more: what its signal says, or DEADLINE_EXCEEDED. */
export function givenUp({ reason }: AbortSignal): PredictionError {
  if (reason instanceof PredictionError) return reason;
  const message =
    'The image was not prepared in the time that the call had. Try again with more time, or with less load.';
  return new PredictionError('DEADLINE_EXCEEDED', message, { issues: [{ code: 'timeout', message }] });
}
