import assert from 'node:assert/strict';
import type { Check } from './check.ts';
import { contextOf, hookBody, serviceOf } from './hook-call.ts';
import type { Answer, Site } from './site.ts';

/** What a service takes and what it refuses (CDS-4, CDS-10 to CDS-17, CDS-70, CDS-71). */
export const requestChecks: readonly Check[] = [
  {
    ids: ['CDS-4', 'CDS-10'],
    says: 'Each service answers at its hook, and refuses a hook that it does not offer',
    async run(site) {
      for (const service of site.services) {
        const { status, text } = await site.cds(`/${service.id}`, { body: hookBody(site, service) });
        assert.equal(status, 200, `${service.id} at ${service.hook}: ${status} ${text}`);
      }
      await refused(site, { hook: 'no-such-hook' });
      return `${site.services.length} services answered 200; an unknown hook 400`;
    },
  },
  {
    ids: ['CDS-11'],
    says: 'hookInstance must be a bare UUID',
    async run(site) {
      const bad = ['urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea', 'seven', '', null, 7, undefined];
      for (const hookInstance of bad) await refused(site, { hookInstance });
      return `${bad.length} others: 400`;
    },
  },
  {
    ids: ['CDS-12', 'CDS-13'],
    says: 'A token needs fhirServer, and its required fields',
    async run(site) {
      const whole = { access_token: 'x', token_type: 'Bearer', expires_in: 300, scope: 'user/*.rs', subject: 'cds' };
      await refused(site, { fhirAuthorization: whole });
      const server = { fhirServer: site.ehr?.base ?? site.fhir };
      for (const left of Object.keys(whole))
        await refused(site, { ...server, fhirAuthorization: { ...whole, [left]: undefined } });
      await refused(site, { ...server, fhirAuthorization: { ...whole, token_type: 'mac' } });
      await refused(site, { fhirServer: 'not a url' });
      return '8 malformed authorizations: 400';
    },
  },
  {
    ids: ['CDS-14'],
    says: 'context is required; an extension is tolerated',
    async run(site) {
      await refused(site, { context: undefined });
      await refused(site, { context: null });
      const service = serviceOf(site);
      const extension = { 'org.example.x': { anything: [1] } };
      const { status, text } = await site.cds(`/${service.id}`, { body: hookBody(site, service, { extension }) });
      assert.equal(status, 200, text);
      return 'no context: 400; with an extension: 200';
    },
  },
  {
    ids: ['CDS-17'],
    says: 'Unknown service 404, malformed body 400, other media type 415',
    async run(site) {
      const service = serviceOf(site);
      const body = hookBody(site, service);
      const unknown = await site.cds('/no-such-service', { body });
      const malformed = await site.cds(`/${service.id}`, { body: '{"hook":' });
      const other = await site.cds(`/${service.id}`, {
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'text/plain' },
      });
      assert.deepEqual([unknown.status, malformed.status, other.status], [404, 400, 415]);
      return '404, 400, 415';
    },
  },
  {
    ids: ['CDS-70'],
    says: 'Ids of the context are bare, references are Type/id',
    async run(site) {
      const service = serviceOf(site);
      const good = contextOf(service.hook, site.patient, `${site.patient}-visit`);
      const bad = { patientId: `Patient/${site.patient}`, userId: 'example', encounterId: 'Encounter/1' };
      for (const [name, value] of Object.entries(bad))
        if (name in good || name !== 'userId') await refused(site, { context: { ...good, [name]: value } });
      return `${Object.keys(bad).join(', ')} in the other form: 400`;
    },
  },
  {
    ids: ['CDS-71'],
    says: 'Resources of the context may lack an id',
    async run(site) {
      const holding = site.services.filter(({ hook }) => /order-s|appointment|problem|medication/.test(hook));
      for (const service of holding) {
        const context = withoutIds(contextOf(service.hook, site.patient, `${site.patient}-visit`));
        const { status, text } = await site.cds(`/${service.id}`, { body: hookBody(site, service, { context }) });
        assert.equal(status, 200, `${service.id} at ${service.hook}: ${text}`);
      }
      return holding.length === 0 ? 'no service takes resources in its context' : `${holding.length} services: 200`;
    },
  },
];

/** The call is answered with 400 and an OperationOutcome. */
async function refused(site: Site, changes: Record<string, unknown>): Promise<Answer> {
  const service = serviceOf(site);
  const answer = await site.cds(`/${service.id}`, { body: hookBody(site, service, changes) });
  const said = `${JSON.stringify(changes)?.slice(0, 200)}: ${answer.status} ${answer.text.slice(0, 200)}`;
  assert.equal(answer.status, 400, said);
  assert.equal((answer.json as { resourceType?: string }).resourceType, 'OperationOutcome', said);
  return answer;
}

function withoutIds(context: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(context, (key, value) => (key === 'id' ? undefined : value));
  return JSON.parse(text) as Record<string, unknown>;
}
