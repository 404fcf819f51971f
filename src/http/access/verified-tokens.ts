import { createHash } from 'node:crypto';
import type { Principal } from '../principal.ts';

/** What was verified lately, so that not every call of a client costs a verification. */
export interface VerifiedTokens {
  find(token: string, nowMs: number): Principal | undefined;
  /** @param expiresAt milliseconds since 1970: never found from then on */
  keep(token: string, principal: Principal, expiresAt: number, nowMs: number): void;
}

/** So many tokens are remembered; then the oldest go. */
const most = 1_000;

/**
 * Remembers by SHA-256, never a token itself, until the token expires, and no longer than `keptMs`: so long may a token
 * that was withdrawn still be taken.
 */
export function createVerifiedTokens(keptMs: number): VerifiedTokens {
  const kept = new Map<string, { readonly principal: Principal; readonly until: number }>();
  const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64');
  return {
    find(token, nowMs) {
      const key = keyOf(token);
      const found = kept.get(key);
      if (found === undefined) return undefined;
      if (nowMs < found.until) return found.principal;
      kept.delete(key);
      return undefined;
    },
    keep(token, principal, expiresAt, nowMs) {
      const [oldest] = kept.size >= most ? kept.keys() : [];
      if (oldest !== undefined) kept.delete(oldest);
      kept.set(keyOf(token), { principal, until: Math.min(expiresAt, nowMs + keptMs) });
    },
  };
}
