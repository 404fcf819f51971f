import { createOutbound, type Outbound } from '../../src/platform/outbound/create-outbound.ts';

/** The way out to servers of a test on this machine. */
export function outboundTo(...urls: string[]): Outbound {
  return createOutbound({
    allowed: urls.map((url) => ({ url, purpose: 'test', reach: 'private' as const })),
    event: () => undefined,
  });
}
