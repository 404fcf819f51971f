/**
 * Why a call below /cds-services was not let in. For the log only: the caller is never told (CDS-67).
 * - `absent`: no bearer token; `malformed`: no JWT; `header`, `claims`: a field is missing, or of another form
 * - `issuer`, `audience`, `expired`, `not-yet-valid`, `lifetime`, `tenant`: as the claims say
 * - `algorithm`, `key-set-url`, `key`, `signature`: not signed by a key of that issuer
 * - `replayed`: a token with this `jti` was let in before
 */
export const cdsRefusals = [
  'absent',
  'malformed',
  'header',
  'claims',
  'issuer',
  'audience',
  'expired',
  'not-yet-valid',
  'lifetime',
  'tenant',
  'algorithm',
  'key-set-url',
  'key',
  'signature',
  'replayed',
] as const;
export type CdsRefusal = (typeof cdsRefusals)[number];

/** A token is not believed. Its message holds the reason alone, and nothing of the token. */
export class CdsTokenRefused extends Error {
  readonly reason: CdsRefusal;

  constructor(reason: CdsRefusal, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'CdsTokenRefused';
    this.reason = reason;
  }
}

export function refusedFor(reason: CdsRefusal, options?: ErrorOptions): CdsTokenRefused {
  return new CdsTokenRefused(reason, options);
}
