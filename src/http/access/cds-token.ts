import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type CdsRefusal, refusedFor } from './cds-refusal.ts';

/** What a CDS client's token says of itself, in the form that it must have; nothing is proved by it. */
export interface CdsToken {
  readonly text: string;
  readonly alg: string;
  /** At most 256 characters. */
  readonly kid: string;
  readonly jku?: string;
  readonly iss: string;
  readonly aud: readonly string[];
  /** Seconds since 1970, as are `iat` and `nbf`. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
  /** At most 256 characters. */
  readonly jti: string;
  readonly tenant?: string;
}

/** No token of an EHR is nearly as long; RS384 with 4096 bits needs 700 characters for its signature. */
const longestToken = 8_192;
const longestText = 256;
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Reads a token without believing it (CDS-61, CDS-62). Header fields that carry or name keys (`jwk`, `x5c`, `x5u`) are
 * ignored, and a `crit` is refused: nothing beyond the base form is understood.
 * Throws CdsTokenRefused.
 */
export function readCdsToken(text: string): CdsToken {
  if (text.length > longestToken || !compactForm.test(text)) throw refusedFor('malformed');
  const header = decoded(() => decodeProtectedHeader(text));
  const claims = decoded(() => decodeJwt(text));
  if (header.typ !== 'JWT' || header.crit !== undefined) throw refusedFor('header');
  const { aud, nbf, tenant } = claims;
  const audience = typeof aud === 'string' ? [aud] : aud;
  if (!Array.isArray(audience) || !audience.every((one) => typeof one === 'string')) throw refusedFor('claims');
  return {
    text,
    alg: textOf(header.alg, 'header'),
    kid: textOf(header.kid, 'header'),
    ...(header.jku === undefined ? {} : { jku: textOf(header.jku, 'header', longestToken) }),
    iss: textOf(claims.iss, 'claims', longestToken),
    aud: audience,
    exp: instantOf(claims.exp),
    iat: instantOf(claims.iat),
    ...(nbf === undefined ? {} : { nbf: instantOf(nbf) }),
    jti: textOf(claims.jti, 'claims'),
    ...(tenant === undefined ? {} : { tenant: textOf(tenant, 'claims') }),
  };
}

/** jose throws errors of several classes for text that is no JSON object in base64url. */
function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw refusedFor('malformed', { cause });
  }
}

function textOf(value: unknown, reason: CdsRefusal, longest = longestText): string {
  if (typeof value !== 'string' || value === '' || value.length > longest) throw refusedFor(reason);
  return value;
}

/** JSON can say 1e999, which is Infinity. */
function instantOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refusedFor('claims');
  return value;
}
