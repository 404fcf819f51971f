import { SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock.ts';
import { PredictionError } from '../../../platform/errors.ts';
import { unlessAborted } from '../../../platform/unless-aborted.ts';
import type { Credentials } from '../get-resource.ts';
import { type Interaction, unreachable } from '../unreachable.ts';
import type { ClientKeys, SigningKey } from './client-keys.ts';
import { missingScopes } from './missing-scopes.ts';
import { discoverTokenEndpoint, takes } from './token-endpoint.ts';

/** This server as a client of SMART Backend Services at one FHIR server. */
export interface BackendClient {
  /** FHIR base URL, without a trailing slash. */
  readonly base: string;
  readonly clientId: string;
  readonly keys: ClientKeys;
  /** Where tokens are asked for; absent: where the server's SMART configuration says, at its own origin. */
  readonly tokenUrl?: string | undefined;
  /** Asked for instead of `needed`; for servers that want other words for the same. */
  readonly requested?: string | undefined;
  /** Scopes without which a record would lack something, in version 2, with blanks between. */
  readonly needed: () => string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly newId: () => string;
}

interface HeldToken {
  readonly authorization: string;
  /** Epoch milliseconds after which it is not used. */
  readonly usableUntil: number;
}

/** Keycloak refuses assertions that are good for longer (SM-3 allows five minutes). */
const assertionSeconds = 60;
/** A token is not used so shortly before its end, or before its half. */
const marginMs = 30_000;
const oauthErrors: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);

/**
 * Access tokens of one FHIR server, asked for when they are needed, once for all who wait (SM-5), and kept in memory until shortly before
 * their end. Throws RECORD_UNREACHABLE where none is to be had, or one that does not let everything be read that models need:
 * a server may answer what it hides with nothing.
 */
export function backendCredentials(client: BackendClient): Credentials {
  let held: HeldToken | undefined;
  let asking: Promise<HeldToken> | undefined;
  return {
    async authorization(signal) {
      if (held !== undefined && client.clock.now().getTime() < held.usableUntil) return held.authorization;
      asking ??= askForToken(client)
        .then((token) => {
          held = token;
          return token;
        })
        .finally(() => {
          asking = undefined;
        });
      return (await unlessAborted(signal, asking)).authorization;
    },
    refused(authorization) {
      if (held?.authorization === authorization) held = undefined;
    },
  };
}

async function askForToken(client: BackendClient): Promise<HeldToken> {
  const { base, fetch, clock } = client;
  const interaction: Interaction = { base, name: 'access token' };
  const endpoint = client.tokenUrl === undefined ? await discoverTokenEndpoint(base, fetch) : { url: client.tokenUrl };
  const key = client.keys.signing.find(({ algorithm }) => takes(endpoint, algorithm));
  if (key === undefined) {
    throw unreachable(
      interaction,
      'takes no signature that a key of FHIR_CLIENT_KEYS_FILE makes',
      'Add an RSA key (RS384) or an EC key on P-384 (ES384) to it, and register it there.',
    );
  }
  const asked = clock.now().getTime();
  const needed = client.needed();
  const scope = client.requested ?? needed;
  const { status, value } = await post(client, endpoint.url, interaction, {
    grant_type: 'client_credentials',
    scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(client, key, endpoint.url),
  });
  if (status !== 200) throw refusedToken(interaction, status, value.error);
  const { access_token: token, token_type: type, expires_in: seconds, scope: granted } = value;
  const isToken = typeof token === 'string' && /^[\x21-\x7e]+$/.test(token);
  const isBearer = typeof type === 'string' && type.toLowerCase() === 'bearer';
  if (!isToken || !isBearer || typeof seconds !== 'number' || !(seconds > 0)) {
    throw unreachable(
      interaction,
      'gave an answer that is no bearer token with its lifetime',
      'Check that FHIR_TOKEN_URL leads to a token endpoint of SMART Backend Services.',
    );
  }
  const missing = missingScopes(needed, typeof granted === 'string' ? granted : scope);
  if (missing.length > 0) {
    throw unreachable(
      interaction,
      `grants too little; it leaves out ${missing.join(' ')}`,
      'Have these scopes registered for this client there: what may not be read would look like an absence.',
    );
  }
  const lifeMs = seconds * 1_000;
  return { authorization: `Bearer ${token}`, usableUntil: asked + lifeMs - Math.min(marginMs, lifeMs / 2) };
}

/** A new one for every request, also for a repeated one: a jti is good once (SM-3). */
async function assertion(
  { clientId, clock, newId }: BackendClient,
  key: SigningKey,
  audience: string,
): Promise<string> {
  const issuedAt = Math.floor(clock.now().getTime() / 1_000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(newId())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + assertionSeconds)
    .sign(key.key);
}

async function post(
  { fetch }: BackendClient,
  url: string,
  interaction: Interaction,
  form: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly value: Readonly<Record<string, unknown>> }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    return { status: response.status, value: objectOf(text) };
  } catch (cause) {
    if (cause instanceof PredictionError) throw cause;
    throw unreachable(
      interaction,
      'gave no access token: its token endpoint did not answer as it should',
      'Check FHIR_TOKEN_URL, and that the endpoint can be reached from here.',
      { cause },
    );
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // a gateway's own page: there is nothing in it to read
  }
}

/** SM-7. The description that may come along is not repeated: anything may stand in it. */
function refusedToken(interaction: Interaction, status: number, error: unknown): PredictionError {
  const name = typeof error === 'string' && oauthErrors.has(error) ? error : 'no reason of OAuth';
  const wayOut: Readonly<Record<string, string>> = {
    invalid_client: 'Check FHIR_CLIENT_ID, and that the keys of /.well-known/jwks.json are registered there.',
    unauthorized_client: 'Have this client registered there for client_credentials.',
    invalid_scope: 'Have the scopes registered there that models need, or set FHIR_CLIENT_SCOPES.',
  };
  return unreachable(
    interaction,
    `gave no access token (${status}, ${name})`,
    wayOut[name] ?? 'See the log of its authorization server.',
  );
}
