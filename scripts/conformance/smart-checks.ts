import assert from 'node:assert/strict';
import { type Check, NotRun, needed } from './check.ts';

import { issueCodes, parametersOf } from './predict-call.ts';
import { type Answer, type Site, send, type TokenChanges } from './site.ts';

/** Who may ask over FHIR (SM-2, SM-10 to SM-14, SM-20 to SM-22). */
export const smartChecks: readonly Check[] = [
  {
    ids: ['SM-20'],
    says: 'smart-configuration has what is required, without a token',
    async run(site) {
      signer(site);
      const { status, json } = await send(`${site.fhir}/.well-known/smart-configuration`, {});
      assert.equal(status, 200);
      const told = json as Record<string, unknown>;
      for (const field of [
        'token_endpoint',
        'grant_types_supported',
        'capabilities',
        'code_challenge_methods_supported',
      ])
        assert.ok(told[field], `${field} is missing`);
      assert.ok((told.code_challenge_methods_supported as string[]).includes('S256'));
      return `token endpoint ${told.token_endpoint}`;
    },
  },
  {
    ids: ['SM-22'],
    says: 'Without a token 401 with WWW-Authenticate, without the scope 403, both with an OperationOutcome',
    async run(site) {
      const missing = await site.call(`Patient/${site.patient}`, { authorization: 'none' });
      const foreign = await withScope(site, 'system/Observation.rs', `Patient/${site.patient}`);
      assert.deepEqual([missing.status, foreign.status], [401, 403]);
      assert.match(missing.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.match(foreign.headers.get('www-authenticate') ?? '', /insufficient_scope/);
      for (const answer of [missing, foreign]) issueCodes(answer);
      return '401 and 403';
    },
  },
  {
    ids: ['SM-21'],
    says: 'Tokens of another issuer, audience, time or algorithm are refused',
    async run(site) {
      const now = Math.floor(Date.now() / 1000);
      const bad: readonly TokenChanges[] = [
        { claims: { iss: 'https://unlisted.example' } },
        { claims: { aud: 'https://other.example/fhir' } },
        { claims: { exp: now - 3600 } },
        { claims: { nbf: now + 3600 } },
        { header: { kid: 'unknown' } },
        { claims: { exp: undefined } },
      ];
      for (const changes of bad) {
        const token = await signer(site)('system/*.rs', changes);
        const { status } = await site.call('Patient', { authorization: `Bearer ${token}` });
        assert.equal(status, 401, JSON.stringify(changes));
      }
      return `${bad.length} bad tokens: 401`;
    },
  },
  {
    ids: ['SM-10', 'SM-11'],
    says: 'Scopes of both versions are read by their grammar',
    async run(site) {
      const path = `Observation?patient=${site.patient}`;
      for (const scope of ['system/Observation.rs', 'system/*.rs', 'system/Observation.read', 'system/*.*'])
        assert.equal((await withScope(site, scope, path)).status, 200, scope);
      for (const scope of [
        'system/Observation.sr',
        'system/Observation.c',
        'xsystem/*.rs',
        '*/*.read',
        'system/Obs.rs',
        '',
      ])
        assert.ok([401, 403].includes((await withScope(site, scope, path)).status), scope);
      return '4 that allow, 6 that do not';
    },
  },
  {
    ids: ['SM-12'],
    says: 'A Bundle needs what its entries need, and storing a result needs its own scope',
    async run(site) {
      const entry = [{ request: { method: 'GET', url: `Observation?patient=${site.patient}` } }];
      const batch = { resourceType: 'Bundle', type: 'batch', entry };
      const answer = await withScope(site, 'system/Patient.rs', '', { body: batch });
      if (answer.status === 200) assert.match(answer.text, /"status":"403/);
      else assert.equal(answer.status, 403, answer.text);
      const body = {
        resourceType: 'Parameters',
        parameter: [
          { name: 'model', valueString: site.model },
          { name: 'writeBack', valueBoolean: true },
        ],
      };
      const written = await withScope(site, 'system/*.rs', `Patient/${site.patient}/$predict`, {
        method: 'POST',
        body,
      });
      assert.equal(written.status, 403, written.text);
      return 'an entry without its scope, and writeBack with a reading scope: 403';
    },
  },
  {
    ids: ['SM-13'],
    says: 'A scope with a search parameter never grants more than it says',
    async run(site) {
      const scope =
        'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';
      const answer = await withScope(site, scope, `Observation?patient=${site.patient}`);
      if (answer.status === 403) return 'not granted: 403';
      const entries = (answer.json as { entry?: { resource?: { category?: unknown } }[] }).entry ?? [];
      assert.ok(entries.every(({ resource }) => JSON.stringify(resource?.category ?? '').includes('laboratory')));
      return `filtered: ${entries.length} found`;
    },
  },
  {
    ids: ['SM-14'],
    says: 'The scopes a model needs are told, and with them $predict answers',
    async run(site) {
      const told = await send(`${site.url}/models/${site.model}/scopes`, {
        headers: await bearer(site, 'system/*.rs'),
      });
      assert.equal(told.status, 200, told.text);
      const scope = (told.json as { v2: { system: string } }).v2.system;
      const answer = await withScope(site, scope, 'Patient/$predict', { method: 'POST', body: parametersOf(site) });
      assert.equal(answer.status, 200, answer.text);
      return scope;
    },
  },
  {
    ids: ['SM-2'],
    says: 'Own public keys are served without a token',
    async run(site) {
      const { status, json, headers } = await send(`${site.url}/.well-known/jwks.json`, {});
      if (status === 404) throw new NotRun('this server is no client of another one: 404');
      const { keys } = json as { keys: Record<string, unknown>[] };
      for (const key of keys) {
        assert.ok(key.kty && key.kid);
        assert.equal(key.d, undefined, 'a private key is served');
      }
      assert.ok(headers.get('cache-control'));
      return `${keys.length} keys, ${headers.get('cache-control')}`;
    },
  },
];

function signer({ accessToken }: Site): NonNullable<Site['accessToken']> {
  return needed(accessToken, 'the server asks for no token, or no key of a client was given');
}

async function bearer(site: Site, scope: string): Promise<Record<string, string>> {
  return site.accessToken === undefined ? {} : { Authorization: `Bearer ${await site.accessToken(scope)}` };
}

async function withScope(site: Site, scope: string, path: string, options = {}): Promise<Answer> {
  const token = await signer(site)(scope);
  return site.call(path, { ...options, authorization: `Bearer ${token}` });
}
