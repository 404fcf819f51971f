import type { IncomingMessage } from 'node:http';
import { PredictionError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';

/**
 * Refuses requests that were sent to another name than this server's. A web page may point a name of its own at the
 * loopback address (DNS rebinding) and so make a browser read what only this machine may read; the name it was asked
 * under gives it away.
 * @param publicBaseUrl the URL clients use where a proxy stands before the server
 */
export function refuseForeignHost(publicBaseUrl: string | undefined): (request: IncomingMessage) => void {
  const publicHost = publicBaseUrl === undefined ? undefined : new URL(publicBaseUrl).hostname;
  // Nearly every request names the same host as the one before.
  let lastAccepted: string | undefined;
  return (request) => {
    const { host } = request.headers;
    if (host !== undefined && host === lastAccepted) return;
    const name = host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname;
    if (
      host === undefined ||
      (name !== undefined && (isLoopback(name.replace(/^\[|\]$/g, '')) || name === publicHost))
    ) {
      lastAccepted = host;
      return;
    }
    request.resume();
    throw new PredictionError(
      'HOST_REFUSED',
      'This server answers only under a loopback name or that of PUBLIC_BASE_URL. Ask it there, or set PUBLIC_BASE_URL to the URL that clients use.',
    );
  };
}
