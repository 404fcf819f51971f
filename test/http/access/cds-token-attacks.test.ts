import { constants, createHmac, createPublicKey, type JsonWebKey, KeyObject, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CdsClientSettings } from '../../../src/http/access/cds-client-section.ts';
import { captureLog } from '../../support/captured-log.ts';
import { type CdsAccessServer, startCdsAccessServer } from '../../support/cds-access-server.ts';
import { type CdsClient, createCdsClient } from '../../support/cds-client.ts';
import { send } from '../../support/fhir-test-server.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

const publicUrl = 'https://risk.example.org';
const service = `${publicUrl}/cds-services/prevent-base`;
const ownKeys = 'https://keys.ehr.example.org/jwks';
const otherKeys = 'https://keys.other.example.org/jwks';
const lostKeys = 'https://lost.example.org/jwks';

const time = createVirtualTime();
const now = () => time.clock.now();
const nowSeconds = Math.floor(now().getTime() / 1000);
const log = captureLog();

let database: TestDatabase;
let server: CdsAccessServer;
let replica: CdsAccessServer;
/** An EHR with ES384 and a key set at a URL, one with RS384 and tenants, one that names one of two URLs, and somebody unknown. */
let ehr: CdsClient;
let other: CdsClient;
let twoUrls: CdsClient;
let stranger: CdsClient;
const fetched: string[] = [];
/** What a call without any token is answered. */
let refusalText: string;

beforeAll(async () => {
  const made = { now };
  [ehr, other, twoUrls, stranger] = await Promise.all([
    createCdsClient({ ...made, issuer: 'https://ehr.example.org' }),
    createCdsClient({ ...made, issuer: 'https://other.example.org', alg: 'RS384', tenant: 'north' }),
    createCdsClient({ ...made, issuer: 'https://two.example.org' }),
    createCdsClient({ ...made, issuer: 'https://ehr.example.org' }),
  ]);
  const twice = twoUrls.keySet().keys;
  const keySets: Readonly<Record<string, unknown>> = {
    [ownKeys]: { keys: [...ehr.keySet().keys, ...other.keySet().keys.map((key) => ({ ...key, kid: 'rsa-of-ehr' }))] },
    [otherKeys]: other.keySet(),
    'https://keys.two.example.org/a': { keys: [...twice, ...twice] },
    'https://keys.two.example.org/b': twoUrls.keySet(),
  };
  const fetch: typeof globalThis.fetch = async (input) => {
    const url = String(input);
    fetched.push(url);
    const found = keySets[url];
    return found === undefined ? new Response('', { status: 500 }) : Response.json(found);
  };
  const declared = (client: CdsClient, name: string, more: Partial<CdsClientSettings>): CdsClientSettings => ({
    name,
    issuer: client.issuer,
    algorithms: ['ES384', 'RS384'],
    fhirServers: [],
    writesBack: false,
    systemActions: false,
    ...more,
  });
  database = await openTestDatabase();
  const options = {
    clients: [
      declared(ehr, 'ehr', { jku: [ownKeys] }),
      declared(other, 'other', { jku: [otherKeys], tenants: ['north', 'south'] }),
      declared(twoUrls, 'two', { jku: ['https://keys.two.example.org/a', 'https://keys.two.example.org/b'] }),
      declared({ ...ehr, issuer: 'https://lost.example.org' }, 'lost', { jku: [lostKeys] }),
    ],
    database: database.database,
    clock: time.clock,
    fetch,
    publicUrl,
    logger: log.logger,
  };
  [server, replica] = await Promise.all([startCdsAccessServer(options), startCdsAccessServer(options)]);
  refusalText = (await call(server)).text;
});
afterAll(async () => {
  await Promise.all([server.close(), replica.close()]);
  await database.close();
});

type Fields = Readonly<Record<string, unknown>>;

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const goodHeader = (client: CdsClient): Fields => ({ alg: client.alg, kid: client.keySet().keys[0]?.kid, typ: 'JWT' });
const goodClaims = (client: CdsClient): Fields => ({
  iss: client.issuer,
  aud: service,
  iat: nowSeconds,
  exp: nowSeconds + 300,
  jti: randomUUID(),
});

