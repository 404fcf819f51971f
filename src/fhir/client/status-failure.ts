import type { Failure } from './connection-failure.ts';
import { type Interaction, unreachable } from './unreachable.ts';

/** A server that asks for a longer pause than this is not waited for. */
const longestPauseSeconds = 2;
/** Pause before the repetition where a gateway failed and asks for none. */
const gatewayPauseMs = 50;

/** Says what a status other than 200 means for a reader of clinical data, and whether to ask once more. */
export function statusFailure(
  interaction: Interaction,
  status: number,
  headers: { readonly location?: string; readonly retryAfter?: string },
): Failure {
  const failed = (happened: string, wayOut: string) => ({ error: unreachable(interaction, happened, wayOut) });
  const pauseMs = pauseOf(headers.retryAfter);
  if (status >= 300 && status < 400) {
    return failed(
      `redirects elsewhere (${status}${hostOf(headers.location)})`,
      'Redirects are not followed, for credentials would travel with them: set the FHIR base URL to the final address.',
    );
  }
  switch (status) {
    case 401:
      return failed('does not accept the credentials (401)', 'Check how this server authenticates there.');
    case 403:
      return failed('forbids this (403)', 'Ask for the right to make this interaction there.');
    case 404:
    case 410:
      return failed(`does not know this interaction (${status})`, 'Check that the FHIR base URL is right.');
    case 429: {
      const error = failed('is asked too often (429)', 'Try again later, or with fewer predictions at a time.').error;
      return pauseMs === undefined ? { error } : { error, repeatInMs: pauseMs };
    }
    case 502:
    case 503:
    case 504: {
      const error = failed(`is not available now (${status})`, 'Try again later.').error;
      if (headers.retryAfter === undefined) return { error, repeatInMs: gatewayPauseMs };
      return pauseMs === undefined ? { error } : { error, repeatInMs: pauseMs };
    }
  }
  if (status >= 500) return failed(`failed (${status})`, "See that server's own log; then try again.");
  if (status >= 400) {
    return failed(`refused the request (${status})`, 'Check that it supports this interaction with these parameters.');
  }
  return failed(`answered ${status} instead of 200`, 'Check that the FHIR base URL is right.');
}

/** Milliseconds; undefined where the server names none, a date, or more than is waited for. */
function pauseOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined || !/^\d+$/.test(retryAfter)) return undefined;
  const seconds = Number(retryAfter);
  return seconds <= longestPauseSeconds ? seconds * 1000 : undefined;
}

function hostOf(location: string | undefined): string {
  const host = location === undefined ? undefined : URL.parse(location)?.host;
  return host === undefined || host === '' ? '' : `, to ${host}`;
}
