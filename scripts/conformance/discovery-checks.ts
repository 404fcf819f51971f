import assert from 'node:assert/strict';
import type { Check } from './check.ts';
import type { DiscoveredService, Site } from './site.ts';

const names: ReadonlySet<string> = new Set([
  'context.patientId',
  'context.encounterId',
  'context.userId',
  'userPractitionerId',
  'userPractitionerRoleId',
  'userPatientId',
  'userRelatedPersonId',
]);

/** Discovery and what it says of the prefetch (CDS-1 to CDS-7, CDS-20 to CDS-22). */
export const discoveryChecks: readonly Check[] = [
  {
    ids: ['CDS-1', 'CDS-6'],
    says: 'GET /cds-services lists the services as JSON',
    async run(site) {
      const { status, headers, json } = await site.cds('');
      assert.equal(status, 200);
      assert.match(headers.get('content-type') ?? '', /^application\/json/);
      const { services } = json as { services: unknown };
      assert.ok(Array.isArray(services), 'services must be a list');
      const secure = site.url.startsWith('https:')
        ? 'over HTTPS'
        : 'over HTTP, as on a loopback address or behind a proxy';
      return `200, ${services.length} services, ${headers.get('content-type')}, ${secure}`;
    },
  },
  {
    ids: ['CDS-2', 'CDS-5'],
    says: 'Each service has what is required, and nothing that is empty',
    async run(site) {
      for (const service of site.services) {
        for (const field of ['id', 'hook', 'description'] as const) assert.equal(typeof service[field], 'string');
        for (const [name, value] of Object.entries(service)) {
          assert.notEqual(value, null, `${service.id}.${name} is null`);
          assert.notEqual(value, '', `${service.id}.${name} is empty`);
          if (typeof value === 'object')
            assert.notEqual(Object.keys(value).length, 0, `${service.id}.${name} is empty`);
        }
      }
      return `${site.services.map(({ id, hook }) => `${id} at ${hook}`).join(', ')}`;
    },
  },
  {
    ids: ['CDS-3'],
    says: 'Fields of 3.0 are well formed where they are told',
    async run(site) {
      const told = site.services.filter((service) => 'version' in service || 'hookVersion' in service);
      for (const service of told as (DiscoveredService & { version?: unknown })[])
        assert.match(String(service.version), /^\d+\.\d+(\.\d+)?/);
      return told.length === 0 ? 'not told: this is 2.0.1' : `told by ${told.length}`;
    },
  },
  {
    ids: ['CDS-7', 'CDS-27'],
    says: 'What is not possible is 4xx with an OperationOutcome',
    async run(site) {
      const { status, json } = await site.cds('', { method: 'POST', body: {} });
      assert.equal(status, 405);
      assert.equal((json as { resourceType: string }).resourceType, 'OperationOutcome');
      return 'POST on discovery: 405, OperationOutcome';
    },
  },
  {
    ids: ['CDS-20', 'CDS-21', 'CDS-22'],
    says: 'Templates are reads or searches of the restricted subset',
    async run(site) {
      const templates = templatesOf(site);
      for (const template of templates) checkTemplate(template);
      return `${templates.length} templates, such as ${templates.at(-1)}`;
    },
  },
];

function templatesOf({ services }: Site): string[] {
  return [...new Set(services.flatMap(({ prefetch = {} }) => Object.values(prefetch)))];
}

function checkTemplate(template: string): void {
  for (const [, token = ''] of template.matchAll(/\{\{([^}]*)\}\}/g))
    assert.ok(names.has(token.trim()), `${template}: {{${token}}} is no token of 2.0.1`);
  const plain = template.replaceAll(/\{\{[^}]*\}\}/g, 'x');
  if (/^[A-Z][A-Za-z]+\/x$/.test(plain)) return;
  const [, query = ''] = /^[A-Z][A-Za-z]+\?(.+)$/.exec(plain) ?? [];
  assert.notEqual(query, '', `${template} is neither a read nor a search`);
  for (const part of query.split('&')) {
    const [, modifier] = /^[A-Za-z_-]+(?::([^=]+))?=.+$/.exec(part) ?? assert.fail(`${template}: ${part}`);
    assert.ok(modifier === undefined || modifier === 'in', `${template}: the modifier ${modifier}`);
  }
}
