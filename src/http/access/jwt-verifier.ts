import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { PredictionError } from '../../platform/errors.ts';
import type { AccessSettings } from './access-schema.ts';
import { clockSkewSeconds, InvalidToken, type IssuerVerifier, readClaims } from './issuer-claims.ts';

type IssuerSettings = AccessSettings['issuers'][number];

/** Access tokens have these, or none; every other JWT of the issuer is for something else. */
const tokenTypes: readonly (string | undefined)[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];

const keysTimeoutMs = 5_000;
/** A key that is not known is looked for again after so long. */
const keysCooldownMs = 30_000;
/** A key that its issuer withdrew is not taken any longer than this. */
const keysMaxAgeMs = 300_000;

/**
 * Verifies JWT access tokens of one issuer by its public keys: signature by a key whose `kid` and type fit an algorithm that
 * is declared for it, `iss`, `aud`, `exp` and `nbf` with 30 s of skew (SM-21).
 * @param audience what `aud` must name: the FHIR base of this server, unless the issuer is declared with another
 * @param fetch reaches the issuer, and nothing that a token names
 * Throws CONFIG_INVALID where jwksFile cannot be read.
 */
export async function createJwtVerifier(
  settings: IssuerSettings,
  audience: string,
  fetch: typeof globalThis.fetch,
): Promise<IssuerVerifier> {
  const { issuer, algorithms } = settings;
  const keys = await keysOf(settings, fetch);
  return {
    issuer,
    async verify(token, now) {
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: [...algorithms],
          clockTolerance: clockSkewSeconds,
          currentDate: now,
          requiredClaims: ['iss', 'aud', 'exp'],
        });
        if (typeof protectedHeader.kid !== 'string') throw new InvalidToken('its header has no kid');
        if (!tokenTypes.includes(protectedHeader.typ?.toLowerCase())) throw new InvalidToken('its typ is another');
        if (payload.iat !== undefined && payload.iat * 1_000 > now.getTime() + clockSkewSeconds * 1_000)
          throw new InvalidToken('it was issued in the future');
        return readClaims(payload, settings);
      } catch (error) {
        throw refusalOf(error, issuer);
      }
    },
  };
}

async function keysOf(settings: IssuerSettings, fetch: typeof globalThis.fetch): Promise<JWTVerifyGetKey> {
  const { issuer, jwksUri, jwksFile } = settings;
  if (jwksUri !== undefined) {
    return createRemoteJWKSet(new URL(jwksUri), {
      [customFetch]: fetch,
      timeoutDuration: keysTimeoutMs,
      cooldownDuration: keysCooldownMs,
      cacheMaxAge: keysMaxAgeMs,
    });
  }
  try {
    return createLocalJWKSet(JSON.parse(await readFile(jwksFile ?? '', 'utf8')) as JSONWebKeySet);
  } catch (cause) {
    throw new PredictionError(
      'CONFIG_INVALID',
      `ACCESS_FILE: the jwksFile ${jwksFile} of ${issuer} cannot be read as a JSON Web Key Set. Write {"keys": [...]}.`,
      { cause },
    );
  }
}

/** What jose throws about a token, told from what keeps it from being verified. */
function refusalOf(error: unknown, issuer: string): Error {
  if (error instanceof InvalidToken) return error;
  const aboutToken =
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC';
  if (aboutToken) return new InvalidToken(reasonOf(error));
  return new PredictionError(
    'ISSUER_UNREACHABLE',
    `The keys of the token's issuer cannot be had, so nobody can be let in with it. Try again later; jwksUri of ${issuer} must answer with a key set.`,
    { cause: error },
  );
}

/** What jose says in words quotes the token, which anybody may have made: a line of the log has the code and the name of a claim alone. */
function reasonOf(error: errors.JOSEError): string {
  const isAboutClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired;
  return isAboutClaim ? `${error.code}: ${error.claim} (${error.reason})` : error.code;
}
