import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokenVerifier, type TokenVerifier } from '../../../src/http/access/token-verifier.ts';
import { type IssuerKey, makeKey, signToken, startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts';

const fhirBase = 'https://risk.example.org/fhir/R4';
const start = new Date('2026-03-01T12:00:00Z');
/** For so long at most are a token, and the keys of its issuer, believed without another look (SM-21). */
const tokenKeptMs = 60_000;
const keysKeptMs = 300_000;

let issuer: TokenIssuer;
let next: IssuerKey;
beforeAll(async () => {
  [issuer, next] = await Promise.all([startTokenIssuer(), makeKey('rsa-2', 'RS384')]);
});
afterAll(() => issuer.close());

let verify: TokenVerifier;
let isDown = false;
const reach: typeof fetch = (...request) =>
  isDown ? Promise.reject(new Error('connection refused')) : fetch(...request);
/** The key set is kept by the clock of the system, which jose asks itself. */
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  isDown = false;
  issuer.publish([issuer.rsa, issuer.ec]);
  verify = await createTokenVerifier({
    access: {
      issuers: [
        { issuer: issuer.issuer, jwksUri: issuer.jwksUri, algorithms: ['RS384', 'ES384'], grantsOwnScopes: false },
      ],
      clients: [{ issuer: issuer.issuer, clientId: 'dashboard', roles: ['caller'] }],
      staticTokens: [],
      cdsClients: [],
    },
    fhirBase,
    clock: { now: () => new Date() },
    fetch: reach,
    staticTokens: [],
  });
});
afterEach(() => void vi.useRealTimers());

const passed = (ms: number): void => void vi.setSystemTime(start.getTime() + ms);

/** A token that lives for an hour. */
const tokenOf = (key: IssuerKey): Promise<string> =>
  signToken(key, {
    iss: issuer.issuer,
    aud: fhirBase,
    client_id: 'dashboard',
    scope: 'system/*.rs',
    exp: start.getTime() / 1_000 + 3_600,
  });

async function outcome(token: string): Promise<string> {
  return verify(token, () => undefined).then(
    ({ client }) => client,
    ({ code }: { readonly code: string }) => code,
  );
}

describe('SM-21: a key that its issuer withdraws while tokens of it live', () => {
  test('lets nobody in with them any more, six minutes later at most: a stolen key is worth no hour', async () => {
    const [known, unseen] = [await tokenOf(issuer.ec), await tokenOf(issuer.ec)];
    expect(await outcome(known)).toBe('dashboard');
    issuer.publish([issuer.rsa]);
    passed(keysKeptMs + tokenKeptMs);
    expect([await outcome(known), await outcome(unseen)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(await outcome(await tokenOf(issuer.rsa))).toBe('dashboard');
  });

  test('is known to be withdrawn as soon as another key is looked for, and a token that was just let in a minute later', async () => {
    const known = await tokenOf(issuer.ec);
    expect(await outcome(known)).toBe('dashboard');
    issuer.publish([issuer.rsa, next]);
    passed(tokenKeptMs - 1);
    expect([await outcome(known), await outcome(await tokenOf(next))]).toEqual(['dashboard', 'dashboard']);
    passed(tokenKeptMs);
    expect(await outcome(known)).toBe('UNAUTHENTICATED');
  });

  test('is believed no longer where the issuer cannot be asked: then nobody is let in, and that it will pass is said', async () => {
    const known = await tokenOf(issuer.ec);
    expect(await outcome(known)).toBe('dashboard');
    isDown = true;
    passed(keysKeptMs + tokenKeptMs);
    expect(await outcome(known)).toBe('ISSUER_UNREACHABLE');
  });
});
