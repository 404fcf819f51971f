import { decodeJwt } from 'jose';
import type { Clock } from '../../platform/clock.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Principal } from '../principal.ts';
import type { AccessSettings } from './access-schema.ts';
import { createIntrospectionVerifier } from './introspection-verifier.ts';
import { InvalidToken, type IssuerVerifier } from './issuer-claims.ts';
import { createJwtVerifier } from './jwt-verifier.ts';
import { principalOfClaims } from './principal-of-claims.ts';
import { type StaticToken, staticTokens } from './static-tokens.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** Who shows a bearer token. Throws UNAUTHENTICATED where it does not hold, ISSUER_UNREACHABLE where nobody can tell. */
export type TokenVerifier = (
  token: string,
  /** Told why a token was refused, for the log; the caller is not. What it throws is thrown. */
  refused: (reason: string) => void,
) => Promise<Principal>;

export interface TokenVerifierOptions {
  readonly access: AccessSettings;
  /** What tokens are made for: the FHIR base that this server is configured with, never what a request says. */
  readonly fhirBase: string;
  readonly clock: Clock;
  /** Reaches the issuers of `access`. */
  readonly fetch: typeof globalThis.fetch;
  readonly staticTokens: readonly StaticToken[];
}

/** The longest token that is looked at, in characters. */
const longest = 8_192;
/** So long may a token that was withdrawn still be taken, in milliseconds. */
const keptMs = 60_000;

/** Verifies the tokens of all issuers of ACCESS_FILE. Throws CONFIG_INVALID where a file that it names cannot be read. */
export async function createTokenVerifier(options: TokenVerifierOptions): Promise<TokenVerifier> {
  const { access, fhirBase, clock, fetch } = options;
  const issuers = await Promise.all(
    access.issuers.map((issuer): Promise<IssuerVerifier> => {
      const { audience = fhirBase, introspection } = issuer;
      return introspection === undefined
        ? createJwtVerifier(issuer, audience, fetch)
        : createIntrospectionVerifier({ ...issuer, introspection }, audience, fetch);
    }),
  );
  const asked = access.issuers.find(({ introspection }) => introspection !== undefined)?.issuer;
  const holderOf = staticTokens(options.staticTokens);
  const verified = createVerifiedTokens(keptMs);

  return async (token, refused) => {
    if (token.length > longest) {
      refused('it is too long');
      throw unauthenticated();
    }
    const known = holderOf(token) ?? verified.find(token, clock.now().getTime());
    if (known !== undefined) return known;
    try {
      const issuer = issuerOf(token) ?? asked;
      const verifier = issuers.find((declared) => declared.issuer === issuer);
      if (verifier === undefined) throw new InvalidToken('its issuer is not declared in ACCESS_FILE');
      const claims = await verifier.verify(token, clock.now());
      const principal = principalOfClaims(claims, access, fhirBase);
      verified.keep(token, principal, claims.expiresAt, clock.now().getTime());
      return principal;
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error;
      refused(error.message);
      throw unauthenticated();
    }
  };
}

/** What a JWT says of its issuer, before anything is believed: it only chooses whose keys are tried. */
function issuerOf(token: string): string | undefined {
  if (token.split('.').length !== 3) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined; // no JWT: an issuer may know it all the same
  }
}

function unauthenticated(): PredictionError {
  return new PredictionError(
    'UNAUTHENTICATED',
    'The token is not valid here. Get a new one from your authorization server, made for this server.',
  );
}
