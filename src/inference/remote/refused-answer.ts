import { isObject } from '../../model-catalog/inference-protocol/parameters.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ProtocolAnswer } from './protocol-client.ts';

const longestText = 200;

/**
 * The error for an answer with another status than 200.
 * @param asked what was asked of whom, the beginning of the sentence
 * @param about what the server says of an inference may quote its inputs: that goes to the caller (as an issue), who sent
 *   them, and not into the log
 */
export function refusedAnswer(asked: string, answer: ProtocolAnswer, about: 'inference' | 'metadata'): PredictionError {
  const { status, retryAfterSeconds } = answer;
  const [code, happened] = meaningOf(status);
  const message = `${asked} ${happened} (${status}).`;
  const text = errorText(answer);
  if (about === 'metadata')
    return new PredictionError(code, text === undefined ? message : `${message} It says: ${text}`);
  return new PredictionError(code, message, {
    ...(text === undefined ? {} : { issues: [{ message: `${message} It says: ${text}` }] }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function meaningOf(status: number): readonly ['ENGINE_UNAVAILABLE' | 'INFERENCE_FAILED', string] {
  if (status >= 300 && status < 400) {
    return ['ENGINE_UNAVAILABLE', 'redirects elsewhere, where it is not followed: set its url to the final address'];
  }
  switch (status) {
    case 401:
    case 403:
      return ['ENGINE_UNAVAILABLE', 'does not accept the token; see its tokenFile'];
    case 404:
      return ['ENGINE_UNAVAILABLE', 'does not know the model or version; see remoteModel and remoteVersion'];
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return ['ENGINE_UNAVAILABLE', 'is not available now'];
  }
  return ['INFERENCE_FAILED', status >= 400 ? 'refused or failed' : 'answered another status than 200'];
}

/** The `{"error": "…"}` of the protocol, on one line and not endless. */
function errorText({ body }: ProtocolAnswer): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (!isObject(parsed) || typeof parsed.error !== 'string') return undefined;
    const text = parsed.error.replace(/[\p{Cc}\s]+/gu, ' ').trim();
    return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  } catch {
    return undefined; // a gateway's own page
  }
}