/** Signs whatever it is given, as no library would. Texts are taken as they are. */
function forged(
  { header, claims }: { readonly header: Fields | string; readonly claims: Fields | string },
  signature: (input: string) => Buffer,
): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${signature(input).toString('base64url')}`;
}

const es384 =
  (client: CdsClient, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363') =>
  (input: string): Buffer =>
    sign('sha384', Buffer.from(input), { key: KeyObject.from(client.privateKey()), dsaEncoding });
const hmacForged = (alg: string, digest: string, key: string | Buffer): string =>
  forged({ header: { ...goodHeader(ehr), alg }, claims: goodClaims(ehr) }, (input) =>
    createHmac(digest, key).update(input).digest(),
  );
/** As `other`, whose key is RSA. */
const rsaForged = (alg: string, digest: string, kid = other.keySet().keys[0]?.kid): string =>
  forged({ header: { alg, kid, typ: 'JWT' }, claims: { ...goodClaims(other), tenant: 'north' } }, (input) =>
    sign(digest, Buffer.from(input), {
      key: KeyObject.from(other.privateKey()),
      padding: alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING,
    }),
  );
const nothing = (): Buffer => Buffer.alloc(0);

/** A token of the EHR, signed by it, with these header fields. */
const withHeader = (header: Fields): string =>
  forged({ header: { ...goodHeader(ehr), ...header }, claims: goodClaims(ehr) }, es384(ehr));
/** A token of the EHR, signed by it, with these claims. */
const withClaims = (claims: Fields | string): string =>
  forged(
    { header: goodHeader(ehr), claims: typeof claims === 'string' ? claims : { ...goodClaims(ehr), ...claims } },
    es384(ehr),
  );
const spkiPem = (client: CdsClient): string =>
  createPublicKey({ key: client.keySet().keys[0] as JsonWebKey, format: 'jwk' })
    .export({ format: 'pem', type: 'spki' })
    .toString();
const publicJwkText = (client: CdsClient): string => JSON.stringify(client.keySet().keys[0]);
const asIs = (client: CdsClient, claims: Fields = {}) => client.token(service, { claims });
const parts = async (): Promise<[string, string, string]> => (await ehr.token(service)).split('.') as never;

describe('CDS-60, CDS-63: who proves to be a declared client is let in', () => {
  test.each([
    ['CDS-61: an EHR whose token names no key set', () => asIs(ehr)],
    ['CDS-65: one that names its listed key set', () => ehr.token(service, { header: { jku: ownKeys } })],
    ['CDS-64: one with RS384, of a tenant that is listed', () => asIs(other)],
    ['CDS-62: one whose audience is a list', () => asIs(ehr, { aud: ['https://elsewhere.example.org', service] })],
    [
      'CDS-62: one as Epic makes it: sub, nbf five minutes ago, exp in 15 minutes',
      () => asIs(ehr, { sub: 'fhirsight', nbf: nowSeconds - 300, exp: nowSeconds + 900 }),
    ],
    ['CDS-62: one whose clock is half a minute ahead', () => asIs(ehr, { iat: nowSeconds + 30, nbf: nowSeconds + 30 })],
    [
      'CDS-66: one that expired less than the skew of clocks ago',
      () => asIs(ehr, { exp: nowSeconds - 30, iat: nowSeconds - 300 }),
    ],
    [
      'CDS-65: one that names the right one of two key sets',
      () => twoUrls.token(service, { header: { jku: 'https://keys.two.example.org/b' } }),
    ],
  ])('%s', async (_name, make) => {
    const before = server.letIn.length;
    const answer = await call(server, `Bearer ${await make()}`);
    expect([answer.status, server.letIn.length]).toEqual([200, before + 1]);
  });

  test('CDS-63: discovery, service and feedback each by a token for the URL that is invoked; feedback by that of its service too', async () => {
    const at = async (path: string, audience: string) =>
      (
        await send(`${server.origin}${path}`, 'GET', undefined, {
          Authorization: `Bearer ${await ehr.token(audience)}`,
        })
      ).status;
    expect(await at('/cds-services', `${publicUrl}/cds-services`)).toBe(200);
    expect(await at('/cds-services/prevent-base', service)).toBe(200);
    expect(await at('/cds-services/prevent-base/feedback', `${service}/feedback`)).toBe(200);
    expect(await at('/cds-services/prevent-base/feedback', service)).toBe(200);
    expect(await at('/cds-services', service)).toBe(401);
    expect(await at('/cds-services/prevent-base', `${publicUrl}/cds-services`)).toBe(401);
    expect(await at('/cds-services/prevent-base', `${service}/feedback`)).toBe(401);
    expect(await at('/cds-services/prevent-base/feedback/more', `${service}/feedback/more`)).toBe(401);
    expect(await at('/CDS-SERVICES/prevent-base', `${publicUrl}/cds-services`)).toBe(401);
    expect(await at('/cds-services/prevent-base/FEEDBACK', `${publicUrl}/cds-services`)).toBe(401);
    expect(await at('/cds-services/%E0%A4%A', `${service}`)).toBe(401);
  });

  test('CDS-43: the principal has what the client is configured for', async () => {
    await call(server, `Bearer ${await asIs(other)}`);
    expect(server.letIn.at(-1)?.principal).toEqual({
      provedBy: 'cds-jwt',
      client: 'other',
      key: JSON.stringify(['cds-jwt', 'https://other.example.org', 'north']),
      roles: new Set(['caller']),
      cdsHooks: { writesBack: false, systemActions: false, fhirServers: [] },
    });
  });
});

/** What it tries, what it fails by in the log, and what is shown as Authorization; `undefined` for nothing. */
const attacks: readonly (readonly [string, string, () => string | undefined | Promise<string | undefined>])[] = [
  ['CDS-60: no token', 'absent', () => undefined],
  ['CDS-60: a token of another scheme', 'absent', async () => `Basic ${await asIs(ehr)}`],
  ['CDS-60: no scheme', 'absent', () => asIs(ehr)],
  ['CDS-60: an empty token', 'absent', () => 'Bearer '],
  ['CDS-60: two tokens', 'absent', async () => `Bearer ${await asIs(ehr)} ${await asIs(ehr)}`],
  ['CDS-61: text that is no JWT', 'malformed', () => 'Bearer let-me-in'],
  ['CDS-61: a token in two parts', 'malformed', async () => bearer((await parts()).slice(0, 2).join('.'))],
  [
    'CDS-61: a token in five parts, as if encrypted',
    'malformed',
    async () => bearer([...(await parts()), 'AA', 'AA'].join('.')),
  ],
  ['CDS-61: a signature taken off', 'malformed', async () => bearer(`${(await parts()).slice(0, 2).join('.')}.`)],
  ['CDS-61: padding', 'malformed', async () => bearer(`${await asIs(ehr)}==`)],
  [
    'CDS-61: a header that is a JSON string',
    'malformed',
    () => bearer(forged({ header: '"JWT"', claims: goodClaims(ehr) }, es384(ehr))),
  ],
  ['CDS-61: claims that are a JSON array', 'malformed', () => bearer(withClaims('[]'))],
  ['CDS-61: claims that are null', 'malformed', () => bearer(withClaims('null'))],
  ['CDS-61: claims that are another token', 'malformed', async () => bearer(withClaims(await asIs(ehr)))],
  ['CDS-61: a token longer than any EHR makes', 'malformed', () => bearer(withClaims({ pad: 'x'.repeat(8_000) }))],
  [
    'CDS-61: claims nested hundreds deep',
    'claims',
    () => bearer(withClaims(`${'{"a":'.repeat(800)}1${'}'.repeat(800)}`)),
  ],
  ...['none', 'None', 'NONE', 'nOnE', ' none', 'none\u0000'].flatMap(
    (alg) =>
      [
        [
          `CDS-64: alg ${JSON.stringify(alg)} and no signature`,
          'malformed',
          () => bearer(forged({ header: { ...goodHeader(ehr), alg }, claims: goodClaims(ehr) }, nothing)),
        ],
        [`CDS-64: alg ${JSON.stringify(alg)} and some signature`, 'algorithm', () => bearer(withHeader({ alg }))],
      ] as const,
  ),
  ['CDS-64: no alg', 'header', () => bearer(withHeader({ alg: undefined }))],
  ['CDS-64: alg that is a list', 'header', () => bearer(withHeader({ alg: ['ES384'] }))],
  [
    'CDS-64: HS256 keyed with the public key as PEM',
    'algorithm',
    () => bearer(hmacForged('HS256', 'sha256', spkiPem(ehr))),
  ],
  [
    'CDS-64: HS384 keyed with the public key as JWK',
    'algorithm',
    () => bearer(hmacForged('HS384', 'sha384', publicJwkText(ehr))),
  ],
  [
    'CDS-64: HS512 keyed with the modulus of an RSA key',
    'algorithm',
    () => bearer(hmacForged('HS512', 'sha512', Buffer.from(other.keySet().keys[0]?.n ?? '', 'base64url'))),
  ],
  ['CDS-64: HS256 keyed with nothing', 'algorithm', () => bearer(hmacForged('HS256', 'sha256', ''))],
  ['CDS-64: RS256, which the client has not declared', 'algorithm', () => bearer(rsaForged('RS256', 'sha256'))],
  ['CDS-64: PS384', 'algorithm', () => bearer(rsaForged('PS384', 'sha384'))],
  [
    'CDS-64: RS384 with the kid of an EC key',
    'key',
    () => bearer(rsaForged('RS384', 'sha384', String(ehr.keySet().keys[0]?.kid))),
  ],
  ['CDS-64: ES384 with the kid of an RSA key', 'key', () => bearer(withHeader({ kid: 'rsa-of-ehr' }))],
  [
    'CDS-64: ES384 with a signature in DER',
    'signature',
    () => bearer(forged({ header: goodHeader(ehr), claims: goodClaims(ehr) }, es384(ehr, 'der'))),
  ],
  [
    'CDS-64: a signature of zeros',
    'signature',
    () => bearer(forged({ header: goodHeader(ehr), claims: goodClaims(ehr) }, () => Buffer.alloc(96))),
  ],
  [
    'CDS-64: a signature of another key under the right kid',
    'signature',
    async () => bearer(forged({ header: goodHeader(ehr), claims: goodClaims(ehr) }, es384(stranger))),
  ],
  [
    'CDS-64: the signature of another token',
    'signature',
    async () => bearer([...(await parts()).slice(0, 2), (await parts())[2]].join('.')),
  ],
  [
    'CDS-64: a claim changed after signing',
    'signature',
    async () => {
      const [header, claims, signature] = await parts();
      const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'somebody' };
      return bearer([header, base64url(changed), signature].join('.'));
    },
  ],
  [
    'CDS-64: a header changed after signing',
    'signature',
    async () => {
      const [header, claims, signature] = await parts();
      const changed = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), extra: 1 };
      return bearer([base64url(changed), claims, signature].join('.'));
    },
  ],
  [
    'CDS-61: its own key in the header',
    'key',
    () =>
      bearer(
        forged(
          { header: { ...goodHeader(stranger), jwk: stranger.keySet().keys[0] }, claims: goodClaims(ehr) },
          es384(stranger),
        ),
      ),
  ],
  [
    'CDS-61: its own key in the header under the right kid',
    'signature',
    () =>
      bearer(
        forged(
          { header: { ...goodHeader(ehr), jwk: stranger.keySet().keys[0] }, claims: goodClaims(ehr) },
          es384(stranger),
        ),
      ),
  ],
  [
    'CDS-61: a certificate in the header',
    'signature',
    () =>
      bearer(
        forged(
          { header: { ...goodHeader(ehr), x5c: [base64url('certificate')] }, claims: goodClaims(ehr) },
          es384(stranger),
        ),
      ),
  ],
  [
    'CDS-61: the URL of a certificate in the header',
    'signature',
    () =>
      bearer(
        forged(
          { header: { ...goodHeader(ehr), x5u: 'http://169.254.169.254/' }, claims: goodClaims(ehr) },
          es384(stranger),
        ),
      ),
  ],
  ['CDS-61: crit', 'header', () => bearer(withHeader({ crit: ['exp'], exp: 1 }))],
  ['CDS-61: crit that leaves the claims unencoded', 'header', () => bearer(withHeader({ crit: ['b64'], b64: false }))],
  ['CDS-61: an empty crit', 'header', () => bearer(withHeader({ crit: [] }))],
  ['CDS-61: no kid', 'header', () => bearer(withHeader({ kid: undefined }))],
  ['CDS-61: an empty kid', 'header', () => bearer(withHeader({ kid: '' }))],
  ['CDS-61: a kid that is a number', 'header', () => bearer(withHeader({ kid: 0 }))],
  ['CDS-61: an unknown kid', 'key', () => bearer(withHeader({ kid: 'unknown' }))],
  ['CDS-61: a kid that is a path', 'key', () => bearer(withHeader({ kid: '../../../../dev/null' }))],
  ['CDS-61: a kid that is SQL', 'key', () => bearer(withHeader({ kid: "' union select 'AA" }))],
  ['CDS-61: a kid of a prototype', 'key', () => bearer(withHeader({ kid: '__proto__' }))],
  [
    'CDS-61: a kid that two keys have',
    'key',
    () => twoUrls.token(service, { header: { jku: 'https://keys.two.example.org/a' } }).then(bearer),
  ],
  ['CDS-61: no typ', 'header', () => bearer(withHeader({ typ: undefined }))],
  ['CDS-61: the typ of an access token', 'header', () => bearer(withHeader({ typ: 'at+jwt' }))],
  ['CDS-61: the typ of a logout token', 'header', () => bearer(withHeader({ typ: 'logout+jwt' }))],
  [
    'CDS-65: a jku that is not listed',
    'key-set-url',
    () => bearer(withHeader({ jku: 'https://attacker.example.org/jwks' })),
  ],
  ['CDS-65: the jku of another client', 'key-set-url', () => bearer(withHeader({ jku: otherKeys }))],
  [
    'CDS-65: a jku inside this network',
    'key-set-url',
    () => bearer(withHeader({ jku: 'http://169.254.169.254/latest/meta-data' })),
  ],
  [
    'CDS-65: the listed jku as user of another host',
    'key-set-url',
    () => bearer(withHeader({ jku: 'https://keys.ehr.example.org@attacker.example.org/jwks' })),
  ],
  ['CDS-65: the listed jku with a fragment', 'key-set-url', () => bearer(withHeader({ jku: `${ownKeys}#` }))],
  [
    'CDS-65: the listed jku with a path that comes back',
    'key-set-url',
    () => bearer(withHeader({ jku: 'https://keys.ehr.example.org/x/../jwks' })),
  ],
  ['CDS-65: a file as jku', 'key-set-url', () => bearer(withHeader({ jku: 'file:///etc/passwd' }))],
  ['CDS-65: no jku where two are listed', 'key-set-url', () => twoUrls.token(service).then(bearer)],
  [
    'CDS-65: keys that cannot be had',
    'keys-unreachable',
    () => ehr.token(service, { claims: { iss: 'https://lost.example.org' } }).then(bearer),
  ],
  ['CDS-65: an issuer that is not listed', 'issuer', () => bearer(withClaims({ iss: 'https://attacker.example.org' }))],
  ['CDS-65: the issuer with a slash', 'issuer', () => bearer(withClaims({ iss: 'https://ehr.example.org/' }))],
  ['CDS-65: the issuer in capitals', 'issuer', () => bearer(withClaims({ iss: 'HTTPS://EHR.EXAMPLE.ORG' }))],
  [
    'CDS-65: the issuer in letters that look alike',
    'issuer',
    () => bearer(withClaims({ iss: 'https://еhr.example.org' })),
  ],
  ['CDS-65: two issuers', 'claims', () => bearer(withClaims({ iss: ['https://ehr.example.org', 'x'] }))],
  ['CDS-65: an issuer of a prototype', 'issuer', () => bearer(withClaims({ iss: '__proto__' }))],
  [
    'CDS-65: the issuer of another client',
    'key',
    () => bearer(withClaims({ iss: 'https://other.example.org', tenant: 'north' })),
  ],
  ['CDS-62: no iss', 'claims', () => bearer(withClaims({ iss: undefined }))],
  ['CDS-62: no aud', 'claims', () => bearer(withClaims({ aud: undefined }))],
  ['CDS-62: an empty list of aud', 'audience', () => bearer(withClaims({ aud: [] }))],
  ['CDS-62: an aud that is an object', 'claims', () => bearer(withClaims({ aud: { 0: service } }))],
  ['CDS-62: a list of lists of aud', 'claims', () => bearer(withClaims({ aud: [[service]] }))],
  [
    'CDS-63: the URL of another service',
    'audience',
    () => bearer(withClaims({ aud: `${publicUrl}/cds-services/other` })),
  ],
  ['CDS-63: the URL of discovery', 'audience', () => bearer(withClaims({ aud: `${publicUrl}/cds-services` }))],
  ['CDS-63: the URL of this server alone', 'audience', () => bearer(withClaims({ aud: publicUrl }))],
  ['CDS-63: the URL over http', 'audience', () => bearer(withClaims({ aud: service.replace('https', 'http') }))],
  ['CDS-63: the URL with a slash', 'audience', () => bearer(withClaims({ aud: `${service}/` }))],
  ['CDS-63: the URL with a query', 'audience', () => bearer(withClaims({ aud: `${service}?x` }))],
  [
    'CDS-63: the name in the Host header',
    'audience',
    () => bearer(withClaims({ aud: `${server.origin}/cds-services/prevent-base` })),
  ],
  [
    'CDS-63: the name in X-Forwarded-Host',
    'audience',
    () => bearer(withClaims({ aud: 'https://forwarded.example.org/cds-services/prevent-base' })),
  ],
  ['CDS-63: an audience that begins alike', 'audience', () => bearer(withClaims({ aud: `${service}-2` }))],
  ['CDS-62: no exp', 'claims', () => bearer(withClaims({ exp: undefined }))],
  ['CDS-62: an exp that is text', 'claims', () => bearer(withClaims({ exp: String(nowSeconds + 300) }))],
  [
    'CDS-62: an exp that never comes',
    'claims',
    () => bearer(withClaims(JSON.stringify(goodClaims(ehr)).replace(/"exp":\d+/, '"exp":1e999'))),
  ],
  ['CDS-66: an expired token', 'expired', () => bearer(withClaims({ iat: nowSeconds - 400, exp: nowSeconds - 61 }))],
  ['CDS-66: an exp in milliseconds', 'lifetime', () => bearer(withClaims({ exp: (nowSeconds + 300) * 1000 }))],
  ['CDS-66: a token that lives for a day', 'lifetime', () => bearer(withClaims({ exp: nowSeconds + 86_400 }))],
  [
    'CDS-66: a token that expires before it is made',
    'lifetime',
    () => bearer(withClaims({ exp: nowSeconds, iat: nowSeconds + 1 })),
  ],
  ['CDS-62: no iat', 'claims', () => bearer(withClaims({ iat: undefined }))],
  [
    'CDS-62: an iat tomorrow',
    'not-yet-valid',
    () => bearer(withClaims({ iat: nowSeconds + 86_400, exp: nowSeconds + 86_700 })),
  ],
  ['CDS-62: an nbf in ten minutes', 'not-yet-valid', () => bearer(withClaims({ nbf: nowSeconds + 600 }))],
  ['CDS-62: an nbf that is text', 'claims', () => bearer(withClaims({ nbf: 'now' }))],
  ['CDS-62: no jti', 'claims', () => bearer(withClaims({ jti: undefined }))],
  ['CDS-62: an empty jti', 'claims', () => bearer(withClaims({ jti: '' }))],
  ['CDS-62: a jti that is a number', 'claims', () => bearer(withClaims({ jti: 17 }))],
  ['CDS-62: a jti without end', 'claims', () => bearer(withClaims({ jti: 'x'.repeat(257) }))],
  ['CDS-66: a tenant where none is listed', 'tenant', () => bearer(withClaims({ tenant: 'north' }))],
  ['CDS-66: another tenant than those listed', 'tenant', () => asIs(other, { tenant: 'east' }).then(bearer)],
  ['CDS-66: no tenant where some are listed', 'tenant', () => asIs(other, { tenant: undefined }).then(bearer)],
  ['CDS-66: two tenants', 'claims', () => asIs(other, { tenant: ['north', 'east'] }).then(bearer)],
];

