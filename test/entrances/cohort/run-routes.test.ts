import type { Group } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, send } from '../../support/fhir-test-server.ts';
import { predictOverHttp, readOutcomes } from '../../support/predict-call.ts';
import { scorablePatient } from '../../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';
import { ended } from '../../support/test-runs.ts';

const asOf = '2026-03-01T08:00:00Z';
const patients = Array.from({ length: 12 }, (_, index) => `p${String(index).padStart(2, '0')}`);

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ settings: { RUN_CHUNK_SIZE: '10' } });
  const records = patients.flatMap((id, index) =>
    scorablePatient(id, { birthDate: `${1940 + index * 4}-04-05`, identifier: [{ system: 'urn:ward', value: id }] }),
  );
  await server.house.repository.writeAll(records);
  const group: Group = {
    resourceType: 'Group',
    id: 'ward',
    type: 'person',
    actual: true,
    member: ['Patient/p05', 'Patient/p06', 'Patient/nobody', 'http://elsewhere.example.org/fhir/Patient/p07'].map(
      (reference) => ({ entity: { reference } }),
    ),
  };
  await server.house.repository.writeAll([group, { ...group, id: 'part', quantity: 9 }]);
});
afterAll(() => server.close());

const post = (body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  send(`${server.url}/runs`, 'POST', body, headers);
const get = (path: string): Promise<Answer> => send(`${server.url}${path}`);

/** Makes a run and waits for its end. */
async function run(cohort: object, more: object = {}): Promise<Answer['body']> {
  const { status, body, text } = await post({ model: 'prevent-base', cohort, asOf, ...more });
  expect(status, text).toBe(202);
  await ended(server.house.runs, body.id);
  return (await get(`/runs/${body.id}`)).body;
}

describe('POST /runs', () => {
  it('answers 202 with the run and where it is found', async () => {
    const { status, headers, body } = await post({ model: 'prevent-base', cohort: { all: true }, asOf });
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/runs/${body.id}`);
    expect(headers.get('content-type')).toContain('application/json');
    expect(body).toMatchObject({
      model: { id: 'prevent-base', version: '1.0.0' },
      cohort: { all: true },
      asOf: '2026-03-01T08:00:00.000Z',
      writeBack: true,
      explain: true,
    });
    await ended(server.house.runs, body.id);
  });

  it('gives the same run for a repeat with the same Idempotency-Key, and 409 for another request', async () => {
    const body = { model: 'prevent-base', cohort: { search: 'Patient?_id=p05' }, asOf };
    const first = await post(body, { 'Idempotency-Key': 'k-1' });
    const again = await post(body, { 'Idempotency-Key': 'k-1' });
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body.id).toBe(first.body.id);
    const other = await post({ ...body, writeBack: false }, { 'Idempotency-Key': 'k-1' });
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'conflict' }] });
    await ended(server.house.runs, first.body.id);
  });

  it.each([
    ['no object', [], 'JSON object'],
    ['nothing', {}, 'model: missing'],
    ['no cohort', { model: 'prevent-base' }, 'cohort: missing'],
    ['a cohort of two forms', { model: 'prevent-base', cohort: { all: true, group: 'Group/1' } }, 'exactly one of'],
    ['a cohort of none', { model: 'prevent-base', cohort: {} }, 'exactly one of'],
    ['all that is not true', { model: 'prevent-base', cohort: { all: false } }, 'cohort.all: must be true'],
    ['an unknown property', { model: 'prevent-base', cohort: { all: true }, writeback: true }, 'writeback: unknown'],
    ['a flag that is a text', { model: 'prevent-base', cohort: { all: true }, writeBack: 'no' }, 'true or false'],
    ['a year as as-of', { model: 'prevent-base', cohort: { all: true }, asOf: '2026' }, 'asOf: must be a date'],
    [
      'an absolute search',
      { model: 'prevent-base', cohort: { search: 'http://evil.example.org/Patient?a=b' } },
      'must be relative and on Patient',
    ],
    [
      'a search on another type',
      { model: 'prevent-base', cohort: { search: 'Observation?code=1' } },
      'must be relative and on Patient',
    ],
    [
      'a search that climbs',
      { model: 'prevent-base', cohort: { search: 'Patient/../Observation?code=1' } },
      'must be relative',
    ],
    [
      'a search that asks for a page',
      { model: 'prevent-base', cohort: { search: 'Patient?_count=5' } },
      '_count says how',
    ],
    [
      'a search that the store does not know',
      { model: 'prevent-base', cohort: { search: 'Patient?colour=red' } },
      "no search parameter 'colour'",
    ],
    ['a group that is no reference', { model: 'prevent-base', cohort: { group: 'ward' } }, 'Group/[id]'],
    ['a group that lists a part of its members', { model: 'prevent-base', cohort: { group: 'Group/part' } }, 'lists 4'],
  ])('refuses %s with 400, where and what is allowed', async (_what, body, says) => {
    const { status, text, body: outcome } = await post(body);
    expect(status, text).toBe(400);
    expect(outcome.resourceType).toBe('OperationOutcome');
    expect(text).toContain(says);
  });

  it.each([
    [{ model: 'none', cohort: { all: true } }, 404, 'There is no model none'],
    [{ model: 'prevent-base', version: '9.9.9', cohort: { all: true } }, 404, 'There is no model prevent-base@9.9.9'],
    [{ model: 'prevent-base', cohort: { group: 'Group/none' } }, 404, 'There is no Group/none'],
    [{ model: 'prevent-base', cohort: { all: true }, asOf: '2999-01-01' }, 422, 'future'],
  ])('refuses %j with %i', async (body, status, says) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(says);
  });

  it.each(['', 'a b', 'schedule:nightly:x', 'x'.repeat(201)])('refuses the Idempotency-Key %j', async (key) => {
    const answer = await post({ model: 'prevent-base', cohort: { all: true } }, { 'Idempotency-Key': key });
    expect(answer.status).toBe(400);
  });

  it('refuses a body that is no JSON, another Content-Type, and a body of a megabyte', async () => {
    expect((await post('{"model":')).status).toBe(400);
    expect((await post('model=x', { 'Content-Type': 'text/plain' })).status).toBe(415);
    expect((await post({ model: 'x'.repeat(1_000_000) })).status).toBe(413);
  });
});

describe('GET /runs/{id}', () => {
  it('tells what came of it: scored, abstained by reason, failed by code, written, and how fast', async () => {
    const report = await run({ group: 'Group/ward' });
    expect(report).toMatchObject({
      state: 'finished',
      members: 4,
      tally: { pending: 0, scored: 2, written: 2, failed: 2, failedByCode: { SUBJECT_UNKNOWN: 1, SUBJECT_FOREIGN: 1 } },
    });
    expect(report.membersPerSecond).toBeGreaterThan(0);
    const all = await run({ all: true }, { writeBack: false });
    expect(all.tally).toMatchObject({ written: 0, abstainedByReason: { 'not-eligible:age': expect.any(Number) } });
    expect(all.tally.scored + all.tally.abstained).toBe(12);
  });

  it('gives 404 for a run that does not exist', async () => {
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '%27'])
      expect((await get(`/runs/${id}`)).status).toBe(404);
  });

  it.each(['+275760-09-13T00:00:00.000Z', '-271821-04-20T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '2026'])(
    'refuses a page token with the date %s instead of failing on it',
    async (created) => {
      const token = Buffer.from(JSON.stringify([created, '00000000-0000-4000-8000-000000000000'])).toString(
        'base64url',
      );
      const answer = await get(`/runs?_page=${token}`);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('_page is no page')]);
    },
  );

  it('lists runs, the newest first, page by page', async () => {
    const { body: first } = await get('/runs?_count=2');
    expect(first.runs).toHaveLength(2);
    const { body: second } = await get(first.next);
    const { body: whole } = await get('/runs?_count=1000');
    expect([...first.runs, ...second.runs].map(({ id }) => id)).toEqual(
      whole.runs.slice(0, first.runs.length + second.runs.length).map(({ id }: { id: string }) => id),
    );
    const created = whole.runs.map(({ createdAt }: { createdAt: string }) => createdAt);
    expect(created).toEqual(created.toSorted().reverse());
    expect(whole.next).toBeUndefined();
  });
});

describe('GET /runs/{id}/members', () => {
  it('is the list that a care team works through: the highest score first, that of $predict', async () => {
    const { id, tally } = await run({ all: true });
    const { body } = await get(`/runs/${id}/members?sort=-score&state=scored`);
    const scores = body.members.map(({ score }: { score: number }) => score);
    expect(scores).toHaveLength(tally.scored);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
    for (const { subject, score, outcome, resource } of body.members) {
      const answer = await predictOverHttp(server.fhir, subject, { model: 'prevent-base', asOf });
      const same = readOutcomes(answer).get(outcome);
      if (same?.state !== 'score' || !('probability' in same)) throw new Error(`${subject} was not scored`);
      expect(same.probability).toBeCloseTo(score, 12);
      expect((await get(`/fhir/R4/${resource}`)).body.subject.reference).toBe(`Patient/${subject}`);
    }
  });

  it.each(['subject', 'score', '-score'])('gives every member once, page by page, sorted by %s', async (sort) => {
    const { id } = await run({ all: true });
    const whole = await get(`/runs/${id}/members?sort=${sort}&_count=1000`);
    const seen: string[] = [];
    let next: string | undefined = `/runs/${id}/members?sort=${sort}&_count=5`;
    while (next !== undefined) {
      const { status, body }: Answer = await get(next);
      expect(status).toBe(200);
      expect(body.members.length).toBeLessThanOrEqual(5);
      seen.push(...body.members.map(({ subject }: { subject: string }) => subject));
      next = body.next;
    }
    expect(seen).toEqual(whole.body.members.map(({ subject }: { subject: string }) => subject));
    expect(seen.toSorted()).toEqual(patients);
  });

  it('comes as CSV and NDJSON with the same members', async () => {
    const { id } = await run({ group: 'Group/ward' });
    const json = (await get(`/runs/${id}/members?sort=-score`)).body.members;
    const csv = await (await fetch(`${server.url}/runs/${id}/members?sort=-score&format=csv`)).text();
    const lines = csv.trimEnd().split('\r\n');
    expect(lines[0]).toBe('subject,state,score,outcome,band,reasons,result,resource,error,focus');
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(
      json.map(({ subject }: { subject: string }) => subject),
    );
    expect(Number(lines[1]?.split(',')[2])).toBe(json[0].score);
    const answer = await fetch(`${server.url}/runs/${id}/members?sort=-score&format=ndjson`);
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    expect(
      (await answer.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(json);
    const failed = (await get(`/runs/${id}/members?state=failed`)).body.members;
    expect(failed.map(({ error }: { error: { code: string } }) => error.code).sort()).toEqual([
      'SUBJECT_FOREIGN',
      'SUBJECT_UNKNOWN',
    ]);
  });

  it.each([
    ['state=done', 'state must be one of'],
    ['sort=name', 'sort must be one of'],
    ['format=xlsx', 'format must be one of'],
    ['_count=0', '_count must be'],
    ['_count=5&format=csv', '_count is not for csv'],
    ['_page=zzz', '_page is no page'],
    ['sort=subject&_page=WyItc2NvcmUiLCJ4Il0', '_page is no page'],
    ['state=scored&state=failed', 'state may be given once'],
    ['subject=p05', 'subject unknown here'],
  ])('refuses %s', async (query, says) => {
    const { id } = (await get('/runs?_count=1')).body.runs[0];
    const answer = await get(`/runs/${id}/members?${query}`);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(says)]);
  });
});

describe('POST /runs/{id}/cancel and /resume', () => {
  it('answer 409 for a run that is finished, and 404 for one that does not exist', async () => {
    const { id } = await run({ search: 'Patient?_id=p05' });
    for (const action of ['cancel', 'resume']) {
      expect((await send(`${server.url}/runs/${id}/${action}`, 'POST')).status).toBe(409);
      expect((await send(`${server.url}/runs/nothing/${action}`, 'POST')).status).toBe(404);
      const other = await send(`${server.url}/runs/${id}/${action}`);
      expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });
});

describe('other methods', () => {
  it('answer 405 with what is allowed', async () => {
    for (const [path, allow] of [
      ['/runs', 'GET, HEAD, POST'],
      ['/runs/x', 'GET, HEAD'],
      ['/runs/x/members', 'GET, HEAD'],
    ]) {
      const answer = await send(`${server.url}${path}`, 'DELETE');
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    }
  });
});
