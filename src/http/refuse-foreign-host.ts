import type { IncomingMessage } from 'node:http';
import { PredictionError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';

/**
 * Refuses requests that were sent to another name than this server's. A web page may point a name of its own at the
 * loopback address (DNS rebinding) and so make a browser read what only this machine may read; the name it was asked
 * under gives it away.
 * @param publicBaseUrl the URL clients use where a proxy stands before the server
 * @param listensOn the address the server listens on, without brackets
 */
export function refuseForeignHost(
  publicBaseUrl: string | undefined,
  listensOn: string,
): (request: IncomingMessage) => void {
  const publicHost = publicBaseUrl === undefined ? undefined : new URL(publicBaseUrl).hostname;
  const isOwn = (bare: string, name: string): boolean => isLoopback(bare) || bare === listensOn || name === publicHost;
  // Nearly every request names the same host as the one before.
  let lastAccepted: string | undefined;
  return (request) => {
    const { host } = request.headers;
    if (host !== undefined && host === lastAccepted) return;
    const name = host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname;
    if (host === undefined || (name !== undefined && isOwn(name.replace(/^\[|\]$/g, ''), name))) {
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
