import { createHmac } from 'node:crypto';
import type { Parameters, Resource } from '@medplum/fhirtypes';
import { type CryptoKey, exportSPKI, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withExtraction } from '../../src/cli/extract/open-extraction.ts';
import { metricsRoutes } from '../../src/entrances/metrics/metrics-routes.ts';
import { policyTable } from '../../src/http/access/policy-table.ts';
import type { MountedRoute } from '../../src/http/server-app.ts';
import { readConfig } from '../../src/platform/config.ts';
import type { Access } from '../../src/wire-access.ts';
import { routesOf } from '../../src/wire-routes.ts';
import { runFhirsight } from '../support/fhirsight-process.ts';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';
import { mountedPaths } from '../support/mounted-paths.ts';
import { laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';
import { ended } from '../support/test-runs.ts';
import {
  forgeToken,
  type IssuerKey,
  makeKey,
  signToken,
  startTokenIssuer,
  type TokenIssuer,
} from '../support/token-issuer.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const nowSeconds = clock.now().getTime() / 1_000;
const everything = 'system/*.cruds';
const clinic = { claim: 'tid', value: 'clinic' };

let issuer: TokenIssuer;
let other: TokenIssuer;
let stranger: IssuerKey;
let rotated: IssuerKey;
let server: GuardedFhirsight;
let data: TestDataDir;

beforeAll(async () => {
  [issuer, other, stranger, rotated] = await Promise.all([
    startTokenIssuer(),
    startTokenIssuer(),
    makeKey('rsa-1', 'RS384'),
    makeKey('rsa-0', 'RS384'),
  ]);
  const declared = { issuer: issuer.issuer, jwksUri: issuer.jwksUri, tenant: clinic };
  data = await createTestDataDir();
  server = await startGuardedFhirsight(
    {
      issuers: [
        declared,
        {
          issuer: other.issuer,
          introspection: { url: other.introspectionUri, clientId: 'fhirsight', clientSecretFile: 'secret' },
        },
      ],
      clients: [
        { issuer: issuer.issuer, clientId: 'dashboard' },
        { issuer: issuer.issuer, clientId: 'archive', roles: [] },
        { issuer: other.issuer, clientId: 'portal' },
      ],
      staticTokens: [{ name: 'prometheus', tokenFile: 'prometheus', roles: ['operator'] }],
    },
    { clock, data },
    { secret: 'secret of the server', prometheus: 'a-token-of-prometheus-0123456789' },
  );
  for (const id of ['a', 'b']) {
    const stored = await ask(
      'POST',
      '',
      server.house.adminToken,
      transactionOf(scorablePatient(id), { fullUrls: false }),
    );
    expect(stored.status, stored.text).toBe(200);
  }
});
afterAll(async () => {
  await server?.close();
  await data?.remove();
  await Promise.all([issuer?.close(), other?.close()]);
});

it('the command of its own user reads patients and cohorts for a matrix from a server that asks for tokens', async () => {
  const config = readConfig({ ...data.settings, MODELS_DIR: await someModels(['prevent-base']) });
  const found: string[] = [];
  await withExtraction(config, async ({ parts, cohorts }) => {
    const { signal } = new AbortController();
    for await (const page of cohorts.read({ all: true }, clock.now(), signal))
      found.push(...page.map(({ subject }) => subject));
    expect(parts.source.own).toBe(true);
  });
  expect(found.toSorted()).toEqual(['a', 'b']);
});

const claimsOf = (changes: Readonly<Record<string, unknown>> = {}) => ({
  iss: issuer.issuer,
  aud: server.fhir,
  sub: 'dashboard',
  client_id: 'dashboard',
  tid: 'clinic',
  scope: everything,
  iat: nowSeconds - 10,
  exp: nowSeconds + 300,
  jti: 'one',
  ...changes,
});
const token = (changes: Readonly<Record<string, unknown>> = {}, header = {}, key: IssuerKey = issuer.rsa) =>
  signToken(key, claimsOf(changes), header);
const scoped = (scope: string, more: Readonly<Record<string, unknown>> = {}) => token({ scope, ...more });

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(method: string, path: string, bearer?: string, body?: unknown): Promise<Answer> {
  const below =
    path === '' || /^[A-Z$]/.test(path) ? `${server.fhir}${path === '' ? '' : `/${path}`}` : `${server.url}/${path}`;
  const response = await fetch(below, {
    method,
    headers: {
      'content-type': path.endsWith('/_search') ? 'application/x-www-form-urlencoded' : 'application/fhir+json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const parametersOf = (more: Parameters['parameter'] = []): Parameters => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'model', valueString: 'prevent-base' },
    { name: 'asOf', valueDateTime: '2026-03-01T11:00:00Z' },
    ...more,
  ],
});
const writing = { name: 'writeBack', valueBoolean: true };
const observation = (id: string): Resource =>
  ({ ...laboratoryResult(id, 'new', '2093-3', 200, 'mg/dL'), id: undefined }) as Resource;
const batchOf = (...entries: readonly (readonly [string, string, Resource?])[]) => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: entries.map(([method, url, resource]) => ({
    request: { method, url },
    ...(resource === undefined ? {} : { resource }),
  })),
});

