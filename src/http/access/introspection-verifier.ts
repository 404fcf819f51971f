import { readFile } from 'node:fs/promises';
import { PredictionError } from '../../platform/errors.ts';
import type { AccessSettings } from './access-schema.ts';
import { clockSkewSeconds, InvalidToken, type IssuerVerifier, readClaims } from './issuer-claims.ts';

type IssuerSettings = AccessSettings['issuers'][number];

const timeoutMs = 5_000;
const mostBytes = 100_000;

/**
 * Asks the issuer about its tokens (RFC 7662). Only an answer that says `active: true` with `client_id` and `exp` lets
 * anybody in (SM-21); `scope` that is not there grants nothing.
 * @param audience as for JWT: where the answer names `aud`, it must name this server
 * @param fetch reaches the issuer, and nothing that a token names
 * Throws CONFIG_INVALID where the secret cannot be read.
 */
export async function createIntrospectionVerifier(
  settings: IssuerSettings & { readonly introspection: NonNullable<IssuerSettings['introspection']> },
  audience: string,
  fetch: typeof globalThis.fetch,
): Promise<IssuerVerifier> {
  const { issuer, introspection } = settings;
  const authorization = `Basic ${Buffer.from(
    [introspection.clientId, await secretOf(introspection.clientSecretFile)].map(encodeURIComponent).join(':'),
  ).toString('base64')}`;
  return {
    issuer,
    async verify(token, now) {
      const answer = await ask(introspection.url, { authorization, token, issuer, fetch });
      if (answer.active !== true) throw new InvalidToken('its issuer says that it is not active');
      if (answer.iss !== undefined && answer.iss !== issuer) throw new InvalidToken('it is of another issuer');
      if (answer.aud !== undefined && ![answer.aud].flat().includes(audience))
        throw new InvalidToken('it is for another server');
      const claims = readClaims(answer, settings);
      const nowMs = now.getTime();
      if (claims.expiresAt <= nowMs - clockSkewSeconds * 1_000) throw new InvalidToken('it is expired');
      if (typeof answer.nbf === 'number' && answer.nbf * 1_000 > nowMs + clockSkewSeconds * 1_000)
        throw new InvalidToken('it is not valid yet');
      return claims;
    },
  };
}

async function secretOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new PredictionError('CONFIG_INVALID', `ACCESS_FILE: the clientSecretFile ${file} cannot be read.`, { cause });
  }
}

async function ask(
  url: string,
  {
    authorization,
    token,
    issuer,
    fetch,
  }: { authorization: string; token: string; issuer: string; fetch: typeof globalThis.fetch },
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (response.status !== 200 || text.length > mostBytes) throw new Error(`it answered ${response.status}`);
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
      throw new Error('it answered no object');
    return answer as Record<string, unknown>;
  } catch (cause) {
    throw new PredictionError(
      'ISSUER_UNREACHABLE',
      `The token's issuer cannot be asked about it, so nobody can be let in with it. Try again later; introspection of ${issuer} must answer.`,
      { cause },
    );
  }
}
