import type { Bundle } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { accessRows } from '../../../src/entrances/audit/access-rows.ts';
import { entryAccesses } from '../../../src/http/entry-accesses.ts';
import type { FinishedRequest } from '../../../src/http/finished-request.ts';
import { anyone } from '../../../src/http/principal.ts';
import type { AccessRow } from '../../../src/monitoring/access-row.ts';

const frame = {
  tenant: 'ward',
  recorded: new Date('2026-03-01T10:00:00Z'),
  newId: () => '00000000-0000-4000-8000-000000000000',
  fhirBase: 'http://127.0.0.1:8080/fhir/R4',
  subjectBase: 'https://ehr.example/fhir',
};

const usual: FinishedRequest = {
  requestId: 'r-1',
  principal: { ...anyone, client: 'EHR', key: 'issuer|ehr', provedBy: 'access-token', user: 'Practitioner/17' },
  method: 'GET',
  url: '/fhir/R4/Patient/17',
  route: '/fhir/R4/:type/:id',
  status: 200,
  durationMs: 2,
};

function rowOf(changes: Partial<FinishedRequest>): AccessRow | undefined {
  return accessRows({ ...usual, ...changes }, frame)[0];
}

describe('AUD-1: the row of a request', () => {
  it('says who asked, how that was proved, and by which request', () => {
    expect(rowOf({})).toMatchObject({
      tenant: 'ward',
      request_id: 'r-1',
      client: 'EHR',
      client_key: 'issuer|ehr',
      user_ref: 'Practitioner/17',
      proved_by: 'access-token',
      route: '/fhir/R4/:type/:id',
      status: 200,
    });
  });

  it.each([
    ['GET', 'Patient/17', {}, ['R', 'read', 'Patient', '17', '17']],
    ['HEAD', 'Observation/5', { subject: '17' }, ['R', 'read', 'Observation', '5', '17']],
    ['GET', 'Patient/17/_history/2', {}, ['R', 'vread', 'Patient', '17', '17']],
    ['GET', 'Patient/17/_history', {}, ['R', 'history-instance', 'Patient', '17', '17']],
    [
      'POST',
      'Observation',
      { status: 201, location: 'http://127.0.0.1:8080/fhir/R4/Observation/9/_history/1', subject: '17' },
      ['C', 'create', 'Observation', '9', '17'],
    ],
    [
      'PUT',
      'Patient/17',
      { location: 'http://127.0.0.1:8080/fhir/R4/Patient/17/_history/2' },
      ['U', 'update', 'Patient', '17', '17'],
    ],
    ['DELETE', 'Patient/17', { status: 204 }, ['D', 'delete', 'Patient', '17', '17']],
    ['GET', 'Observation?patient=17&code=x', {}, ['E', 'search-type', 'Observation', null, '17']],
    ['POST', 'Observation/_search', { form: 'subject=Patient/17' }, ['E', 'search-type', 'Observation', null, '17']],
    ['GET', 'AuditEvent', {}, ['E', 'search-type', 'AuditEvent', null, null]],
  ] as const)('of %s %s has its action, interaction, resource and subject', (method, path, changes, expected) => {
    const row = rowOf({ method, url: `/fhir/R4/${path}`, ...changes });
    expect([row?.action, row?.interaction, row?.resource_type, row?.resource_id, row?.subject_id]).toEqual(expected);
  });

  it('keeps of a search the names of its parameters, and values only of patients, counts and order', () => {
    const url =
      '/fhir/R4/Patient?name=Zzyzx&birthdate=1968-04-05&identifier=urn:x|MRN-1&_count=5&_sort=-birthdate&_id=17';
    expect(rowOf({ url })?.query).toBe('Patient?name&birthdate&identifier&_count=5&_sort=-birthdate&_id=17');
    expect(rowOf({ url: '/fhir/R4/Observation?patient=Smith, John' })?.query).toBe('Observation?patient');
  });

  it('is there for the first refusal of a caller for its rate in a minute, and not for the others', () => {
    const refused = { status: 429, errorCode: 'RATE_LIMITED' } as const;
    expect(accessRows({ ...usual, ...refused }, frame)).toHaveLength(1);
    expect(accessRows({ ...usual, ...refused, isRepeatedRefusal: true }, frame)).toEqual([]);
  });

  it('names the one Patient of a search, and none where it names several', () => {
    expect(rowOf({ url: '/fhir/R4/Observation?patient=1&subject=Patient/1' })?.subject_id).toBe('1');
    expect(rowOf({ url: '/fhir/R4/Observation?patient=1&subject=Patient/2' })?.subject_id).toBeNull();
  });

  it.each([
    [404, 'RESOURCE_UNKNOWN'],
    [401, 'UNAUTHENTICATED'],
    [400, 'PARAMETER_INVALID'],
  ] as const)('of an answer %i keeps no id: what nobody has found may be anything', (status, errorCode) => {
    const row = rowOf({ url: '/fhir/R4/Patient/Zzyzx-1968?name=Zzyzx', status, errorCode });
    expect(row).toMatchObject({ resource_type: 'Patient', resource_id: null, subject_id: null, query: null, status });
    expect(JSON.stringify(row)).not.toContain('Zzyzx');
  });

  it('of a caller that has not said who it is names nobody', () => {
    expect(rowOf({ status: 401, errorCode: 'UNAUTHENTICATED' })).toMatchObject({
      client: 'unidentified',
      user_ref: null,
      proved_by: 'nothing',
      error_code: 'UNAUTHENTICATED',
    });
  });

  it('of a known caller that was refused keeps whom it asked for', () => {
    expect(rowOf({ status: 403, errorCode: 'HOST_REFUSED' })).toMatchObject({
      subject_id: '17',
      error_code: 'HOST_REFUSED',
    });
  });

  it('is one for each entry of a Bundle', () => {
    const rows = accessRows(
      {
        ...usual,
        method: 'POST',
        url: '/fhir/R4',
        route: '/fhir/R4/',
        entries: [
          { method: 'PUT', url: 'Patient/17', status: 201, location: 'Patient/17/_history/1', subject: '17' },
          { method: 'GET', url: 'Observation?code=secret', status: 200 },
          { method: 'DELETE', url: 'Patient/Zzyzx', status: 404 },
        ],
      },
      frame,
    );
    expect(rows.map(({ action, resource_id, status }) => [action, resource_id, status])).toEqual([
      ['U', '17', 201],
      ['E', null, 200],
      ['D', null, 404],
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/secret|Zzyzx/);
  });

  it('names a run by its id, and is an execution where one is started', () => {
    const run = '3f6f1b0e-6a39-4c5a-9c3a-1f8f0f6f2a11';
    expect(rowOf({ url: `/runs/${run}`, route: '/runs/:id' })).toMatchObject({ action: 'R', resource_id: run });
    expect(rowOf({ url: '/runs', route: '/runs', method: 'POST', status: 202 })?.action).toBe('E');
  });

  it.each(['/fhir/R4//Patient/17', '/fhir/R4/Patient//17', '/fhir/R4/%50atient/17', '/fhir/R4/Patient/17/'])(
    'names the Patient that is served under %s, so that nobody reads unaccounted',
    (url) => {
      expect(rowOf({ url })).toMatchObject({ action: 'R', interaction: 'read', resource_id: '17', subject_id: '17' });
    },
  );

  it('names what an entry reads however it spells the base, so that nobody reads unaccounted in a Bundle', () => {
    const base = 'http://127.0.0.1:8080/fhir/R4';
    const urls = [`${base}/Patient/17`, '/Patient/17', 'Patient/17'];
    const entry = urls.map((url) => ({ request: { method: 'GET', url } }));
    const answered: Bundle = {
      resourceType: 'Bundle',
      type: 'batch-response',
      entry: urls.map(() => ({ response: { status: '200' } })),
    };
    const entries = entryAccesses({ resourceType: 'Bundle', type: 'batch', entry }, answered, base);
    const rows = accessRows({ ...usual, method: 'POST', url: '/fhir/R4', route: '/fhir/R4/', entries }, frame);
    expect(rows.map(({ interaction, subject_id }) => [interaction, subject_id])).toEqual(
      urls.map(() => ['read', '17']),
    );
  });

  it('is left to the prediction log where a prediction came of $predict, and only there', () => {
    const url = '/fhir/R4/Patient/17/$predict';
    const call = { url, route: '/fhir/R4/Patient/:id/$predict', method: 'POST' };
    expect(accessRows({ ...usual, ...call }, frame)).toEqual([]);
    expect(accessRows({ ...usual, ...call, status: 422, errorCode: 'ABSTAINED' }, frame)).toEqual([]);
    expect(rowOf({ ...call, status: 422, errorCode: 'SUBJECT_FOREIGN' })).toMatchObject({
      action: 'E',
      interaction: 'operation',
      fhir_base: 'https://ehr.example/fhir',
    });
  });

  it.each(['/health/live', '/metrics', '/fhir/R4/metadata', '/models/prevent-base', '/.well-known/jwks.json'])(
    'does not exist of %s, which is about nobody, unless it was refused',
    (url) => {
      expect(accessRows({ ...usual, url, route: url }, frame)).toEqual([]);
      expect(accessRows({ ...usual, url, route: url, status: 401 }, frame)).toHaveLength(1);
    },
  );
});
