import type { Server } from 'node:http';

/** What one connection may cost before anything of its request is known. */
export interface ConnectionLimits {
  /** From the start of a request, or of a connection that sends none, to the end of its headers. */
  readonly headersMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
  /** A connection without a request is kept so long. */
  readonly idleMs: number;
  /** How often connections are looked through for those that took too long. */
  readonly checkMs: number;
  /** Of all headers of a request; more is answered with 431. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Open at once; one more is closed at once. */
  readonly connections: number;
}

/** A client that means well sends its headers in one packet, and the largest body in seconds. */
export const connectionLimits: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  checkMs: 2_000,
  headerBytes: 16_384,
  headerCount: 100,
  connections: 10_000,
};

/** What `createServer` takes of the limits. */
export function limitedServerOptions({ headersMs, requestMs, idleMs, checkMs, headerBytes }: ConnectionLimits) {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: headerBytes,
  };
}

/** The rest of the limits, which are set on a server that was made. */
export function limitConnections(
  server: Pick<Server, 'maxHeadersCount' | 'maxConnections'>,
  { headerCount, connections }: ConnectionLimits,
): void {
  server.maxHeadersCount = headerCount;
  server.maxConnections = connections;
}
