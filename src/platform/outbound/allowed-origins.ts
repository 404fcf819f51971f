import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A server that the settings name. Only its scheme, host and port count here. */
export interface AllowedServer {
  readonly url: string;
  /** The setting that names it, for messages and the log. */
  readonly purpose: string;
  /**
   * `private`: its name may also resolve to an address of a private network or of this machine, for nobody but the site chooses when it is
   * asked and what for. `public`: only to a public one, unless the name is in OUTBOUND_PRIVATE_HOSTS.
   */
  readonly reach: 'public' | 'private';
  /** The only certificate that it may show, in the place of one that its authority vouches for; of an https URL. */
  readonly certificate?: X509Certificate | undefined;
}

export interface AllowedOrigin {
  /** `https://host:port`, as the URL standard writes it. */
  readonly origin: string;
  readonly purpose: string;
  readonly reach: 'public' | 'private';
  /** Listed as an address: that one, and no resolver is asked. */
  readonly isAddress: boolean;
  readonly certificate?: X509Certificate | undefined;
}

/** By origin. One that is named twice has the wider of the two reaches. */
export function allowedOrigins(
  servers: readonly AllowedServer[],
  privateHosts: readonly string[],
): ReadonlyMap<string, AllowedOrigin> {
  const isPrivate = new Set(privateHosts.map((host) => host.toLowerCase()));
  const origins = new Map<string, AllowedOrigin>();
  for (const { url, purpose, reach, certificate } of servers) {
    const { origin, hostname } = new URL(url);
    const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
    const own = reach === 'private' || hostname === 'localhost' || isPrivate.has(hostname) ? 'private' : 'public';
    const known = origins.get(origin);
    if (known?.reach === 'private') continue;
    origins.set(origin, { origin, purpose: known?.purpose ?? purpose, reach: own, isAddress, certificate });
  }
  return origins;
}
