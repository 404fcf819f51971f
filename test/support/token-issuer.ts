import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** One key of an issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** An authorization server as far as a resource server sees it: a key set over HTTP, and tokens that its keys sign. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly introspectionUri: string;
  readonly rsa: IssuerKey;
  readonly ec: IssuerKey;
  /** What is answered for the key set from now on. */
  publish(keys: readonly IssuerKey[]): void;
  /** What is answered about opaque tokens from now on. */
  introspects(answer: (token: string) => { readonly status?: number; readonly body: unknown }): void;
  /** How often the key set was asked for. */
  keysAsked(): number;
  close(): Promise<void>;
}

export async function makeKey(kid: string, alg: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const [rsa, ec] = await Promise.all([makeKey('rsa-1', 'RS384'), makeKey('ec-1', 'ES384')]);
  let published: readonly IssuerKey[] = [rsa, ec];
  let answerFor: Parameters<TokenIssuer['introspects']>[0] = () => ({ body: { active: false } });
  let asked = 0;
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/keys') {
      asked += 1;
      response.end(JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) }));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('token') ?? '';
      const { status = 200, body } = answerFor(token);
      response.statusCode = status;
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    jwksUri: `${issuer}/keys`,
    introspectionUri: `${issuer}/introspect`,
    rsa,
    ec,
    publish(keys) {
      published = keys;
    },
    introspects(answer) {
      answerFor = answer;
    },
    keysAsked: () => asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A token with these claims and headers, signed by a key. What is given as undefined is left out. */
export async function signToken(
  key: Pick<IssuerKey, 'kid' | 'alg' | 'privateKey'>,
  claims: JWTPayload & Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const kept = (record: object) =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
  return new SignJWT(kept(claims))
    .setProtectedHeader({ ...kept({ kid: key.kid, typ: 'at+jwt', ...header }), alg: key.alg })
    .sign(key.privateKey);
}

/** A token that jose would not make: header and claims as they are, with a signature of one's own. */
export function forgeToken(header: object, claims: object, signature: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
