import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';

/** What the token endpoint was asked, and what it made of it. */
export interface AskedToken {
  readonly form: Readonly<Record<string, string>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
}

export interface TokenServer {
  /** FHIR base URL of a server that wants its tokens. */
  readonly base: string;
  readonly tokenUrl: string;
  readonly asked: readonly AskedToken[];
  /** `GET /fhir/Patient/1 Bearer …` */
  readonly reads: readonly string[];
  /** What the next answers are made of. */
  readonly answers: {
    expiresIn: unknown;
    /** What tokens begin with. */
    stem: string;
    scope?: string;
    /** An OAuth error instead of a token, with its status. */
    error?: { readonly status: number; readonly body: string };
    /** Replaces members of the SMART configuration. */
    configuration: Record<string, unknown>;
    algorithms: readonly string[];
  };
  /** Whether a request with this header is let in, also at another server that takes its tokens. */
  accepts(authorization: string | undefined): boolean;
  /** Every token that was given out counts no more. */
  revoke(): void;
  close(): Promise<void>;
}

/**
 * An authorization server of SMART Backend Services with a FHIR server behind it: verifies assertions as SMART App Launch 2.2 says
 * (signature, typ, iss = sub, aud, exp within five minutes, jti once), and gives a Patient/1 to whoever has a token.
 */
export async function startTokenServer(
  clientId: string,
  published: { readonly keys: readonly object[] },
  now: () => Date = () => new Date(),
): Promise<TokenServer> {
  const asked: AskedToken[] = [];
  const reads: string[] = [];
  const jtis = new Set<string>();
  let valid = new Set<string>();
  const answers: TokenServer['answers'] = {
    expiresIn: 300,
    stem: 'token',
    configuration: {},
    algorithms: ['RS384', 'ES384'],
  };

  const accepts = (authorization = ''): boolean => valid.has(authorization.replace(/^Bearer /, ''));
  const answerToken = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    const jwt = form.client_assertion ?? '';
    const verified = await jwtVerify(jwt, createLocalJWKSet(structuredClone(published) as never), {
      issuer: clientId,
      subject: clientId,
      audience: tokenUrl,
      typ: 'JWT',
      algorithms: [...answers.algorithms],
      maxTokenAge: 300,
      currentDate: now(),
    }).catch(() => undefined);
    const { jti = '', exp = 0, iat = 0 } = verified?.payload ?? {};
    const bad = verified === undefined || jtis.has(jti) || exp - iat > 300 || jti === '';
    jtis.add(jti);
    if (verified !== undefined)
      asked.push({ form, header: { ...decodeProtectedHeader(jwt) }, claims: verified.payload });
    if (bad || answers.error !== undefined) {
      const { status, body } = answers.error ?? { status: 400, body: '{"error":"invalid_client"}' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      return;
    }
    const token = `${answers.stem}-${asked.length}`;
    valid.add(token);
    const given = { access_token: token, token_type: 'Bearer', expires_in: answers.expiresIn };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ...given, scope: answers.scope ?? form.scope }));
  };
  const server = createServer((request, response) => {
    if (request.url === '/auth/token') {
      void answerToken(request, response);
      return;
    }
    if (request.url === '/fhir/.well-known/smart-configuration') {
      const configuration = {
        token_endpoint: tokenUrl,
        token_endpoint_auth_signing_alg_values_supported: answers.algorithms,
        ...answers.configuration,
      };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(configuration));
      return;
    }
    const { authorization } = request.headers;
    reads.push(`${request.method} ${request.url} ${authorization ?? 'nothing'}`);
    if (!accepts(authorization)) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      return;
    }
    response.setHeader('content-type', 'application/fhir+json').end('{"resourceType":"Patient","id":"1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokenUrl = `${origin}/auth/token`;
  return {
    base: `${origin}/fhir`,
    tokenUrl,
    asked,
    reads,
    answers,
    accepts,
    revoke: () => {
      valid = new Set();
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