describe('CDS-67: whoever does not is told 401 and nothing else', () => {
  test.each(attacks)('%s', async (_name, reason, make) => {
    const [before, seen] = [server.letIn.length, log.lines().length];
    const shown = await make();
    const answer = await call(server, shown, {
      'X-Forwarded-Host': 'forwarded.example.org',
      'X-Forwarded-Proto': 'https',
    });
    expect([answer.status, server.letIn.length]).toEqual([401, before]);
    expect(answer.text).toBe(refusalText);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="cds-services"');
    const token = shown?.split(' ').at(-1);
    if (token !== undefined && token.length > 16) expect(log.text()).not.toContain(token);
    const told = log
      .lines()
      .slice(seen)
      .find(({ event }) => String(event).startsWith('cds-client.'));
    expect(told?.reason ?? told?.event).toBe(reason === 'keys-unreachable' ? `cds-client.${reason}` : reason);
  });

  test('CDS-60: a token elsewhere than in the header is none', async () => {
    const token = await asIs(ehr);
    const query = await send(`${server.origin}/cds-services/prevent-base?access_token=${token}`, 'POST', {});
    const body = await send(`${server.origin}/cds-services/prevent-base`, 'POST', `access_token=${token}`, {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect([query.status, body.status]).toEqual([401, 401]);
    expect(log.text()).not.toContain(token);
  });

  test('CDS-65: no key set was asked for but those that are listed', () => {
    expect(new Set(fetched)).toEqual(
      new Set([ownKeys, otherKeys, lostKeys, 'https://keys.two.example.org/a', 'https://keys.two.example.org/b']),
    );
  });
});

describe('CDS-66: a token is good once', () => {
  test('not again at the server, nor at a replica on the same database', async () => {
    const authorization = `Bearer ${await asIs(ehr)}`;
    expect((await call(server, authorization)).status).toBe(200);
    expect((await call(server, authorization)).status).toBe(401);
    expect((await call(replica, authorization)).status).toBe(401);
    const refused = log.lines().filter(({ event }) => event === 'cds-client.refused');
    expect(refused.at(-1)).toMatchObject({ reason: 'replayed', client: 'ehr' });
  });

  test('of twenty at once at two replicas exactly one is let in', async () => {
    const authorization = `Bearer ${await asIs(ehr)}`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => call(index % 2 === 0 ? server : replica, authorization)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
  });

  test('the same jti in another token, newly signed, is a replay too; that of another issuer or tenant is not', async () => {
    const jti = randomUUID();
    expect((await call(server, `Bearer ${await asIs(ehr, { jti })}`)).status).toBe(200);
    expect((await call(server, `Bearer ${await asIs(ehr, { jti, exp: nowSeconds + 500 })}`)).status).toBe(401);
    expect((await call(server, `Bearer ${await asIs(other, { jti })}`)).status).toBe(200);
    expect((await call(server, `Bearer ${await asIs(other, { jti, tenant: 'south' })}`)).status).toBe(200);
  });

  test('a forged token does not use up the jti of a real one', async () => {
    const jti = randomUUID();
    const fake = forged({ header: goodHeader(ehr), claims: { ...goodClaims(ehr), jti } }, es384(stranger));
    expect((await call(server, bearer(fake))).status).toBe(401);
    expect((await call(server, `Bearer ${await asIs(ehr, { jti })}`)).status).toBe(200);
  });
});

function bearer(token: string): string {
  return `Bearer ${token}`;
}

function call(to: CdsAccessServer, authorization?: string, headers: Readonly<Record<string, string>> = {}) {
  return send(
    `${to.origin}/cds-services/prevent-base`,
    'POST',
    {},
    {
      ...headers,
      'Content-Type': 'application/json',
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    },
  );
}
