import { PredictionError } from '../../platform/errors.ts';

/** What `POST /deliveries/redrive` asks for. */
export interface RedriveRequest {
  readonly sink: string;
  /** Absent: all dead letters of the sink. */
  readonly identifiers?: readonly string[];
}

const form = '{"sink": "<name>", "identifiers": ["<result identifier>", …]} or {"sink": "<name>", "state": "dead"}';

/** Either some results or all that are dead must be asked for in so many words. Throws PARAMETER_INVALID. */
export function parseRedriveRequest(body: unknown): RedriveRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refused('', 'The body must be a JSON object');
  const { sink, identifiers, state, ...unknown } = body as Record<string, unknown>;
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) throw refused(stray.slice(0, 64), 'The field is unknown');
  if (typeof sink !== 'string' || !/^[a-z0-9-]{1,40}$/.test(sink)) throw refused('sink', 'sink must name a sink');
  if ((identifiers === undefined) === (state === undefined))
    throw refused('identifiers', 'Exactly one of identifiers and state must be given');
  if (identifiers === undefined) {
    if (state !== 'dead') throw refused('state', 'state must be "dead": nothing else is re-driven');
    return { sink };
  }
  const isIdentifier = (value: unknown): value is string =>
    typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value);
  if (!Array.isArray(identifiers) || identifiers.length === 0 || !identifiers.every(isIdentifier))
    throw refused('identifiers', 'identifiers must be a list of result identifiers');
  return { sink, identifiers };
}

function refused(expression: string, what: string): PredictionError {
  const message = `${what}. Send ${form}.`;
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, ...(expression === '' ? {} : { expression }) }],
  });
}
