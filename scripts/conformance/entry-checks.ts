import assert from 'node:assert/strict';
import { type Check, needed } from './check.ts';
import { hookBody, serviceOf } from './hook-call.ts';
import type { Answer, Site, TokenChanges } from './site.ts';

/** Who may call CDS services (CDS-60 to CDS-68). */
export const entryChecks: readonly Check[] = [
  {
    ids: ['CDS-60', 'CDS-67'],
    says: 'Without a JWT nobody comes in, and nobody is told why',
    async run(site) {
      signer(site);
      const service = serviceOf(site);
      const answers = [
        await site.cds('', { authorization: 'none' }),
        await site.cds(`/${service.id}`, { authorization: 'none', body: hookBody(site, service) }),
        await site.cds(`/${service.id}/feedback`, { authorization: 'none', body: { feedback: [] } }),
        await site.cds(`/${service.id}`, { authorization: 'Bearer x.y.z', body: hookBody(site, service) }),
      ];
      for (const { status } of answers) assert.equal(status, 401);
      const said = new Set(answers.map(({ json }) => withoutIds(json)));
      assert.equal(said.size, 1, `the answers differ: ${[...said].join(' | ')}`);
      return 'discovery, service and feedback without a token, and with a broken one: 401, the same words';
    },
  },
  {
    ids: ['CDS-61', 'CDS-62'],
    says: 'Every required header field and claim is required',
    async run(site) {
      const header = ['kid', 'typ'];
      const claims = ['iss', 'aud', 'exp', 'iat', 'jti'];
      for (const name of header) await out(site, { header: { [name]: undefined } }, `without ${name}`);
      for (const name of claims) await out(site, { claims: { [name]: undefined } }, `without ${name}`);
      return `without ${[...header, ...claims].join(', ')}: 401 each`;
    },
  },
  {
    ids: ['CDS-63'],
    says: 'aud is the URL that is called, alone or in a list',
    async run(site) {
      const { url, service } = target(site);
      await comesIn(site, {});
      await comesIn(site, { claims: { aud: ['https://other.example', url] } });
      const wrong = [`${site.url}/cds-services`, `${url}/`, site.url, 'https://other.example', [], `${url}?x=1`];
      for (const aud of wrong) await out(site, { claims: { aud } }, `aud ${JSON.stringify(aud)}`);
      return `as one and in a list: 200; ${wrong.length} others for ${service.id}: 401`;
    },
  },
  {
    ids: ['CDS-64'],
    says: 'ES384 and RS384 are taken, none and HS256 are not',
    async run(site) {
      await comesIn(site, { algorithm: 'ES384' });
      await comesIn(site, { algorithm: 'RS384' });
      const { url, service } = target(site);
      const token = await signer(site)(url);
      const [, claims = ''] = token.split('.');
      for (const alg of ['none', 'None', 'HS256', 'HS384']) {
        const forged = `${encoded({ alg, typ: 'JWT', kid: 'x' })}.${claims}.${alg.startsWith('H') ? 'AAAA' : ''}`;
        const answer = await callWith(site, service, forged);
        assert.equal(answer.status, 401, alg);
      }
      return 'ES384, RS384: 200; none, None, HS256, HS384: 401';
    },
  },
  {
    ids: ['CDS-65'],
    says: 'Issuers and key addresses that are not listed are refused',
    async run(site) {
      await out(site, { claims: { iss: 'https://unlisted.example' } }, 'an unlisted issuer');
      await out(site, { header: { jku: 'https://unlisted.example/jwks' } }, 'an unlisted jku');
      return 'both 401';
    },
  },
  {
    ids: ['CDS-66'],
    says: 'Expired, not yet valid and replayed tokens are refused',
    async run(site) {
      const now = Math.floor(Date.now() / 1000);
      await out(site, { claims: { iat: now - 7200, exp: now - 3600 } }, 'expired an hour ago');
      await out(site, { claims: { iat: now + 3600, nbf: now + 3600, exp: now + 7200 } }, 'of the future');
      const { url, service } = target(site);
      const once = await signer(site)(url);
      const [first, second] = [await callWith(site, service, once), await callWith(site, service, once)];
      assert.deepEqual([first.status, second.status], [200, 401]);
      return 'expired 401, future 401, the same token twice 200 and 401';
    },
  },
  {
    ids: ['CDS-68'],
    says: 'A preflight of a listed origin needs no token, another origin is not let in',
    async run(site) {
      const { service } = target(site);
      const preflight = (origin: string): Promise<Answer> =>
        site.cds(`/${service.id}`, {
          method: 'OPTIONS',
          authorization: 'none',
          headers: {
            Origin: origin,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'authorization, content-type',
          },
        });
      const listed = needed(site.origin, 'no origin is listed at this server (--origin)');
      const good = await preflight(listed);
      assert.ok(good.status < 300, `${good.status}`);
      assert.equal(good.headers.get('access-control-allow-origin'), listed);
      const other = await preflight('https://other.example');
      assert.equal(other.headers.get('access-control-allow-origin'), null);
      return `${listed}: ${good.status}; another origin: no Access-Control-Allow-Origin`;
    },
  },
];

function signer({ cdsToken }: Site): NonNullable<Site['cdsToken']> {
  return needed(cdsToken, 'the server asks for no token, or no key of a client was given (--cds-key)');
}

function target(site: Site): { url: string; service: ReturnType<typeof serviceOf> } {
  const service = serviceOf(site);
  return { url: `${site.url}/cds-services/${service.id}`, service };
}

function callWith(site: Site, service: ReturnType<typeof serviceOf>, token: string): Promise<Answer> {
  return site.cds(`/${service.id}`, { body: hookBody(site, service), authorization: `Bearer ${token}` });
}

async function comesIn(site: Site, changes: TokenChanges): Promise<void> {
  const { url, service } = target(site);
  const { status, text } = await callWith(site, service, await signer(site)(url, changes));
  assert.equal(status, 200, `${JSON.stringify(changes)}: ${status} ${text}`);
}

async function out(site: Site, changes: TokenChanges, what: string): Promise<void> {
  const { url, service } = target(site);
  const { status } = await callWith(site, service, await signer(site)(url, changes));
  assert.equal(status, 401, `${what}: ${status}`);
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** An answer as text, without what differs from one request to the next. */
function withoutIds(json: unknown): string {
  return JSON.stringify(json, (key, value) => (key === 'id' ? undefined : value));
}
