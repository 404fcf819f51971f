import type { Grant } from './grant.ts';

/** What one call of the fuzzer shows of itself. */
export interface Credential {
  /** What kind it is. */
  readonly name: string;
  /** The header; absent: none is sent. */
  readonly authorization?: string;
  /** What is added to the query. */
  readonly query?: string;
  readonly grant: Grant;
  /** Who it says that calls, the same for all tokens of one client; absent: nobody whom the server knows. */
  readonly caller?: string;
  /** What no answer and no log may hold of it. */
  readonly parts: readonly string[];
}

/** @param token which is shown as a bearer token */
export function bearer(name: string, token: string, grant: Grant, caller?: string): Credential {
  const shown = { name, authorization: `Bearer ${token}`, grant, parts: partsOf(token) };
  return caller === undefined ? shown : { ...shown, caller };
}

/** The claims and the signature of a JWT, or a whole opaque token; what is shorter could stand in any text. */
export function partsOf(token: string): string[] {
  const parts = token.split('.');
  return (parts.length === 3 ? parts.slice(1) : [token]).filter((part) => part.length >= 16);
}
