/** What was proved about a token, whichever way: the claims that this server looks at. */
export interface TokenClaims {
  readonly issuer: string;
  readonly clientId: string;
  /** Space-separated, as granted. */
  readonly scope: string;
  /** Milliseconds since 1970: at this instant it is expired. */
  readonly expiresAt: number;
  /** Logical id of the patient of the launch. */
  readonly patient?: string;
  /** The person, as `fhirUser` names them. */
  readonly user?: string;
}

/** Verifies the tokens of one issuer. */
export interface IssuerVerifier {
  readonly issuer: string;
  /**
   * The claims of a token that holds now.
   * Throws InvalidToken where it does not, and ISSUER_UNREACHABLE where nobody can tell.
   */
  verify(token: string, now: Date): Promise<TokenClaims>;
}

/** Says why a token does not hold: for the log of the server, never for the caller. */
export class InvalidToken extends Error {}

/** How far clocks may be apart, in seconds. */
export const clockSkewSeconds = 30;

/**
 * Claims in our words. Throws InvalidToken where one that must be there is not, or has another form.
 * @param claims of a JWT whose signature was verified, or of an introspection of an active token
 */
export function readClaims(
  claims: Readonly<Record<string, unknown>>,
  { issuer, tenant }: { readonly issuer: string; readonly tenant?: { readonly claim: string; readonly value: string } },
): TokenClaims {
  if (tenant !== undefined && (!Object.hasOwn(claims, tenant.claim) || claims[tenant.claim] !== tenant.value))
    throw new InvalidToken('it is of another tenant');
  const clientId = onlyText(claims, 'client_id') ?? onlyText(claims, 'azp');
  if (clientId === undefined) throw new InvalidToken('it names no client');
  const azp = onlyText(claims, 'azp');
  if (azp !== undefined && azp !== clientId) throw new InvalidToken('client_id and azp name two clients');
  const { exp } = claims;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw new InvalidToken('exp is no time');
  const patient = onlyText(claims, 'patient');
  const user = onlyText(claims, 'fhirUser');
  return {
    issuer,
    clientId,
    scope: onlyText(claims, 'scope') ?? '',
    expiresAt: exp * 1_000,
    ...(patient === undefined ? {} : { patient }),
    ...(user === undefined ? {} : { user }),
  };
}

/** Undefined where it is absent; throws where it is there and no text. */
function onlyText(claims: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new InvalidToken(`${name} is no text`);
}
