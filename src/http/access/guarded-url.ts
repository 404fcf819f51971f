import { isLoopback } from '../../platform/loopback.ts';

/** An absolute URL whose answers nobody between can change: https, or http to this machine; no credentials, no fragment. */
export function isGuardedUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || text.includes('#')) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, '')));
}
