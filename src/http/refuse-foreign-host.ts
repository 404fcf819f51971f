import type { IncomingMessage } from 'node:http';
import { PredictionError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';

/** The names under which a server may be asked, beside loopback. */
export interface OwnHost {
  /** The URL clients use where a proxy stands before the server. */
  readonly publicBaseUrl?: string;
  /** The address the server listens on, without brackets. */
  readonly listensOn: string;
  /** Callers prove who they are: then it may also be asked at whichever of its addresses a connection came to. */
  readonly callersProve: boolean;
}

/**
 * Refuses requests that were sent to another name than this server's. A web page may point a name of its own at the
 * loopback address (DNS rebinding) and so make a browser read what only this machine may read; the name it was asked
 * under gives it away. /health is answered under every name: it says nothing about anybody, and who looks after a container knows
 * its address alone.
 */
export function refuseForeignHost(own: OwnHost): (request: IncomingMessage) => void {
  const publicHost = own.publicBaseUrl === undefined ? undefined : new URL(own.publicBaseUrl).hostname;
  const isOwn = (bare: string, name: string, { socket }: IncomingMessage): boolean =>
    isLoopback(bare) ||
    bare === own.listensOn ||
    name === publicHost ||
    (own.callersProve && bare === bareAddress(socket.localAddress));
  // Nearly every request names the same host as the one before.
  let lastAccepted: string | undefined;
  return (request) => {
    const { host } = request.headers;
    if (host !== undefined && host === lastAccepted) return;
    if (/^\/health(?:[/?]|$)/.test(request.url ?? '')) return;
    const name = host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname;
    if (host === undefined || (name !== undefined && isOwn(name.replace(/^\[|\]$/g, ''), name, request))) {
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

/** An IPv4 address as callers write it, also where the socket takes both versions. */
function bareAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}
