import type {
  AuditEvent,
  Bundle,
  CapabilityStatement,
  DiagnosticReport,
  OperationOutcome,
  Parameters,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type GuardedFhirsight, startGuardedFhirsight } from '../support/guarded-fhirsight.ts';
import { reportRecord, reportResources } from '../support/report-record.ts';
import { signToken, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let issuer: TokenIssuer;
let server: GuardedFhirsight;
/** Of the reader of a reading room. */
let reader: string;
let report: DiagnosticReport & { id: string };
let studies = 0;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  const client = (clientId: string, role: string) => ({ issuer: issuer.issuer, clientId, roles: [role] });
  server = await startGuardedFhirsight({
    issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri }],
    clients: [client('reading-room', 'reviewer'), client('dashboard', 'caller'), client('privacy', 'auditor')],
  });
  reader = await token();
});
afterAll(async () => {
  await server?.close();
  await issuer?.close();
});
beforeEach(async () => {
  report = await predict(reportRecord('a', at(0)));
});

const at = (minute: number, focus = `ImagingStudy/of-test-${++studies}`): Partial<OutcomeRecord> => ({
  focus,
  asOf: new Date(Date.UTC(2026, 2, 1, 9, minute)),
  computedAt: new Date(Date.UTC(2026, 2, 1, 12, 0, minute)),
});

/** As a prediction with writeBack stores its report. */
async function predict(record: OutcomeRecord): Promise<DiagnosticReport & { id: string }> {
  const { resource } = await server.house.prediction.writeResult(record, reportResources(record));
  return resource as DiagnosticReport & { id: string };
}

function token(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: issuer.issuer,
    aud: server.fhir,
    client_id: 'reading-room',
    sub: 'reader',
    scope: 'user/DiagnosticReport.rus openid fhirUser',
    fhirUser: `${server.fhir}/Practitioner/17`,
    iat: now - 10,
    exp: now + 300,
    ...changes,
  };
  return signToken(issuer.rsa, claims);
}

interface Call {
  readonly as?: string;
  readonly ifMatch?: string | null;
  readonly id?: string;
  readonly method?: string;
  readonly query?: string;
  readonly comment?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function review(
  verdict: string,
  { as = reader, ifMatch = 'W/"1"', id = report.id, ...call }: Call = {},
): Promise<Answer> {
  const { method = 'POST', query = '', comment, headers = {} } = call;
  const body: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'verdict', valueCode: verdict },
      ...(comment === undefined ? [] : [{ name: 'comment', valueString: comment }]),
    ],
  };
  return send(`${server.fhir}/DiagnosticReport/${id}/$review${query}`, method, method === 'POST' ? body : undefined, {
    ...headers,
    ...(as === '' ? {} : { Authorization: `Bearer ${as}` }),
    ...(ifMatch === null ? {} : { 'If-Match': ifMatch }),
  });
}

async function read<Kind>(path: string, as = reader): Promise<Kind> {
  const { status, body, text } = await send(`${server.fhir}/${path}`, 'GET', undefined, {
    Authorization: `Bearer ${as}`,
  });
  expect(status, text).toBe(200);
  return body;
}

const saidOf = ({ body }: Answer) => (body as OperationOutcome).issue[0]?.diagnostics ?? '';

