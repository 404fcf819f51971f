import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { OutboundRefused } from './outbound-refused.ts';
import { reachOf } from './reach-of.ts';

/** Every address of a host. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * Resolves a host once for one connection, and lets the socket have the addresses that were checked: nobody resolves it again. All of them must be
 * allowed, for a name with one public and one private address is a trap.
 * @param refused told before the error is given
 */
export function checkedLookup(
  resolve: Resolve,
  allows: 'public' | 'private',
  refused: (error: OutboundRefused) => void,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) {
          callback(Object.assign(new Error('The host has no address.'), { code: 'ENOTFOUND' }), '', 0);
          return;
        }
        const barred = addresses.find(({ address }) => !isAllowed(address, allows));
        if (barred !== undefined) {
          const error = new OutboundRefused(
            'address-not-allowed',
            `${hostname} resolves to an address that may not be reached (${barred.address}).`,
          );
          refused(error);
          callback(error, '', 0);
          return;
        }
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

function isAllowed(address: string, allows: 'public' | 'private'): boolean {
  const reach = reachOf(address);
  return reach === 'public' || (reach === 'private' && allows === 'private');
}
