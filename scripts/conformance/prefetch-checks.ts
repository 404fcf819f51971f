import assert from 'node:assert/strict';
import { type Check, needed } from './check.ts';
import { hookBody, prefetchFor, serviceOf } from './hook-call.ts';
import type { Answer, DiscoveredService, Ehr, Site } from './site.ts';

type Json = Record<string, unknown>;

const failed = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'timeout', diagnostics: 'The search took too long.' }],
};

/** What prefetch says, and what is done about what it does not (CDS-15, CDS-23 to CDS-26). */
export const prefetchChecks: readonly Check[] = [
  {
    ids: ['CDS-23'],
    says: 'null and an empty Bundle are answers: nothing is fetched, and the call is 200',
    async run(site) {
      const service = serviceOf(site);
      const none = Object.fromEntries(searchKeys(service).map((key) => [key, null]));
      site.ehr?.takeRequests();
      const answer = await called(site, service, { ...prefetchFor(service, site.record), ...none });
      assert.equal(answer.status, 200, answer.text);
      const asked = site.ehr?.takeRequests() ?? [];
      assert.deepEqual(asked, [], 'what is known to be none was asked for');
      return `${Object.keys(none).length} keys null: 200, no request to the FHIR server`;
    },
  },
  {
    ids: ['CDS-15', 'CDS-23'],
    says: 'An absent key is fetched from fhirServer with the token of the call, that one alone',
    async run(site) {
      const { service, key, prefetch, ehr } = missing(site);
      ehr.takeRequests();
      const { [key]: _left, ...rest } = prefetch;
      const answer = await called(site, service, rest);
      assert.equal(answer.status, 200, answer.text);
      const asked = ehr.takeRequests().filter(({ path }) => !path.endsWith('/metadata'));
      const type = typeOf(service, key);
      assert.ok(asked.length > 0, 'nothing was fetched');
      for (const { path, authorization } of asked) {
        assert.ok(path.includes(`/${type}`), `${path} was asked although ${key} alone was missing`);
        assert.equal(authorization, `Bearer ${callToken}`);
      }
      return `${key} left out: ${asked.length} request for ${type}, with the token of the call`;
    },
  },
  {
    ids: ['CDS-24'],
    says: 'An OperationOutcome is no answer',
    async run(site) {
      const service = serviceOf(site);
      const [key = ''] = searchKeys(service);
      const prefetch = { ...prefetchFor(service, site.record), [key]: failed };
      const alone = await called(site, service, prefetch, { fhirServer: undefined, fhirAuthorization: undefined });
      assert.equal(alone.status, 412, `without a FHIR server: ${alone.status} ${alone.text}`);
      const inBundle = {
        resourceType: 'Bundle',
        type: 'searchset',
        entry: [{ resource: failed, search: { mode: 'outcome' } }],
      };
      const within = await called(
        site,
        service,
        { ...prefetch, [key]: inBundle },
        { fhirServer: undefined, fhirAuthorization: undefined },
      );
      assert.equal(within.status, 412, `within a Bundle: ${within.status} ${within.text}`);
      return 'as the value and within a Bundle, without a FHIR server: 412';
    },
  },
  {
    ids: ['CDS-25'],
    says: 'A Bundle with a next page is completed, not taken for the whole',
    async run(site) {
      const { service, key, prefetch, ehr } = missing(site);
      const page = {
        ...(prefetch[key] as Json),
        link: [{ relation: 'next', url: `${ehr.base}/${typeOf(service, key)}?patient=${site.patient}` }],
      };
      ehr.takeRequests();
      const answer = await called(site, service, { ...prefetch, [key]: page });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(ehr.takeRequests().length > 0, 'the next page was not asked for');
      const collection = { ...(prefetch[key] as Json), type: 'collection' };
      const tolerated = await called(site, service, { ...prefetch, [key]: collection });
      assert.equal(tolerated.status, 200, tolerated.text);
      return 'paged: completed from the FHIR server; a collection: 200';
    },
  },
  {
    ids: ['CDS-26'],
    says: 'Data that cannot be obtained are 412',
    async run(site) {
      const service = serviceOf(site);
      const [key = ''] = searchKeys(service);
      const { [key]: _left, ...rest } = prefetchFor(service, site.record);
      const nowhere = await called(site, service, rest, { fhirServer: undefined, fhirAuthorization: undefined });
      assert.equal(nowhere.status, 412, nowhere.text);
      if (site.ehr === undefined) return 'a key missing and no FHIR server: 412';
      const refused = await called(site, service, rest, { fhirAuthorization: authorization('refused-token') });
      assert.equal(refused.status, 412, refused.text);
      return 'a key missing and no FHIR server, or one that refuses: 412';
    },
  },
];

/** The token that the EHR of the driver takes. */
export const callToken = 'token-of-one-call';

function authorization(token: string): Json {
  return { access_token: token, token_type: 'Bearer', expires_in: 300, scope: 'user/*.rs', subject: 'fhirsight' };
}

function called(site: Site, service: DiscoveredService, prefetch: Json, changes: Json = {}): Promise<Answer> {
  const server: Json =
    site.ehr === undefined ? {} : { fhirServer: site.ehr.base, fhirAuthorization: authorization(callToken) };
  return site.cds(`/${service.id}`, { body: hookBody(site, service, { ...server, prefetch, ...changes }) });
}

function missing(site: Site): { service: DiscoveredService; key: string; prefetch: Json; ehr: Ehr } {
  const ehr = needed(site.ehr, 'no FHIR server of an EHR is listed at this server (--ehr)');
  const service = serviceOf(site);
  const key =
    searchKeys(service).find((each) => typeOf(service, each) === 'Observation') ?? searchKeys(service)[0] ?? '';
  return { service, key, prefetch: prefetchFor(service, site.record), ehr };
}

function searchKeys({ prefetch = {} }: DiscoveredService): string[] {
  return Object.entries(prefetch).flatMap(([key, template]) => (template.includes('?') ? [key] : []));
}

function typeOf({ prefetch = {} }: DiscoveredService, key: string): string {
  return /^[A-Za-z]+/.exec(prefetch[key] ?? '')?.[0] ?? '';
}