describe('$review over HTTP', () => {
  it('DR-1 DR-6 OP-32: answers the confirmed report with its ETag and Location, and the store holds that version', async () => {
    const answer = await review('confirmed', { comment: 'I see it too.' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('ETag')).toBe('W/"2"');
    expect(answer.headers.get('Location')).toBe(`${server.fhir}/DiagnosticReport/${report.id}/_history/2`);
    expect(answer.body).toMatchObject({
      status: 'final',
      resultsInterpreter: [{ reference: 'Practitioner/17' }],
      conclusion: expect.stringMatching(/^AI result, read and confirmed by Practitioner\/17 on /),
    });
    expect(answer.text).not.toContain('I see it too.');
    expect(checkResource(answer.body)).toEqual([]);
    expect(await read(`DiagnosticReport/${report.id}`)).toEqual(answer.body);
  });

  it('is the same once more, when the answer was lost', async () => {
    const first = await review('rejected');
    expect(first.body).toMatchObject({ status: 'entered-in-error' });
    const again = await review('rejected');
    expect([again.status, again.body]).toEqual([200, first.body]);
    const minimal = await review('rejected', { headers: { Prefer: 'return=minimal' } });
    expect([minimal.status, minimal.text]).toEqual([200, '']);
  });

  it('AUD-1: stands in the account of who did what, with the person, the report and the patient', async () => {
    const { status } = await review('confirmed');
    expect(status).toBe(200);
    const auditor = await token({ client_id: 'privacy', scope: '' });
    const events = await read<Bundle<AuditEvent>>(`AuditEvent?entity=DiagnosticReport/${report.id}`, auditor);
    const [event] = (events.entry ?? []).flatMap(({ resource }) => resource ?? []);
    expect(event).toMatchObject({
      action: 'E',
      outcome: '0',
      agent: expect.arrayContaining([
        expect.objectContaining({ who: { reference: 'Practitioner/17' }, requestor: true }),
      ]),
    });
    expect(JSON.stringify(event?.entity)).toContain('Patient/1');
    expect(checkResource(event as AuditEvent)).toEqual([]);
  });

  it('428 without If-Match, 412 with a version that is not the current one, 400 with what is none', async () => {
    const without = await review('confirmed', { ifMatch: null });
    expect([without.status, (without.body as OperationOutcome).issue[0]?.code]).toEqual([428, 'required']);
    expect((await review('confirmed', { ifMatch: 'W/"7"' })).status).toBe(412);
    expect((await review('confirmed', { ifMatch: '*' })).status).toBe(400);
    expect(await read(`DiagnosticReport/${report.id}`)).toMatchObject({ status: 'preliminary' });
  });

  it('409 where a verdict stands that this one may not follow, and where somebody changed the report', async () => {
    expect((await review('confirmed')).status).toBe(200);
    const other = await token({ fhirUser: 'Practitioner/18' });
    const second = await review('confirmed', { as: other, ifMatch: 'W/"2"' });
    expect([second.status, saidOf(second)]).toEqual([409, expect.stringContaining('can only be rejected')]);
    const changed = await predict(reportRecord('a', at(1)));
    const { status, text } = await send(
      `${server.fhir}/DiagnosticReport/${changed.id}`,
      'PUT',
      { ...changed, conclusion: 'All is well.' },
      { Authorization: `Bearer ${reader}`, 'If-Match': 'W/"1"' },
    );
    expect(status, text).toBe(200);
    expect((await review('confirmed', { id: changed.id, ifMatch: 'W/"2"' })).status).toBe(409);
  });

  it('404 where there is no such report, 410 where it was deleted, 422 where no model of this server made it', async () => {
    for (const id of ['nowhere', 'not_an_id']) expect((await review('confirmed', { id })).status).toBe(404);
    const { repository } = server.house;
    await repository.deleteResource('DiagnosticReport', report.id);
    expect((await review('confirmed', { ifMatch: 'W/"2"' })).status).toBe(410);
    const theirs: DiagnosticReport = { resourceType: 'DiagnosticReport', status: 'final', code: { text: 'x' } };
    const { id } = await repository.createResource(theirs);
    const answer = await review('confirmed', { id: id ?? '' });
    expect([answer.status, saidOf(answer)]).toEqual([422, expect.stringContaining('no report of a model')]);
  });

  it('OP-6 OP-8 OP-9: takes POST with Parameters in the body, and no other', async () => {
    const get = await review('confirmed', { method: 'GET' });
    expect([get.status, get.headers.get('Allow')]).toEqual([405, 'POST']);
    expect((await review('confirmed', { query: '?verdict=confirmed' })).status).toBe(400);
    expect((await review('maybe')).status).toBe(400);
    const url = `${server.fhir}/DiagnosticReport/${report.id}/$review`;
    const headers = { Authorization: `Bearer ${reader}`, 'If-Match': 'W/"1"' };
    for (const body of [undefined, report]) expect((await send(url, 'POST', body, headers)).status).toBe(400);
  });

  it('SM-12: nobody without a token, without the role, without a person, or without the scopes reviews; nor for somebody else', async () => {
    const before = await server.rows();
    const refused = {
      401: [''],
      403: await Promise.all(
        [
          { client_id: 'dashboard', scope: 'user/*.cruds' },
          { fhirUser: undefined },
          { fhirUser: 'Patient/1' },
          { scope: 'user/DiagnosticReport.rs' },
          { scope: 'user/DiagnosticReport.u' },
          { scope: 'patient/DiagnosticReport.cruds', patient: '1' },
          { scope: 'fhirsight/reports.review' },
        ].map(token),
      ),
    };
    for (const [status, tokens] of Object.entries(refused))
      for (const as of tokens) expect((await review('confirmed', { as })).status).toBe(Number(status));
    const named = await send(
      `${server.fhir}/DiagnosticReport/${report.id}/$review`,
      'POST',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'verdict', valueCode: 'confirmed' },
          { name: 'reviewer', valueReference: { reference: 'Practitioner/18' } },
        ],
      },
      { Authorization: `Bearer ${reader}`, 'If-Match': 'W/"1"' },
    );
    expect([named.status, saidOf(named)]).toEqual([403, expect.stringContaining('nobody reviews for somebody else')]);
    expect(await server.rows()).toEqual(before);
  });

  it('OP-13: stands in the CapabilityStatement with a definition that can be read', async () => {
    const statement = await read<CapabilityStatement>('metadata');
    const offered = statement.rest?.[0]?.resource?.find(({ type }) => type === 'DiagnosticReport')?.operation;
    expect(offered).toEqual([{ name: 'review', definition: 'https://fhirsight.org/fhir/OperationDefinition/review' }]);
    expect(await read('OperationDefinition/review')).toMatchObject({
      code: 'review',
      instance: true,
      affectsState: true,
    });
  });
});
