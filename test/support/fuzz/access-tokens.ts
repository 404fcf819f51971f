import { createHmac, KeyObject, sign } from 'node:crypto';
import { type CryptoKey, exportSPKI, importJWK } from 'jose';
import type { Role } from '../../../src/http/principal.ts';
import { forgeToken, type IssuerKey, signToken } from '../token-issuer.ts';
import { type CallerKeys, clientOf } from './caller-keys.ts';
import { bearer, type Credential, partsOf } from './credential.ts';
import { type Grant, grantOf, nothing } from './grant.ts';

/** For as long as the longest soak. */
const lifetimeSeconds = 4 * 3_600;

interface Made {
  readonly name: string;
  readonly role?: Role;
  readonly scope: string;
  readonly grant?: Parameters<typeof grantOf>[1];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: 'rsa' | 'ec';
}

/** Patients and conditions are never deleted: some have the words by which a leak is known. */
const holding: readonly Made[] = [
  {
    name: 'everything but deleting all',
    role: 'caller',
    scope: 'system/*.crus system/Observation.d',
    grant: { everybody: { '*': 'crus', Observation: 'd' } },
  },
  { name: 'reading', role: 'caller', scope: 'system/*.rs', grant: { everybody: { '*': 'rs' } }, key: 'ec' },
  { name: 'version 1', role: 'caller', scope: 'user/*.read', grant: { everybody: { '*': 'rs' } } },
  {
    name: 'version 1 writing of observations',
    role: 'caller',
    scope: 'user/Observation.write',
    grant: { everybody: { Observation: 'cud' } },
  },
  { name: 'creating', role: 'caller', scope: 'system/*.c', grant: { everybody: { '*': 'c' } } },
  {
    name: 'searching observations',
    role: 'caller',
    scope: 'system/Observation.s',
    grant: { everybody: { Observation: 's' } },
  },
  {
    name: 'reading patients',
    role: 'caller',
    scope: 'system/Patient.r',
    grant: { everybody: { Patient: 'r' } },
    key: 'ec',
  },
  {
    name: 'a launch',
    role: 'caller',
    scope: 'patient/*.cruds openid launch',
    grant: { launch: { patient: '1', letters: 'cruds' } },
    claims: { patient: '1' },
  },
  {
    name: 'a launch that reads observations',
    role: 'caller',
    scope: 'patient/Observation.rs',
    claims: { patient: 'Patient/1' },
    grant: { launch: { patient: '1', letters: 'rs' } },
  },
  { name: 'a launch without a patient', role: 'caller', scope: 'patient/*.cruds' },
  { name: 'no scope', role: 'caller', scope: '' },
  {
    name: 'scopes that grant nothing',
    role: 'caller',
    scope: 'system/Observation.dus */*.read system/Observation.rs?category=laboratory System/*.rs system/patient.r',
  },
  { name: 'own scopes that do not count', role: 'caller', scope: 'fhirsight/models.manage fhirsight/audit.read' },
  { name: 'an operator', role: 'operator', scope: 'system/*.crus', grant: { everybody: { '*': 'crus' } } },
  { name: 'an auditor', role: 'auditor', scope: '' },
  { name: 'a model owner', role: 'model-owner', scope: '' },
  {
    name: 'a reviewer',
    role: 'reviewer',
    scope: 'user/DiagnosticReport.rus',
    grant: { everybody: { DiagnosticReport: 'rsu' } },
    claims: { fhirUser: 'Practitioner/17' },
  },
  { name: 'a client without roles', scope: '' },
];

/** Access tokens that hold, each with what it allows. @param audience FHIR base of the server */
export async function accessTokensThatHold(keys: CallerKeys, audience: string): Promise<Credential[]> {
  const made = holding.map(async ({ name, role, scope, grant, claims = {}, key = 'rsa' }) => {
    const client = clientOf[role ?? 'none'];
    const token = await signToken(keys[key], { ...claimsFor(keys.issuer, client, audience, scope), ...claims });
    return bearer(name, token, grantOf(role === undefined ? [] : [role], grant), `${keys.issuer} ${client}`);
  });
  const own = claimsFor(keys.granting, clientOf.none, audience, 'fhirsight/metrics.read fhirsight/models.read');
  const predicting = claimsFor(keys.granting, clientOf.none, audience, 'fhirsight/predictions.make system/*.rs');
  const granted = `${keys.granting} ${clientOf.none}`;
  return [
    ...(await Promise.all(made)),
    bearer(
      'own scopes that count',
      await signToken(keys.rsa, own),
      grantOf([], { permissions: ['metrics.read', 'models.read'] }),
      granted,
    ),
    bearer(
      'predicting by an own scope',
      await signToken(keys.rsa, predicting),
      grantOf([], { permissions: ['predictions.make'], everybody: { '*': 'rs' } }),
      granted,
    ),
    bearer('a static token', keys.staticToken, grantOf(['operator']), 'prometheus'),
  ];
}

