import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FeedbackDesk, feedbackRoutes } from '../../../src/entrances/feedback/feedback-routes.ts';
import { anyone, type Role } from '../../../src/http/principal.ts';
import { requestContext } from '../../../src/http/request-context.ts';
import { suggestionUuid } from '../../../src/model-catalog/cds-cards/suggestion-uuid.ts';
import { type CdsFeedback, readFeedback, storeFeedback } from '../../../src/monitoring/cds-feedback.ts';
import { readFeedbackRates } from '../../../src/monitoring/feedback-rates.ts';
import { readReviewRates, readReviews } from '../../../src/monitoring/report-reviews.ts';
import { sealText } from '../../../src/platform/sealed-text.ts';
import { reviewCommentPlace } from '../../../src/prediction/review-comment-place.ts';
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
  reviews: (period, count, after) =>
    readReviews(server.database, { tenant: 'test', cipher: testCipher }, period, { count, after }),
  reviewRates: (period) => readReviewRates(server.database, 'test', period),
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
/** What people found of reports of one model version: r1 was confirmed and then rejected. */
const found = [
  ['r1', 2, 'confirmed', '2026-03-02T09:00:00Z', 'As Mrs Example has it.'],
  ['r2', 2, 'rejected', '2026-03-02T10:00:00Z', null],
  ['r1', 3, 'rejected', '2026-03-02T11:00:00Z', null],
  ['r3', 2, 'confirmed', '2026-03-02T12:00:00Z', null],
  ['r4', 2, 'confirmed', '2026-03-04T12:00:00Z', null],
] as const;
beforeAll(async () => {
  for (const [reportId, version, verdict, at, comment] of found)
    await server.database.query(
      `insert into report_reviews (tenant, report_id, version, read_version, verdict, reviewer, reviewed_at, user_comment, result,
         fhir_base, subject_id, model_id, model_version, model_digest)
       values ('test', $1, $2, 1, $3, 'Practitioner/7', $4, $5, $6, 'https://ehr.example/fhir', '17', 'chest-phantom', '1.0.0', 'd')`,
      [
        reportId,
        version,
        verdict,
        new Date(at),
        comment === null
          ? null
          : sealText(comment, reviewCommentPlace({ tenant: 'test', reportId, version }), testCipher),
        `result of ${reportId}`,
      ],
    );
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

  it('gives what people found of reports in the same columns, and what they wrote to whoever may read comments', async () => {
    const { text, headers } = await read(`?${day}&of=reports`);
    expect(headers.get('content-disposition')).toContain('report-reviews.ndjson');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ outcome, result }) => [outcome, result])).toEqual([
      ['confirmed', 'result of r1'],
      ['rejected', 'result of r2'],
      ['rejected', 'result of r1'],
      ['confirmed', 'result of r3'],
    ]);
    expect(lines[0]).toEqual({
      intervention: 'chest-phantom 1.0.0 (report)',
      action_taken: 'confirmed',
      user: 'Practitioner/7',
      date: '2026-03-02T09:00:00.000Z',
      location: 'https://ehr.example/fhir',
      model: 'chest-phantom',
      version: '1.0.0',
      digest: 'd',
      result: 'result of r1',
      outcome: 'confirmed',
      received: '2026-03-02T09:00:00.000Z',
    });
    const commented = await read(`?${day}&of=reports&format=csv&comments=include`);
    expect(commented.text.split('\r\n')[1]).toMatch(/,As Mrs Example has it\.$/);
    roles = new Set<Role>(['operator']);
    expect((await read(`?${day}&of=reports&comments=include`)).status).toBe(403);
    roles = anyone.roles;
  });

  it('counts reviews by model version beside the answers to cards; of two verdicts on one prediction the later', async () => {
    const { text } = await read(`/rates?${day}`);
    expect(JSON.parse(text).reports).toEqual([
      { model: 'chest-phantom', version: '1.0.0', reviewed: 3, confirmed: 1, rejected: 2, confirmationRate: 1 / 3 },
    ]);
  });

  it('pages through reviews behind the last one', async () => {
    const period = { from: new Date('2026-03-02T00:00:00Z'), to: new Date('2026-03-05T00:00:00Z') };
    const first = await desk.reviews(period, 2);
    const second = await desk.reviews(period, 9, first.at(-1));
    expect([...first, ...second].map(({ reportId, version }) => [reportId, version])).toEqual(
      found.map(([reportId, version]) => [reportId, version]),
    );
  });

  it.each([
    '',
    `?${day}&of=everything`,
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
