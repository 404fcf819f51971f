import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { accessRows } from '../../src/entrances/audit/access-rows.ts';
import { entryAccesses } from '../../src/http/entry-accesses.ts';
import { anyone } from '../../src/http/principal.ts';
import type { AccessRow } from '../../src/monitoring/access-row.ts';

const base = 'http://127.0.0.1:8080/fhir/R4';

/** The row of one entry of a batch. */
function rowOf(asked: BundleEntry, answered: BundleEntry): AccessRow | undefined {
  const bundle = (entry: BundleEntry): Bundle => ({ resourceType: 'Bundle', type: 'batch', entry: [entry] });
  return accessRows(
    {
      requestId: 'r-1',
      principal: anyone,
      method: 'POST',
      url: '/fhir/R4',
      route: '/fhir/R4/',
      status: 200,
      durationMs: 1,
      entries: entryAccesses(bundle(asked), bundle(answered), base),
    },
    { tenant: 'ward', recorded: new Date(), newId: () => 'x', fhirBase: base, subjectBase: base },
  )[0];
}

describe('AUD-1: an entry of a batch keeps account of whom it was about', () => {
  describe.each(['', '/', `${base}/`, 'http://localhost:8080/fhir/R4/'])('where its URL begins with %j', (start) => {
    it.each([
      ['GET', 'Patient/17', '200 OK', 'read'],
      ['DELETE', 'Patient/17', '200 OK', 'delete'],
      ['PUT', 'Patient/17', '412 Precondition Failed', 'update'],
    ] as const)('and it asks for %s %s', (method, url, status, interaction) => {
      const row = rowOf({ request: { method, url: `${start}${url}` } }, { response: { status } });
      expect(row).toMatchObject({ interaction, resource_type: 'Patient', resource_id: '17', subject_id: '17' });
    });

    it('and it searches', () => {
      const row = rowOf(
        { request: { method: 'GET', url: `${start}Observation?patient=17&code=x` } },
        { response: { status: '200 OK' } },
      );
      expect(row).toMatchObject({
        resource_type: 'Observation',
        subject_id: '17',
        query: 'Observation?patient=Patient/17&code',
      });
    });
  });

  it('where only what was read says so', () => {
    const resource = {
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/17' },
    } as const;
    const row = rowOf(
      { request: { method: 'GET', url: 'Observation/o1' } },
      { resource, response: { status: '200 OK' } },
    );
    expect(row).toMatchObject({ resource_type: 'Observation', resource_id: 'o1', subject_id: '17' });
  });
});
