import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FeedbackDesk, feedbackRoutes } from '../../../src/entrances/feedback/feedback-routes.ts';
import { anyone, type Role } from '../../../src/http/principal.ts';
import { requestContext } from '../../../src/http/request-context.ts';
import { suggestionUuid } from '../../../src/model-catalog/cds-cards/suggestion-uuid.ts';
import { type CdsFeedback, readFeedback, storeFeedback } from '../../../src/monitoring/cds-feedback.ts';
import { readFeedbackRates } from '../../../src/monitoring/feedback-rates.ts';
import { type FhirTestServer, send, startFhirTestServer } from '../../support/fhir-test-server.ts';
import { testCipher } from '../../support/test-cipher.ts';

let server: FhirTestServer;
/** Who asks. */
let roles: ReadonlySet<Role> = anyone.roles;
const receivedAt = new Date('2026-03-02T10:00:00Z');
const shown = randomUUID();

const desk: FeedbackDesk = {
  page: (period, count, after) =>
    readFeedback(server.database, { tenant: 'test', cipher: testCipher }, period, { count, after }),
  rates: (period) => readFeedbackRates(server.database, 'test', period),
  labelOf: ({ digest, choice }) => (digest === 'abc' && choice === 0 ? 'Order a lipid panel' : undefined),
};

function answer(change: Partial<CdsFeedback>): CdsFeedback {
  return {
    card: randomUUID(),
    outcome: 'overridden',
    outcomeAt: new Date('2026-03-02T09:00:00Z'),
    acceptedSuggestions: [],
    ...change,
  };
}

beforeAll(async () => {
  server = await startFhirTestServer({
    routes: [
      {
        path: '/cds-feedback',
        handler: (request, response, next) => {
          requestContext(response).principal = { ...anyone, roles };
          feedbackRoutes(desk, { timeZone: 'UTC' })(request, response, next);
        },
      },
    ],
  });
  await server.database.query(
    `insert into prediction_log (id, tenant, recorded, entrance, request_id, user_ref, service, card, fhir_base, encounter_id,
       model_id, model_version, model_digest, result, state, what_if, total_ms)
     values ($1, 'test', $2, 'cds-hooks', 'r', 'Practitioner/7', 's', $3, 'https://ehr.example/fhir', 'visit', 'prevent-base',
       '1.0.0', 'abc', 'result-1', 'scored', false, 1)`,
    [randomUUID(), receivedAt, shown],
  );
  await storeFeedback(server.database, { tenant: 'test', service: 's', receivedAt, cipher: testCipher }, [
    answer({
      card: shown,
      outcome: 'accepted',
      acceptedSuggestions: [suggestionUuid(shown, 0), suggestionUuid(shown, 1)],
    }),
    answer({
      outcomeAt: new Date('2026-03-02T09:30:00Z'),
      reason: { system: 'https://hospital.example/reasons', code: 'x', display: '=HYPERLINK("https://evil.example")' },
      comment: '@Mrs Example said no, "twice"',
    }),
  ]);
});
afterAll(() => server.close());

async function read(query: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(`${server.origin}/cds-feedback${query}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const day = 'from=2026-03-02&to=2026-03-03';

describe('the export of feedback', () => {
  it('DSI-42 gives intervention, action taken, user feedback, user, date and location of each answer as NDJSON', async () => {
    const { status, text, headers } = await read(`?${day}`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const [first, second, ...rest] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      intervention: 'prevent-base 1.0.0 (service s)',
      action_taken: 'accepted: Order a lipid panel; suggestion 2',
      user: 'Practitioner/7',
      date: '2026-03-02T09:00:00.000Z',
      location: 'https://ehr.example/fhir',
      encounter: 'Encounter/visit',
      card: shown,
    });
    expect(second).toMatchObject({ intervention: 's', action_taken: 'overridden', reason_code: 'x' });
    expect(second).not.toHaveProperty('user');
    expect(text).not.toContain('Example said');
  });

  it('DSI-42 gives the same as CSV, in which nothing runs', async () => {
    const { text, headers } = await read(`?${day}&format=csv&comments=include`);
    expect(headers.get('content-type')).toContain('text/csv');
    const [head, , overridden = ''] = text.split('\r\n');
    expect(head).toMatch(/^intervention,action_taken,user_feedback,user,date,location,.*,comment$/);
    expect(overridden).toContain(`,"'=HYPERLINK(""https://evil.example"")",`);
    expect(overridden).toMatch(/,"'@Mrs Example said no, ""twice"""$/);
  });

  it('gives what clinicians wrote to an auditor alone, and nothing to a caller', async () => {
    const statuses = async (role: Role): Promise<number[]> => {
      roles = new Set([role]);
      const queries = [`?${day}`, `?${day}&comments=include`, `/rates?${day}`];
      return await Promise.all(queries.map(async (query) => (await read(query)).status));
    };
    expect({
      auditor: await statuses('auditor'),
      operator: await statuses('operator'),
      'model-owner': await statuses('model-owner'),
      caller: await statuses('caller'),
    }).toEqual({
      auditor: [200, 200, 200],
      operator: [200, 403, 200],
      'model-owner': [200, 403, 200],
      caller: [403, 403, 403],
    });
    roles = anyone.roles;
  });

  it('gives acceptance and override rates', async () => {
    const { text } = await read(`/rates?${day}`);
    expect(JSON.parse(text)).toMatchObject({
      from: '2026-03-02T00:00:00.000Z',
      services: [
        { service: 's', model: 'prevent-base', acceptanceRate: 1, overrideRate: 0 },
        { service: 's', acceptanceRate: 0, overrideRate: 1 },
      ],
    });
  });

  it.each([
    '',
    '?from=2026-03-02',
    '?from=x&to=y',
    '?from=2026-03-03&to=2026-03-02',
    `?${day}&format=xml`,
    `?${day}&user=7`,
  ])('refuses the query %j with what is allowed', async (query) => {
    expect((await read(query)).status).toBe(400);
  });

  it('is read only', async () => {
    expect((await send(`${server.origin}/cds-feedback?${day}`, 'DELETE')).status).toBe(405);
  });
});
