import { PredictionError } from '../../platform/errors.ts';

/** One interaction with a server, as an error message may name it: types and names of parameters, never their values. */
export interface Interaction {
  /** Absolute FHIR base URL without credentials and query. */
  readonly base: string;
  /** `read Patient` or `search Observation by patient, code`. */
  readonly name: string;
}

/**
 * The error for every way in which a server fails to give a complete answer in FHIR.
 * @param happened what the server did, as the rest of a sentence that begins with the server
 * @param wayOut a sentence
 * @param code `timeout` where time ran out, `transient` for everything else
 */
export function unreachable(
  { base, name }: Interaction,
  happened: string,
  wayOut: string,
  { code = 'transient', cause }: { code?: 'timeout' | 'transient'; cause?: unknown } = {},
): PredictionError {
  const message = `The FHIR server ${base} ${happened} (${name}). ${wayOut}`;
  return new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code, message }], cause });
}

/** Why an answer was not read to its end: it has more bytes than are read. */
export class AnswerTooLarge extends Error {}

/** True where a smaller page of the same search may be read. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof PredictionError && error.cause instanceof AnswerTooLarge;
}
