import ipaddr from 'ipaddr.js';

/**
 * What requests of nobody in particular are counted by: an IPv4 address, or the 64 bits of IPv6 that one network has.
 * @param remote of the socket; undefined once it is closed
 */
export function callerAddress(remote: string | undefined): string {
  if (remote === undefined || !ipaddr.isValid(remote)) return 'unknown';
  const address = ipaddr.process(remote);
  if (address.kind() === 'ipv4') return address.toString();
  const network = address.toByteArray().slice(0, 8);
  return Buffer.from(network).toString('hex');
}
