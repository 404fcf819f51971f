import ipaddr from 'ipaddr.js';

/**
 * What an address is to this server: `public`, `private` (RFC 1918, shared, unique local, loopback), or `never`: link-local,
 * multicast, unspecified, reserved, tunnelled, and the metadata services of clouds.
 */
export type Reach = 'public' | 'private' | 'never';

/** Metadata services outside the link-local range: Azure, Alibaba, Oracle, Amazon over IPv6. */
const metadata: ReadonlySet<string> = new Set(['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254']);

const privateRanges: ReadonlySet<string> = new Set(['private', 'carrierGradeNat', 'uniqueLocal', 'loopback']);
/** RFC 4291, section 2.4: the only unicast addresses that are given out worldwide. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const wellKnownNat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/** @param address in the form that a resolver gives; what is no address is never reached */
export function reachOf(address: string): Reach {
  if (!ipaddr.isValid(address)) return 'never';
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) return reachOfIpv4(parsed);
  if (parsed.zoneId !== undefined) return 'never';
  if (parsed.isIPv4MappedAddress()) return reachOfIpv4(parsed.toIPv4Address());
  if (parsed.match(wellKnownNat64)) {
    // A network without IPv4 reaches all of it so; what stands behind the translator is not ours to reach.
    const inner = new ipaddr.IPv4(parsed.toByteArray().slice(12));
    return reachOfIpv4(inner) === 'public' ? 'public' : 'never';
  }
  if (metadata.has(parsed.toString())) return 'never';
  const range = parsed.range();
  if (privateRanges.has(range)) return 'private';
  return range === 'unicast' && parsed.match(globalUnicast) ? 'public' : 'never';
}

function reachOfIpv4(address: ipaddr.IPv4): Reach {
  if (metadata.has(address.toString())) return 'never';
  const range = address.range();
  if (privateRanges.has(range)) return 'private';
  return range === 'unicast' ? 'public' : 'never';
}
