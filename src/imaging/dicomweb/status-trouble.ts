/** A server that asks for a longer pause than this is not waited for. */
const longestPauseSeconds = 2;
/** Pause before the repetition where a gateway failed and asks for none. */
const gatewayPauseMs = 50;

/** What a status that is no answer means, as the rest of a sentence that begins with the server, and the way out. */
export interface StatusTrouble {
  readonly happened: string;
  readonly wayOut: string;
  /** Milliseconds to wait before the one repetition; absent: do not repeat. */
  readonly repeatInMs?: number;
}

/** Says what a status of an image server means (DW-13). Nothing of its body is read. */
export function statusTrouble(
  status: number,
  location: string | undefined,
  retryAfter: string | undefined,
): StatusTrouble {
  const trouble = (happened: string, wayOut: string): StatusTrouble => ({ happened, wayOut });
  if (status >= 300 && status < 400) {
    const host = location === undefined ? '' : (URL.parse(location)?.host ?? '');
    return trouble(
      `redirects elsewhere (${status}${host === '' ? '' : `, to ${host}`})`,
      'Redirects are not followed, for credentials would travel with them: name the final address in IMAGING_FILE.',
    );
  }
  switch (status) {
    case 204:
      return trouble('answered that there is nothing (204)', 'See whether the images are still there.');
    case 206:
      return trouble('gave only a part of what was asked for (206)', 'Try again later.');
    case 401:
      return trouble('does not accept the credentials (401)', 'Check its authorization in IMAGING_FILE.');
    case 403:
      return trouble('forbids this (403)', 'Ask for the right to read these images there.');
    case 404:
    case 410:
      return trouble(
        `does not have this (${status})`,
        'See whether the images are still there, and its base is right.',
      );
    case 406:
    case 415:
      return trouble(`does not have this in a form that is read here (${status})`, 'See what it can send.');
    case 429:
    case 502:
    case 503:
    case 504:
      return { ...trouble(`is not available now (${status})`, 'Try again later.'), ...pauseBefore(status, retryAfter) };
  }
  if (status >= 500) return trouble(`failed (${status})`, "See that server's own log; then try again.");
  if (status >= 400) return trouble(`refused the request (${status})`, 'Check that it supports DICOMweb.');
  return trouble(`answered ${status}`, 'Check that its base leads to a DICOMweb server.');
}

function pauseBefore(status: number, retryAfter: string | undefined): { repeatInMs?: number } {
  if (retryAfter === undefined) return status === 429 ? {} : { repeatInMs: gatewayPauseMs };
  const seconds = /^\d{1,3}$/.test(retryAfter) ? Number(retryAfter) : Number.POSITIVE_INFINITY;
  return seconds <= longestPauseSeconds ? { repeatInMs: seconds * 1000 } : {};
}