describe('a token that holds', () => {
  it('SM-21: lets its client in, signed with RS384 or ES384', async () => {
    expect((await ask('GET', 'Patient/a', await token())).status).toBe(200);
    expect((await ask('GET', 'Patient/a', await token({}, {}, issuer.ec))).status).toBe(200);
    expect(
      (await ask('GET', 'Patient/a', await token({ aud: ['https://elsewhere.example', server.fhir] }))).status,
    ).toBe(200);
    expect((await ask('GET', 'Patient/a', await token({ client_id: undefined, azp: 'dashboard' }))).status).toBe(200);
  });

  it('SM-21: is one that its issuer says is active, where the issuer is asked', async () => {
    const active = { active: true, client_id: 'portal', scope: 'system/Patient.r', exp: nowSeconds + 60 };
    other.introspects((shown) => ({ body: shown === 'opaque-1' ? active : { active: false } }));
    expect((await ask('GET', 'Patient/a', 'opaque-1')).status).toBe(200);
    expect((await ask('GET', 'Observation?patient=a', 'opaque-1')).status).toBe(403);
  });

  it('SM-10: allows what its scopes say, $predict and its result with them', async () => {
    const reading =
      'system/Patient.r system/Encounter.rs system/Observation.rs system/Condition.rs ' +
      'system/MedicationRequest.rs system/MedicationStatement.rs system/Medication.r';
    const predicted = await ask('POST', 'Patient/a/$predict', await scoped(reading), parametersOf());
    expect(predicted.status, predicted.text).toBe(200);
    const written = await ask(
      'POST',
      'Patient/a/$predict',
      await scoped(`${reading} system/RiskAssessment.c`),
      parametersOf([writing]),
    );
    expect(written.status, written.text).toBe(200);
  });

  it('SM-13: of a launch reads, searches and creates about its patient', async () => {
    const launched = await scoped('patient/*.crs', { patient: 'a' });
    for (const path of [
      'Patient/a',
      'Patient?_id=a',
      'Observation/a-cholesterol',
      'Observation?patient=a',
      'Observation?subject=Patient/a&code=2093-3',
    ])
      expect((await ask('GET', path, launched)).status, path).toBe(200);
    expect((await ask('POST', 'Patient/a/$predict', launched, parametersOf())).status).toBe(200);
    expect((await ask('POST', 'Observation', launched, observation('a'))).status).toBe(201);
  });

  it('SM-20: is got where smart-configuration says, which everybody may read', async () => {
    const answer = await ask('GET', 'fhir/R4/.well-known/smart-configuration');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toMatchObject({
      capabilities: expect.arrayContaining(['client-confidential-asymmetric', 'permission-v2']),
      code_challenge_methods_supported: ['S256'],
    });
    expect((await ask('GET', 'fhir/R4/metadata')).status).toBe(200);
  });
});

