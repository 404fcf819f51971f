import { randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { CdsClientSettings } from '../../src/http/access/cds-client-section.ts';
import { type Answer, send } from './fhir-test-server.ts';

type Algorithm = CdsClientSettings['algorithms'][number];

export interface CdsClientOptions {
  readonly issuer?: string;
  /** Default: ES384. */
  readonly alg?: Algorithm;
  /** What its tokens name as their key set; absent: none. */
  readonly jku?: string;
  readonly tenant?: string;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** What one token says in another way; `undefined` leaves a field out. */
export interface TokenChanges {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** An EHR that calls CDS Hooks as CDS Hooks 2.0 asks: each call carries a new token for the URL that it invokes. */
export interface CdsClient {
  readonly issuer: string;
  readonly alg: Algorithm;
  /** Its public keys as a JWKS, to be served or put into a keysFile. */
  keySet(): { keys: JWK[] };
  /** What it signs with now: for tokens that no library would make. */
  privateKey(): CryptoKey;
  /** Makes a new key, with which it signs from now on. @param kept whether the old ones stay in the key set */
  rotate(kept: boolean): Promise<void>;
  /** @param audience the URL that is invoked */
  token(audience: string, changes?: TokenChanges): Promise<string>;
  /** @param audience where the server is known by another URL than it is reached under */
  get(url: string, audience?: string): Promise<Answer>;
  post(url: string, body: unknown, audience?: string): Promise<Answer>;
}

/** Epic's tokens live for as long, in seconds. */
const lifetimeSeconds = 15 * 60;

export async function createCdsClient(options: CdsClientOptions = {}): Promise<CdsClient> {
  const { issuer = 'https://ehr.example.org', alg = 'ES384', jku, tenant, now = () => new Date() } = options;
  const made: { kid: string; privateKey: CryptoKey; jwk: JWK }[] = [];
  const add = async (): Promise<void> => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${randomUUID()}`;
    made.push({ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  };
  await add();

  const current = (): (typeof made)[number] => {
    const key = made.at(-1);
    if (key === undefined) throw new Error('the client has no key');
    return key;
  };
  const token = async (audience: string, { claims = {}, header = {} }: TokenChanges = {}): Promise<string> => {
    const key = current();
    const iat = Math.floor(now().getTime() / 1000);
    const payload: JWTPayload = {
      iss: issuer,
      aud: audience,
      iat,
      exp: iat + lifetimeSeconds,
      jti: randomUUID(),
      ...(tenant === undefined ? {} : { tenant }),
      ...claims,
    };
    const head = { alg, kid: key.kid, typ: 'JWT', ...(jku === undefined ? {} : { jku }), ...header };
    return new SignJWT(withoutUndefined(payload)).setProtectedHeader(withoutUndefined(head)).sign(key.privateKey);
  };
  const call = async (url: string, method: string, body: unknown, audience: string): Promise<Answer> =>
    send(url, method, body, { Authorization: `Bearer ${await token(audience)}`, 'Content-Type': 'application/json' });
  return {
    issuer,
    alg,
    privateKey: () => current().privateKey,
    keySet: () => ({ keys: made.map(({ jwk }) => jwk) }),
    async rotate(kept) {
      if (!kept) made.length = 0;
      await add();
    },
    token,
    get: (url, audience = url) => call(url, 'GET', undefined, audience),
    post: (url, body, audience = url) => call(url, 'POST', body, audience),
  };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}
