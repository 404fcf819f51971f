import assert from 'node:assert/strict';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { Check } from './check.ts';
import { issueCodes, predicted } from './predict-call.ts';

/** Formats, and what the server says of itself (OP-30 to OP-42). */
export const negotiationChecks: readonly Check[] = [
  {
    ids: ['OP-30', 'OP-33'],
    says: 'FHIR JSON in the type that is asked for; _format wins; XML is 406',
    async run(site) {
      const typeOf = async (path: string, accept: string): Promise<string> => {
        const { status, headers } = await site.call(path, { headers: { Accept: accept } });
        return `${status} ${headers.get('content-type')}`;
      };
      assert.match(await typeOf('metadata', '*/*'), /^200 application\/fhir\+json; ?charset=utf-8/i);
      assert.match(await typeOf('metadata', 'application/json'), /^200 application\/json/);
      assert.match(
        await typeOf('metadata', 'application/fhir+xml, application/fhir+json;q=0.5'),
        /^200 application\/fhir\+json/,
      );
      assert.match(await typeOf('metadata?_format=json', 'application/fhir+xml'), /^200 /);
      for (const [path, accept] of [
        ['metadata', 'application/fhir+xml'],
        ['metadata?_format=xml', '*/*'],
      ] as const)
        assert.match(await typeOf(path, accept), /^406 application\/fhir\+json/);
      const form = await predicted(site, { headers: { 'Content-Type': 'application/xml' }, body: '<x/>' });
      assert.equal(form.status, 415);
      issueCodes(form);
      return 'json, fhir+json, _format=json: 200; xml: 406; an XML body: 415';
    },
  },
  {
    ids: ['OP-31'],
    says: 'Another FHIR version than 4.0 is refused',
    async run(site) {
      const good = await site.call('metadata', { headers: { Accept: 'application/fhir+json; fhirVersion=4.0' } });
      const other = await site.call('metadata', { headers: { Accept: 'application/fhir+json; fhirVersion=5.0' } });
      const body = await predicted(site, { headers: { 'Content-Type': 'application/fhir+json; fhirVersion=5.0' } });
      assert.deepEqual([good.status, other.status, body.status], [200, 406, 415]);
      return '4.0: 200; 5.0: 406 as Accept, 415 as Content-Type';
    },
  },
  {
    ids: ['OP-40', 'OP-41', 'OP-42'],
    says: '/metadata needs no token, has an ETag, and its invariants hold',
    async run(site) {
      const { status, headers, json } = await site.call('metadata', { authorization: 'none' });
      assert.equal(status, 200);
      const statement = json as CapabilityStatement;
      const { fhirVersion, kind, implementation, format = [], rest = [], software } = statement;
      assert.deepEqual([statement.resourceType, fhirVersion, kind], ['CapabilityStatement', '4.0.1', 'instance']);
      assert.ok(statement.status && statement.date && format.length > 0 && rest.length > 0 && software);
      assert.ok(implementation?.description, 'an instance has an implementation (cpb-14)');
      const types = rest.flatMap(({ resource = [] }) => resource.map(({ type }) => type));
      assert.equal(new Set(types).size, types.length, 'types are unique (cpb-9)');
      const etag = headers.get('etag');
      assert.ok(etag, 'there is no ETag');
      const again = await site.call('metadata', { authorization: 'none', headers: { 'If-None-Match': etag } });
      assert.equal(again.status, 304);
      const services = (rest[0]?.security?.service ?? []).flatMap(({ coding = [] }) => coding.map(({ code }) => code));
      if (site.accessToken !== undefined)
        assert.ok(services.includes('SMART-on-FHIR'), 'security.service lacks SMART-on-FHIR');
      return `${types.length} types, ETag ${etag}, security ${services.join(', ') || 'none: the server is open'}`;
    },
  },
];
