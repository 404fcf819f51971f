import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJwtVerifier } from '../../../src/http/access/jwt-verifier.ts';
import { forgeToken, startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts';

let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await startTokenIssuer();
});
afterAll(() => issuer.close());

const now = new Date('2026-03-01T12:00:00Z');
const audience = 'https://risk.example.org/fhir/R4';

describe('why a token was refused, for the log', () => {
  it('quotes nothing of the token, which anybody may have written', async () => {
    const verifier = await createJwtVerifier(
      { issuer: issuer.issuer, jwksUri: issuer.jwksUri, algorithms: ['RS384'], grantsOwnScopes: false },
      audience,
      fetch,
    );
    const claims = { iss: issuer.issuer, aud: audience, exp: now.getTime() / 1_000 + 60, client_id: 'dashboard' };
    const tried: [header: object, claims: object, reason: string][] = [
      [
        { alg: 'RS384', kid: 'Zzyzx', crit: ['Zzyzx\nforged line'], 'Zzyzx\nforged line': 1 },
        claims,
        'ERR_JOSE_NOT_SUPPORTED',
      ],
      [{ alg: 'Zzyzx', kid: 'Zzyzx' }, claims, 'ERR_JOSE_ALG_NOT_ALLOWED'],
      [{ alg: 'RS384', kid: 'Zzyzx' }, claims, 'ERR_JWKS_NO_MATCHING_KEY'],
    ];
    for (const [header, body, reason] of tried)
      await expect(verifier.verify(forgeToken(header, body, 'AAAA'), now)).rejects.toThrow(new RegExp(`^${reason}$`));
  });
});
