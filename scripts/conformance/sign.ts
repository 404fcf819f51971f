import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  SignJWT,
} from 'jose';
import type { TokenChanges } from './site.ts';

type Algorithm = NonNullable<TokenChanges['algorithm']>;

/** Somebody who signs tokens: an issuer and its private keys, one for each algorithm. */
export interface Signer {
  readonly issuer: string;
  readonly keys: ReadonlyMap<Algorithm, { readonly kid: string; readonly key: Awaited<ReturnType<typeof importJWK>> }>;
  /** The public halves. */
  readonly published: JSONWebKeySet;
}

const algorithms = ['ES384', 'RS384'] as const;

/** A signer with fresh keys, or with the private key of a JWK. Throws where the JWK has no kid or another algorithm. */
export async function makeSigner(issuer: string, jwk?: JWK): Promise<Signer> {
  if (jwk !== undefined) {
    const algorithm = algorithms.find((each) => each === jwk.alg);
    if (algorithm === undefined || jwk.kid === undefined)
      throw new Error(`the key must be a JWK with kid, and alg ${algorithms.join(' or ')}`);
    const key = await importJWK(jwk, algorithm);
    return { issuer, keys: new Map([[algorithm, { kid: jwk.kid, key }]]), published: { keys: [] } };
  }
  const made = await Promise.all(
    algorithms.map(async (algorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm);
      const published = await exportJWK(publicKey);
      const kid = await calculateJwkThumbprint(published);
      return { algorithm, kid, key: privateKey, published: { ...published, kid, alg: algorithm, use: 'sig' } };
    }),
  );
  return {
    issuer,
    keys: new Map(made.map(({ algorithm, kid, key }) => [algorithm, { kid, key }])),
    published: { keys: made.map(({ published }) => published) },
  };
}

/** A CDS client's JWT for one URL, good for five minutes (CDS-61, CDS-62), with what differs. */
export function signCdsToken(signer: Signer, audience: string, changes: TokenChanges = {}): Promise<string> {
  return sign(signer, { aud: audience }, changes);
}

/** An access token as an authorization server gives it to a backend client, with what differs. */
export function signAccessToken(
  signer: Signer,
  token: { readonly audience: string; readonly client: string; readonly scope: string },
  changes: TokenChanges = {},
): Promise<string> {
  const { audience, client, scope } = token;
  return sign(signer, { aud: audience, sub: client, client_id: client, scope }, changes);
}

async function sign(signer: Signer, claims: Readonly<Record<string, unknown>>, changes: TokenChanges): Promise<string> {
  const known = [...signer.keys];
  const [algorithm, { kid, key }] =
    known.find(([each]) => changes.algorithm === undefined || each === changes.algorithm) ??
    fail(`there is no key for ${changes.algorithm}`);
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: signer.issuer, iat: now, exp: now + 300, jti: randomUUID() };
  return await new SignJWT(present({ ...usual, ...claims, ...changes.claims }))
    .setProtectedHeader({ alg: algorithm, ...present({ typ: 'JWT', kid, ...changes.header }) })
    .sign(key);
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function fail(message: string): never {
  throw new Error(message);
}
