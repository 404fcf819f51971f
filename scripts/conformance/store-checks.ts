import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { type Check, NotRun } from './check.ts';
import { issueCodes } from './predict-call.ts';
import type { Site } from './site.ts';

/** A synthetic patient that can be found again. */
function person(): Patient & { identifier: [{ system: string; value: string }] } {
  return {
    resourceType: 'Patient',
    active: true,
    identifier: [{ system: 'urn:example:conformance', value: randomUUID() }],
  };
}

/** The FHIR REST interface of the store (OP-32, OP-60 to OP-65). */
export const storeChecks: readonly Check[] = [
  {
    ids: ['OP-60', 'OP-32'],
    says: 'Create answers 201 with Location, ETag and Last-Modified, and as Prefer asks',
    async run(site) {
      stores(site);
      const created = await site.call('Patient', { body: { ...person(), id: 'ignored' } });
      assert.equal(created.status, 201, created.text);
      const { id } = created.json as { id: string };
      assert.notEqual(id, 'ignored');
      assert.match(created.headers.get('location') ?? '', new RegExp(`/Patient/${id}/_history/\\w+$`));
      assert.match(created.headers.get('etag') ?? '', /^W\/"\w+"$/);
      assert.ok(created.headers.get('last-modified'));
      const minimal = await site.call('Patient', { body: person(), headers: { Prefer: 'return=minimal' } });
      const outcome = await site.call('Patient', { body: person(), headers: { Prefer: 'return=OperationOutcome' } });
      assert.deepEqual([minimal.status, minimal.text], [201, '']);
      assert.equal((outcome.json as { resourceType: string }).resourceType, 'OperationOutcome');
      return `201, ${created.headers.get('etag')}; minimal: no body; OperationOutcome: one`;
    },
  },
  {
    ids: ['OP-61'],
    says: 'Conditional create: 201, 200, and 412 where several match',
    async run(site) {
      stores(site);
      const body = person();
      const { system, value } = body.identifier[0];
      const headers = { 'If-None-Exist': `identifier=${system}|${value}` };
      const first = await site.call('Patient', { body, headers });
      const second = await site.call('Patient', { body, headers });
      await site.call('Patient', { body });
      const third = await site.call('Patient', { body, headers });
      assert.deepEqual([first.status, second.status, third.status], [201, 200, 412]);
      issueCodes(third);
      return '201, 200, 412';
    },
  },
  {
    ids: ['OP-62', 'OP-63'],
    says: 'Update needs the id of the URL, and If-Match to hold',
    async run(site) {
      stores(site);
      const id = `conformance-${randomUUID()}`;
      const put = (body: object, headers = {}) => site.call(`Patient/${id}`, { method: 'PUT', body, headers });
      const created = await put({ ...person(), id });
      const updated = await put({ ...person(), id }, { 'If-Match': created.headers.get('etag') ?? '' });
      const stale = await put({ ...person(), id }, { 'If-Match': created.headers.get('etag') ?? '' });
      const other = await put({ ...person(), id: 'another' });
      assert.deepEqual([created.status, updated.status, stale.status, other.status], [201, 200, 412, 400]);
      return 'created 201, updated 200, stale 412, another id 400';
    },
  },
  {
    ids: ['OP-64', 'OP-65'],
    says: 'A transaction is all or nothing, of a batch each entry is by itself',
    async run(site) {
      stores(site);
      const good = person();
      const { system, value } = good.identifier[0];
      const entry = [
        { fullUrl: `urn:uuid:${randomUUID()}`, resource: good, request: { method: 'POST', url: 'Patient' } },
        {
          fullUrl: `urn:uuid:${randomUUID()}`,
          resource: { resourceType: 'Patient', gender: 'wrong' },
          request: { method: 'POST', url: 'Patient' },
        },
      ];
      const transaction = await site.call('', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
      assert.ok(transaction.status >= 400 && transaction.status < 500, transaction.text);
      issueCodes(transaction);
      const found = async (): Promise<number | undefined> =>
        ((await site.call(`Patient?identifier=${system}|${value}&_total=accurate`)).json as Bundle).total;
      assert.equal(await found(), 0, 'a refused transaction left something behind');
      const batch = await site.call('', { body: { resourceType: 'Bundle', type: 'batch', entry } });
      const statuses = ((batch.json as Bundle).entry ?? []).map(({ response }) => response?.status?.slice(0, 3));
      assert.deepEqual([batch.status, ...statuses], [200, '201', '400']);
      assert.equal(await found(), 1);
      return 'transaction: refused whole, nothing stored; batch: 200 with 201 and 400';
    },
  },
];

function stores({ mayWrite }: Site): void {
  if (!mayWrite) throw new NotRun('nothing is stored at this server (--allow-writes)');
}