/** Access tokens that do not hold, in the forms in which attackers make them; none grants anything. */
export async function accessTokensThatDoNot(keys: CallerKeys, audience: string): Promise<Credential[]> {
  const { rsa, ec, stranger, issuer } = keys;
  const good = claimsFor(issuer, clientOf.caller, audience, 'system/*.cruds');
  const now = good.iat;
  const signed = (claims: object, header: object = {}, key: IssuerKey = rsa): Promise<string> =>
    signToken(key, { ...good, ...claims }, header as Readonly<Record<string, unknown>>);
  const valid = await signed({});
  const [head = '', body = '', signature = ''] = valid.split('.');
  const more = Buffer.from(JSON.stringify({ ...good, client_id: clientOf['model-owner'] })).toString('base64url');
  const spki = await exportSPKI((await importJWK(rsa.publicJwk, 'RS384', { extractable: true })) as CryptoKey);
  const unsigned = forgeToken({ alg: 'HS384', kid: 'rsa-1', typ: 'at+jwt' }, good, '').slice(0, -1);
  const tokens: Readonly<Record<string, string>> = {
    'alg none': forgeToken({ alg: 'none', kid: 'rsa-1' }, good, ''),
    'alg None with a signature': forgeToken({ alg: 'None', kid: 'rsa-1' }, good, signature),
    'the public key as secret': `${unsigned}.${createHmac('sha384', spki).update(unsigned).digest('base64url')}`,
    'a key of its own': await signed({}, {}, stranger),
    'a key of its own in the header': await signed({}, { jwk: stranger.publicJwk, kid: 'mine' }, stranger),
    'the key id of another key': await signed({}, { kid: ec.kid }),
    'an unknown key id': await signed({}, { kid: '../../../dev/null' }),
    'no key id': await signed({}, { kid: undefined }),
    'claims of somebody else': [head, more, signature].join('.'),
    'the signature of another token': [head, body, (await signed({ jti: 'other' })).split('.')[2]].join('.'),
    'half a signature': valid.slice(0, -200),
    'no signature': `${head}.${body}.`,
    'two tokens in one': `${valid}.${valid}`,
    'an expired token': await signed({ exp: now - 60, iat: now - 600 }),
    'no exp': await signed({ exp: undefined }),
    'nbf in the future': await signed({ nbf: now + 30_000 }),
    'another audience': await signed({ aud: 'https://elsewhere.example/fhir' }),
    'an audience that begins alike': await signed({ aud: `${audience}/x` }),
    'an issuer that is not listed': await signed({ iss: 'https://login.attacker.example' }),
    'another tenant': await signed({ tid: 'other' }),
    'a client that is not declared': await signed({ client_id: 'malware' }),
    'two clients': await signed({ azp: clientOf['model-owner'] }),
    'a patient that is a path': await signed({ patient: '../kept' }),
    'a token for a login': await signed({}, { typ: 'logout+jwt' }),
    'claims that must be understood': signedAsIs(rsa, { crit: ['exp'], exp: 1 }, good),
    'a token without end': await signed({ padding: 'x'.repeat(9_000) }),
  };
  return [
    ...Object.entries(tokens).map(([name, token]) => bearer(name, token, nothing)),
    { name: 'a token in the URL', query: `access_token=${valid}`, grant: nothing, parts: partsOf(valid) },
    { name: 'a token as a password', authorization: `Basic ${valid}`, grant: nothing, parts: partsOf(valid) },
    { name: 'two tokens in a list', authorization: `Bearer ${valid}, ${valid}`, grant: nothing, parts: partsOf(valid) },
    { name: 'no token', grant: nothing, parts: [] },
    { name: 'an empty token', authorization: 'Bearer ', grant: nothing, parts: [] },
    { name: 'bytes', authorization: 'Bearer \xff\xfe', grant: nothing, parts: [] },
  ];
}

/** Signed, whatever jose thinks of the header. */
function signedAsIs(key: IssuerKey, header: object, claims: object): string {
  const input = forgeToken({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }, claims, '').slice(0, -1);
  return `${input}.${sign('sha384', Buffer.from(input), KeyObject.from(key.privateKey)).toString('base64url')}`;
}

/** The token that a credential shows, with another sign in the place of one: other bytes, however they are read. */
export function withOtherSign({ name, authorization = '' }: Credential, at: number): Credential {
  const start = 'Bearer '.length;
  // The last sign of a part may hold bits that nobody reads.
  const token = authorization.slice(start);
  const dots = [...token.matchAll(/\./g)].map(({ index }) => index);
  const place = at % token.length;
  const isLast = place === token.length - 1 || dots.includes(place + 1) || dots.includes(place);
  const chosen = isLast ? 1 : place;
  const changed = `${token.slice(0, chosen)}${token[chosen] === 'A' ? 'B' : 'A'}${token.slice(chosen + 1)}`;
  return {
    name: `a sign of ${name} changed`,
    authorization: `Bearer ${changed}`,
    grant: nothing,
    parts: partsOf(changed),
  };
}

function claimsFor(issuer: string, client: string, audience: string, scope: string) {
  const iat = Math.floor(Date.now() / 1_000);
  return {
    iss: issuer,
    aud: audience,
    sub: client,
    client_id: client,
    tid: 'clinic',
    scope,
    iat,
    exp: iat + lifetimeSeconds,
  } satisfies Readonly<Record<string, unknown>>;
}

/** So that a credential of one entrance is told from that of another. */
export function ownToken(name: string, token: string, own: NonNullable<Grant['own']>): Credential {
  return bearer(name, token, own === 'admin' ? grantOf(['model-owner'], { own }) : { ...nothing, own });
}
