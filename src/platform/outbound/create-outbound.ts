import { lookup } from 'node:dns/promises';
import { Agent, type Dispatcher } from 'undici';
import type { LogEvent } from '../events.ts';
import { type AllowedOrigin, type AllowedServer, allowedOrigins } from './allowed-origins.ts';
import { checkedLookup, type Resolve } from './checked-lookup.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { OutboundRefused } from './outbound-refused.ts';
import { type ConnectOptions, pinnedConnector } from './pinned-connector.ts';

/** How connections to one server are kept. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept; default 4,000. */
  readonly keepAliveMs?: number;
}

/** The only way out of this process over HTTP: to servers that the settings name, at addresses that they may have. */
export interface Outbound {
  /**
   * Connections to the one server of `url`: a request to any other, listed or not, is refused, so that a token cannot travel there.
   * Requests over them fail with OutboundRefused where the server is not listed or its name resolves to an address that is not
   * allowed. Whoever opens them destroys them.
   */
  to(url: string, limits: ConnectionLimits): Dispatcher;
  /**
   * For documents, keys and tokens of any listed server. Rejects with OutboundRefused for a server that is not listed, an address that is
   * not allowed, a redirect, or an answer longer than `fetchMaxBytes`; with a TimeoutError after `fetchTimeoutMs`.
   */
  readonly fetch: typeof globalThis.fetch;
  /** Ends the connections of `fetch`. */
  close(): Promise<void>;
}

export interface OutboundOptions {
  readonly allowed: readonly AllowedServer[];
  /** Hosts whose names may resolve to private addresses whatever they are listed for. */
  readonly privateHosts?: readonly string[];
  readonly event: (event: LogEvent) => void;
  /** Default: that of the operating system. */
  readonly resolve?: Resolve;
  /** Of one answer to `fetch`. */
  readonly fetchMaxBytes?: number;
  /** Of one `fetch`, from the first byte sent to the last one received. */
  readonly fetchTimeoutMs?: number;
}

const maxHeaderBytes = 16_384;

export function createOutbound(options: OutboundOptions): Outbound {
  const { event, resolve = (hostname: string) => lookup(hostname, { all: true, verbatim: true }) } = options;
  const origins = allowedOrigins(options.allowed, options.privateHosts ?? []);
  const refused = (allowed: AllowedOrigin | undefined, error: OutboundRefused): OutboundRefused => {
    // What is not listed may be a text that somebody made up: it stays out of the log.
    const named = allowed === undefined ? {} : { origin: allowed.origin, purpose: allowed.purpose };
    event({ name: 'outbound.refused', reason: error.reason, ...named });
    return error;
  };
  const open = (allowed: AllowedOrigin, limits: ConnectionLimits): Agent => {
    const connect: ConnectOptions = {
      timeout: limits.connectTimeoutMs,
      lookup: checkedLookup(resolve, allowed.reach, (error) => void refused(allowed, error)),
    };
    return new Agent({
      connections: limits.connections,
      maxHeaderSize: maxHeaderBytes,
      ...(limits.keepAliveMs === undefined ? {} : { keepAliveTimeout: limits.keepAliveMs }),
      connect: allowed.certificate === undefined ? connect : pinnedConnector(allowed.certificate, connect),
    });
  };
  const notListed = (): OutboundRefused =>
    refused(undefined, new OutboundRefused('not-listed', 'The server is not one that the settings name.'));

  const fetching = new Map<string, Dispatcher>();
  const fetchingFrom = (origin: string): Dispatcher => {
    const allowed = origins.get(origin);
    if (allowed === undefined) throw notListed();
    const kept = fetching.get(origin) ?? open(allowed, { connections: 4, connectTimeoutMs: 5_000 });
    fetching.set(origin, kept);
    return kept;
  };
  return {
    to(url, limits) {
      const { origin } = new URL(url);
      const allowed = origins.get(origin);
      // Where it is not listed nothing is ever sent over it.
      const agent = allowed === undefined ? new Agent() : open(allowed, limits);
      return agent.compose((dispatch) => (request, handler) => {
        if (allowed === undefined || originOf(request.origin) !== origin) throw notListed();
        return dispatch(request, handler);
      });
    },
    fetch: guardedFetch(fetchingFrom, {
      maxBytes: options.fetchMaxBytes ?? 1_000_000,
      timeoutMs: options.fetchTimeoutMs ?? 10_000,
      refused: (origin, error) => refused(origins.get(origin), error),
    }),
    close: async () => {
      await Promise.all([...fetching.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function originOf(origin: string | URL | undefined): string | undefined {
  return origin === undefined ? undefined : URL.parse(String(origin))?.origin;
}
