import { jwtVerify } from 'jose';
import type { CdsClientSettings } from './cds-client-section.ts';
import { refusedFor } from './cds-refusal.ts';
import { type CdsToken, readCdsToken } from './cds-token.ts';
import { type KeySet, NoSuchKey } from './key-set.ts';
import type { ReplayStore } from './replay-store.ts';

/** A client and where its keys are. */
export interface KnownCdsClient {
  readonly client: CdsClientSettings;
  /** By the URL that a token may name as `jku`. */
  readonly keysByUrl: ReadonlyMap<string, KeySet>;
  /** For tokens that name none; absent where several URLs are declared, so that it must be named. */
  readonly keys?: KeySet;
}

export interface CdsTokenParts {
  /** By issuer. */
  readonly clients: ReadonlyMap<string, KnownCdsClient>;
  readonly replays: ReplayStore;
}

/** One call that shows a token. */
export interface CdsCall {
  readonly token: string;
  /** The URLs of which one must be the token's audience: what was invoked, below the configured URL of this server. */
  readonly audiences: readonly string[];
  readonly now: Date;
  /** Told as soon as the token names a client that is known here: for the log, before anything is proved. */
  readonly named?: (client: CdsClientSettings) => void;
}

/** Who was let in, and by which token. */
export interface ProvedCdsClient {
  readonly client: CdsClientSettings;
  readonly tenant?: string;
  readonly jti: string;
}

/** Clocks of hospitals differ by so much, in seconds; a `jti` is kept for as long after the token has expired. */
export const clockSkewSeconds = 60;
/** From `iat` to `exp`, in seconds. Epic's tokens live for 15 minutes; what lives for longer is no token of a single call. */
export const longestLifetimeSeconds = 3_600;

/**
 * Proves which client calls, in the order of CDS-66: issuer, audience, time, tenant, signature, and last that the token was
 * not let in before. Only a token that has passed all else is kept as used, so nobody can use up another one's.
 * @throws CdsTokenRefused with the reason, which is for the log; what a key set or the database throws
 */
export async function verifyCdsToken(parts: CdsTokenParts, call: CdsCall): Promise<ProvedCdsClient> {
  const token = readCdsToken(call.token);
  const known = parts.clients.get(token.iss);
  if (known === undefined) throw refusedFor('issuer');
  const { client } = known;
  call.named?.(client);
  if (!token.aud.some((audience) => call.audiences.includes(audience))) throw refusedFor('audience');
  checkTime(token, call.now.getTime() / 1000);
  checkTenant(token, client);
  await checkSignature(token, known, call);
  const { jti, tenant } = token;
  const expiresAt = new Date((token.exp + clockSkewSeconds) * 1000);
  const isNew = await parts.replays.use({
    issuer: token.iss,
    jti,
    ...(tenant === undefined ? {} : { tenant }),
    expiresAt,
  });
  if (!isNew) throw refusedFor('replayed');
  return { client, jti, ...(tenant === undefined ? {} : { tenant }) };
}

function checkTime({ exp, iat, nbf }: CdsToken, nowSeconds: number): void {
  if (exp <= nowSeconds - clockSkewSeconds) throw refusedFor('expired');
  if (iat > nowSeconds + clockSkewSeconds) throw refusedFor('not-yet-valid');
  if (nbf !== undefined && nbf > nowSeconds + clockSkewSeconds) throw refusedFor('not-yet-valid');
  if (exp <= iat || exp - iat > longestLifetimeSeconds) throw refusedFor('lifetime');
}

function checkTenant({ tenant }: CdsToken, { tenants }: CdsClientSettings): void {
  const allowed = tenant === undefined ? tenants === undefined : tenants?.includes(tenant) === true;
  if (!allowed) throw refusedFor('tenant');
}

/** jose checks the claims once more: two hands hold what matters. */
async function checkSignature(token: CdsToken, known: KnownCdsClient, { audiences, now }: CdsCall): Promise<void> {
  const { algorithms } = known.client;
  if (!algorithms.some((allowed) => allowed === token.alg)) throw refusedFor('algorithm');
  const keys = token.jku === undefined ? known.keys : known.keysByUrl.get(token.jku);
  if (keys === undefined) throw refusedFor('key-set-url');
  try {
    await jwtVerify(token.text, keys.keyFor, {
      algorithms: [...algorithms],
      typ: 'JWT',
      issuer: token.iss,
      audience: [...audiences],
      currentDate: now,
      clockTolerance: clockSkewSeconds,
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti'],
    });
  } catch (cause) {
    if (cause instanceof NoSuchKey) throw refusedFor('key', { cause });
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_J')) {
      throw refusedFor('signature', { cause });
    }
    throw cause;
  }
}