describe('the table of who may call', () => {
  const handler: MountedRoute['handler'] = (_request, _response, next) => next();
  const access: Access = {
    verifyToken: () => Promise.reject(new Error('nobody asks')),
    cdsCallers: handler,
    smartConfiguration: {},
    close: async () => undefined,
  };
  const mounted = () => {
    const config = readConfig({ ...data.settings, INFERENCE_PROTOCOL: 'on', INFERENCE_PROTOCOL_TOKEN_FILE: 'token' });
    const notices = { note: async () => undefined, noteSomething: async () => undefined };
    const nothing = async (): Promise<void> => undefined;
    const subscriptions = { declared: [], notices: { ...notices, start: nothing, close: nothing } };
    const house = { ...server.house, ownKeys: { keys: [] }, subscriptions };
    const routes = routesOf(house, config, clock, { tokens: { protocol: 'p', admin: 'a' }, access, limit: handler });
    const metrics = metricsRoutes({ contentType: 'text/plain', text: async () => '' });
    return mountedPaths([...routes, { path: '/metrics', handler: metrics }]);
  };

  it('SM-12: has a row for every route that is mounted, under every method that the route takes', () => {
    const { paths, handlers } = mounted();
    const rowFor = (path: string, method: string): boolean =>
      policyTable.some(
        (row) =>
          [method, '*'].includes(row.method) &&
          (row.path === path || (own.has(row.path) && path.startsWith(row.path.replace('*rest', '')))),
      );
    // What has one row for all that lies below; the FHIR base is none of them.
    const own = new Set(['/fhir/R4/AuditEvent/*rest', '/v2/*rest']);
    const missing = paths.flatMap(({ path, methods = ['*'] }) =>
      typeof path === 'string'
        ? methods.filter((method) => !rowFor(path, method)).map((method) => `${method} ${path}`)
        : [],
    );
    expect(paths.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
    // The store, whose interactions are judged one by one, and who stands before the services.
    expect(handlers.toSorted()).toEqual(['/cds-services', '/cds-services', '/fhir/R4']);
  });

  it('SM-12: has a row for every operation, which are mounted by patterns', () => {
    const rows = [
      ['/DiagnosticReport/17/$review', '/fhir/R4/DiagnosticReport/:id/$review'],
      ['/$predict', '/fhir/R4/$predict'],
      ['/Patient/$predict', '/fhir/R4/Patient/$predict'],
      ['/Patient/17/$predict', '/fhir/R4/Patient/:id/$predict'],
      ['/Patient/$other', '/fhir/R4/*rest/$:operation'],
    ] as const;
    const patterns = mounted().paths.flatMap(({ path, base }) => (path instanceof RegExp ? [{ path, base }] : []));
    expect(patterns.map(({ base }) => base)).toEqual(rows.map(() => '/fhir/R4'));
    for (const [index, [example, row]] of rows.entries()) {
      expect(patterns[index]?.path.test(example), example).toBe(true);
      expect(policyTable.map(({ path }) => path)).toContain(row);
    }
    for (const place of ['/ImagingStudy/$predict', '/ImagingStudy/:id/$predict']) {
      expect(patterns.some(({ path }) => path.test(place.replace(':id', '17')))).toBe(true);
      expect(policyTable.map(({ path }) => path)).toContain(`/fhir/R4${place}`);
    }
  });
});

type Attack = readonly [what: string, status: 401 | 403 | 404, attack: () => Promise<Answer>];

const read = (bearer: string | undefined) => ask('GET', 'Patient/a', bearer);
const forged = (header: object, changes: object = {}, signature = '') =>
  read(forgeToken(header, claimsOf(changes as Record<string, unknown>), signature));

/** Signed with the public key as if it were a shared secret. */
async function confused(alg: 'HS256' | 'HS384'): Promise<Answer> {
  const secret = await exportSPKI((await importJWK(issuer.rsa.publicJwk, 'RS384', { extractable: true })) as CryptoKey);
  const unsigned = forgeToken({ alg, kid: 'rsa-1', typ: 'at+jwt' }, claimsOf(), '').replace(/\.$/, '');
  const mac = createHmac(alg.replace('HS', 'sha'), secret).update(unsigned).digest('base64url');
  return read(`${unsigned}.${mac}`);
}

async function swapped(change: (parts: string[]) => string[]): Promise<Answer> {
  return read(change((await token()).split('.')).join('.'));
}

const signatures: readonly Attack[] = [
  ['no token', 401, () => read(undefined)],
  ['a token in the URL', 401, async () => ask('GET', `Patient/a?access_token=${await token()}`)],
  ['alg none', 401, () => forged({ alg: 'none', kid: 'rsa-1' })],
  ['alg None', 401, () => forged({ alg: 'None', kid: 'rsa-1' })],
  ['no alg', 401, () => forged({ kid: 'rsa-1' }, {}, 'AAAA')],
  ['HS256 with the public key', 401, () => confused('HS256')],
  ['HS384 with the public key', 401, () => confused('HS384')],
  [
    'RS256, which is not declared',
    401,
    async () => {
      const key = await makeKey('rsa-1', 'RS256');
      return read(await token({}, {}, key));
    },
  ],
  ['the key id of an EC key with RS384', 401, () => token({}, { kid: 'ec-1' }).then(read)],
  ['a key of its own under a known kid', 401, () => token({}, {}, stranger).then(read)],
  [
    'a key of its own in the header',
    401,
    () => token({}, { jwk: stranger.publicJwk, kid: 'own' }, stranger).then(read),
  ],
  ['a key set of its own by jku', 401, () => token({}, { jku: other.jwksUri, kid: 'other' }, stranger).then(read)],
  ['a kid that nobody knows', 401, () => token({}, { kid: 'rsa-9' }).then(read)],
  ['a kid that is a path', 401, () => token({}, { kid: '../../../dev/null' }).then(read)],
  ['no kid', 401, () => token({}, { kid: undefined }).then(read)],
  [
    'a critical header that is not understood',
    401,
    () => forged({ alg: 'RS384', kid: 'rsa-1', crit: ['x'], x: 1 }, {}, 'AAAA'),
  ],
  [
    'another payload under the signature',
    401,
    () =>
      swapped(([header = '', , signature = '']) => [
        header,
        Buffer.from(JSON.stringify(claimsOf({ scope: 'user/*.cruds' }))).toString('base64url'),
        signature,
      ]),
  ],
  ['a signature that is cut off', 401, () => swapped(([header = '', payload = '']) => [header, payload, ''])],
  [
    'a signature of another key',
    401,
    async () => {
      const [, , signature = ''] = (await token({}, {}, stranger)).split('.');
      return swapped(([header = '', payload = '']) => [header, payload, signature]);
    },
  ],
  ['a key that was rotated away', 401, () => token({}, {}, rotated).then(read)],
  ['no JWT at all', 401, () => read('nonsense')],
  ['a token that its issuer says is not active', 401, () => read('opaque-2')],
  [
    'an unsecured JWT of the issuer that is asked',
    401,
    () => read(forgeToken({ alg: 'none' }, { ...claimsOf(), iss: other.issuer, client_id: 'portal' }, '')),
  ],
  ['two tokens in one header', 401, async () => read(`${await token()}, ${await token()}`)],
  ['a token of 10,000 characters', 401, () => token({ padding: 'x'.repeat(7_000) }).then(read)],
];

const claims: readonly Attack[] = [
  ['an issuer that is not listed', 401, () => token({ iss: 'https://login.attacker.example' }).then(read)],
  ['an issuer that only begins like ours', 401, () => token({ iss: `${issuer.issuer}/` }).then(read)],
  ['the issuer of another client', 401, () => token({ iss: other.issuer }).then(read)],
  ['no issuer', 401, () => token({ iss: undefined }).then(read)],
  ['another server as audience', 401, () => token({ aud: 'https://elsewhere.example/fhir' }).then(read)],
  ['the origin as audience', 401, () => token({ aud: server.url }).then(read)],
  ['an audience that only begins like ours', 401, () => token({ aud: `${server.fhir}.attacker.example` }).then(read)],
  ['no audience', 401, () => token({ aud: undefined }).then(read)],
  ['a token that expired', 401, () => token({ exp: nowSeconds - 31 }).then(read)],
  ['no exp', 401, () => token({ exp: undefined }).then(read)],
  ['an exp that is a text', 401, () => forged({ alg: 'RS384', kid: 'rsa-1' }, { exp: '9999999999' }, 'AAAA')],
  ['nbf in the future', 401, () => token({ nbf: nowSeconds + 60 }).then(read)],
  ['iat in the future', 401, () => token({ iat: nowSeconds + 60 }).then(read)],
  ['another tenant of the issuer', 401, () => token({ tid: 'other-clinic' }).then(read)],
  ['no tenant', 401, () => token({ tid: undefined }).then(read)],
  ['a client that is not declared', 401, () => token({ client_id: 'malware' }).then(read)],
  ['no client', 401, () => token({ client_id: undefined }).then(read)],
  ['two clients in one token', 401, () => token({ azp: 'archive' }).then(read)],
  ['a token that asks for a login', 401, () => token({}, { typ: 'logout+jwt' }).then(read)],
  ['a patient that is a path', 401, () => token({ patient: '../b' }).then(read)],
];

const scopes: readonly Attack[] = [
  ['no scope', 403, async () => read(await scoped(''))],
  [
    '.dus, whose letters are out of order',
    403,
    async () => ask('DELETE', 'Patient/a', await scoped('system/Patient.dus')),
  ],
  ['*/*.read', 403, async () => read(await scoped('*/*.read'))],
  ['a type that only begins with it', 403, async () => read(await scoped('system/PatientX.r system/Pat.r'))],
  [
    'search parameters, which would filter',
    403,
    async () => ask('GET', 'Observation?patient=a', await scoped('system/Observation.rs?category=laboratory')),
  ],
  [
    'system/*.rs for a write',
    403,
    async () => ask('POST', 'Observation', await scoped('system/*.rs'), observation('a')),
  ],
  ['reading for a delete', 403, async () => ask('DELETE', 'Observation/a-hdl', await scoped('system/*.read'))],
  ['searching for a read', 403, async () => read(await scoped('system/Patient.s'))],
  ['reading one by one for a search', 403, async () => ask('GET', 'Patient?_id=a', await scoped('system/Patient.r'))],
  [
    'a search by form',
    403,
    async () => ask('POST', 'Patient/_search', await scoped('system/Patient.r system/Observation.s')),
  ],
  [
    'an update that would create',
    403,
    async () => ask('PUT', 'Patient/c', await scoped('system/Patient.u'), { resourceType: 'Patient', id: 'c' }),
  ],
  [
    'a conditional create that tells what is there',
    403,
    async () => ask('PUT', 'Patient?identifier=x', await scoped('system/Patient.cu'), { resourceType: 'Patient' }),
  ],
  [
    '$predict without reading what it reads',
    403,
    async () => ask('POST', 'Patient/a/$predict', await scoped('system/Patient.rs'), parametersOf()),
  ],
  [
    '$predict that writes without a scope for the result',
    403,
    async () => ask('POST', 'Patient/a/$predict', await scoped('system/*.rs'), parametersOf([writing])),
  ],
  [
    '$predict at system level by a client without the role',
    403,
    async () =>
      ask(
        'POST',
        '$predict',
        await token({ client_id: 'archive' }),
        parametersOf([{ name: 'subject', valueString: 'Patient/a' }]),
      ),
  ],
  [
    '$predict under another spelling',
    403,
    async () => ask('POST', 'Patient/a/%24predict', await token({ client_id: 'archive' }), parametersOf()),
  ],
  [
    'a run by a caller',
    403,
    async () => ask('POST', 'runs', await token(), { model: 'prevent-base', cohort: { all: true } }),
  ],
  [
    'a run by a static token, which reads no patients',
    403,
    async () =>
      ask('POST', 'runs', 'a-token-of-prometheus-0123456789', { model: 'prevent-base', cohort: { all: true } }),
  ],
  ['a static token for patients', 403, () => read('a-token-of-prometheus-0123456789')],
  ['AuditEvent by scope alone', 403, async () => ask('GET', 'AuditEvent?date=2026-03-01', await token())],
  ['metrics by a caller', 403, async () => ask('GET', 'metrics', await token())],
  ['deliveries by a caller', 403, async () => ask('GET', 'deliveries', await token())],
  [
    'administration by a caller',
    403,
    async () => ask('POST', 'admin/models/prevent-base/disable', await token(), { because: 'x' }),
  ],
  [
    'administration under another spelling',
    403,
    async () => ask('POST', 'aDMIN/models/prevent-base/disable/', await token(), { because: 'x' }),
  ],
  [
    'own scopes of an issuer that may not grant them',
    403,
    async () =>
      ask('POST', 'admin/models/prevent-base/disable', await scoped(`${everything} fhirsight/models.switch`), {
        because: 'x',
      }),
  ],
  ['CDS Hooks with an access token', 401, async () => ask('GET', 'cds-services', await token())],
  ['a route that is in no table', 404, async () => ask('GET', 'admin/models/prevent-base', await token())],
];

const launched = (scope = 'patient/*.cruds') => scoped(scope, { patient: 'a' });
const launches: readonly Attack[] = [
  ['another patient', 403, async () => ask('GET', 'Patient/b', await launched())],
  ["another patient's observation", 404, async () => ask('GET', 'Observation/b-hdl', await launched())],
  [
    "the history of another patient's observation",
    404,
    async () => ask('GET', 'Observation/b-hdl/_history', await launched()),
  ],
  ['a search about another patient', 403, async () => ask('GET', 'Observation?patient=b', await launched())],
  ['a search about two patients', 403, async () => ask('GET', 'Observation?patient=a,b', await launched())],
  ['a search about everybody', 403, async () => ask('GET', 'Observation?code=2093-3', await launched())],
  ['a search for every patient', 403, async () => ask('GET', 'Patient?_id=a,b', await launched())],
  ['a result about another patient', 403, async () => ask('POST', 'Observation', await launched(), observation('b'))],
  [
    'an update that takes over another patient’s observation',
    403,
    async () => ask('PUT', 'Observation/b-hdl', await launched(), { ...observation('a'), id: 'b-hdl' }),
  ],
  [
    'a prediction about another patient',
    403,
    async () => ask('POST', 'Patient/b/$predict', await launched(), parametersOf()),
  ],
  [
    'a prediction about another patient in the body',
    403,
    async () =>
      ask('POST', 'Patient/$predict', await launched(), parametersOf([{ name: 'subject', valueString: 'Patient/b' }])),
  ],
  [
    'a prediction about another patient with data of its own',
    403,
    async () =>
      ask(
        'POST',
        'Patient/b/$predict',
        await launched(),
        parametersOf([{ name: 'useServerData', valueBoolean: false }]),
      ),
  ],
  ['patient/ scopes without a launch', 403, async () => read(await scoped('patient/*.cruds'))],
  [
    'a launch beside system/ scopes of another type',
    403,
    async () => ask('GET', 'Patient/b', await launched('patient/*.rs system/Practitioner.rs')),
  ],
];

describe('a token that does not hold', () => {
  it.each([...signatures, ...claims])(
    'SM-21, SM-22: %s lets nobody in (%i), and nothing is written',
    async (_what, status, attack) => {
      const before = await server.rows();
      const answer = await attack();
      expect(answer.status, answer.text).toBe(status);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(JSON.parse(answer.text)).toMatchObject({ resourceType: 'OperationOutcome' });
      expect(answer.text).not.toMatch(/exp|aud|kid|signature|issuer "|Zzyzx/);
      expect(await server.rows()).toEqual(before);
    },
  );
});

describe('a token that holds, but not for this', () => {
  it.each([...scopes, ...launches])(
    'SM-12, SM-22: %s is refused (%i), and nothing is written',
    async (_what, status, attack) => {
      const before = await server.rows();
      const answer = await attack();
      expect(answer.status, answer.text).toBe(status);
      if (status === 403) expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope');
      expect(answer.text).not.toContain('Zzyzx');
      expect(await server.rows()).toEqual(before);
    },
  );
});

it('SM-13: a patient/ token cannot tell what is about another patient from what is not there', async () => {
  const bearer = await launched();
  for (const below of ['', '/_history', '/_history/1']) {
    const [foreign, never] = [
      await ask('GET', `Observation/b-hdl${below}`, bearer),
      await ask('GET', `Observation/never${below}`, bearer),
    ];
    const said = (answer: Answer, id: string): object => ({
      status: answer.status,
      text: answer.text.replaceAll(id, 'ID').replace(/[0-9a-f-]{36}/g, ''),
    });
    expect(said(foreign, 'b-hdl')).toEqual(said(never, 'never'));
    expect(foreign.status).toBe(404);
  }
});

describe('a Bundle', () => {
  it('SM-12: is judged by its entries: a batch gives what is allowed and refuses what is smuggled in', async () => {
    const before = await server.rows();
    const smuggled = batchOf(
      ['GET', 'Observation/a-hdl'],
      ['GET', 'Patient/a'],
      ['DELETE', 'Observation/a-hdl'],
      ['POST', 'Observation', observation('a')],
      ['GET', 'Patient?_id=a'],
      ['GET', `${server.fhir}/Patient/a`],
    );
    const answer = await ask('POST', '', await scoped('system/Observation.r'), smuggled);
    const { entry } = JSON.parse(answer.text) as { entry: { response: { status: string } }[] };
    expect(entry.map(({ response }) => response.status.slice(0, 3))).toEqual([
      '200',
      '403',
      '403',
      '403',
      '403',
      '403',
    ]);
    expect(await server.rows()).toEqual(before);
  });

  it.each([
    ['a write', [['POST', 'Observation', observation('a')]]],
    ['a delete', [['DELETE', 'Observation/a-hdl']]],
    [
      'a read of another type',
      [
        ['GET', 'Observation/a-hdl'],
        ['GET', 'Patient/a'],
      ],
    ],
    [
      'a reference that asks for another type',
      [
        [
          'POST',
          'Basic',
          { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'Patient?identifier=x' } },
        ],
      ],
    ],
  ] as const)('SM-12: a transaction with %s that is not allowed stores nothing', async (_what, entries) => {
    const before = await server.rows();
    const bundle = { ...batchOf(...(entries as never as readonly [string, string][])), type: 'transaction' };
    const answer = await ask('POST', '', await scoped('system/Observation.r system/Basic.c'), bundle);
    expect(answer.status, answer.text).toBe(403);
    expect(await server.rows()).toEqual(before);
  });

  it('SM-13: of a launch reads nobody else in a batch', async () => {
    const answer = await ask(
      'POST',
      '',
      await launched(),
      batchOf(
        ['GET', 'Patient/a'],
        ['GET', 'Patient/b'],
        ['GET', 'Observation/b-hdl'],
        ['GET', 'Observation?patient=b'],
      ),
    );
    const { entry } = JSON.parse(answer.text) as { entry: { response: { status: string } }[] };
    expect(entry.map(({ response }) => response.status.slice(0, 3))).toEqual(['200', '403', '404', '403']);
    expect(answer.text).not.toContain('b-hdl"');
  });
});

describe('an issuer that cannot be asked', () => {
  it('SM-21: lets nobody in, and says that it will pass', async () => {
    other.introspects(() => ({ status: 500, body: {} }));
    const answer = await read('opaque-3');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    other.introspects(() => ({ body: { active: true, scope: everything, exp: nowSeconds + 60 } }));
    expect((await read('opaque-4')).status).toBe(401);
    other.introspects(() => ({
      body: { active: 'true', client_id: 'portal', scope: everything, exp: nowSeconds + 60 },
    }));
    expect((await read('opaque-5')).status).toBe(401);
    other.introspects(() => ({ body: { active: true, client_id: 'portal', scope: everything, exp: nowSeconds - 60 } }));
    expect((await read('opaque-6')).status).toBe(401);
  });
});

describe('local commands', () => {
  it('go on working for whoever may read the data directory', async () => {
    for (const path of ['models', 'runs', 'metrics', 'deliveries', 'Patient/a'])
      expect((await ask('GET', path, server.house.adminToken)).status, path).toBe(200);
  });

  it('fhirsight run starts a run through the server, by the token that lies beside the data, and one without it does not', async () => {
    const args = ['run', '--model', 'prevent-base', '--all', '--no-write-back', '--as-of', '2026-02-28'];
    const run = await runFhirsight(args, data.settings);
    expect(run.code, `${run.stderr}${run.stdout}`).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      state: 'finished',
      members: 2,
      requester: 'fhirsight on the command line',
    });
    const elsewhere = await ask('POST', 'runs', 'not-the-token-beside-the-data-0123456789', {
      model: 'prevent-base',
      cohort: { all: true },
    });
    expect(elsewhere.status).toBe(401);
  });

  it('the token of a scraper reads the metrics', async () => {
    expect((await ask('GET', 'metrics', 'a-token-of-prometheus-0123456789')).status).toBe(200);
  });
});

describe('a run of somebody who may read patients', () => {
  const operator = 'a-token-of-prometheus-0123456789';
  const search = 'Patient?birthdate=1901-02-03&gender=female';
  let run: string;
  beforeAll(async () => {
    const made = await ask('POST', 'runs', server.house.adminToken, { model: 'prevent-base', cohort: { search } });
    expect(made.status, made.text).toBe(202);
    run = JSON.parse(made.text).id;
    await ended(server.house.runs, run);
  });

  it('is not let go on by an operator who may not: it would read and write for them', async () => {
    expect((await ask('POST', `runs/${run}/resume`, operator)).status).toBe(403);
    expect((await ask('POST', `runs/${run}/resume`, server.house.adminToken)).status).toBe(409);
  });

  it('shows an operator by what people were searched, and not for what', async () => {
    for (const path of ['runs', `runs/${run}`]) {
      const shown = await ask('GET', path, operator);
      expect([shown.status, shown.text]).toEqual([200, expect.stringContaining('Patient?birthdate&gender')]);
      expect(shown.text).not.toMatch(/1901|female/);
      expect((await ask('GET', path, server.house.adminToken)).text).toContain(search);
    }
  });
});
