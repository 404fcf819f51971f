import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canariesIn, canary, canaryPatient, canaryPattern } from '../support/canary.ts';
import { captureLog } from '../support/captured-log.ts';
import { callHook, cardPrediction, fullPrefetch, patientView } from '../support/cds-call.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PredictCall, predictOverHttp } from '../support/predict-call.ts';
import { reportRecord, reportResources } from '../support/report-record.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { strictR4Issues } from '../support/strict-r4.ts';
import { transactionOf } from '../support/transaction-of.ts';

const log = captureLog('debug');
const record = canaryPatient('one');
/** Where they may stand: the FHIR store itself. */
const mayHold = ['resources', 'resource_versions'];
/** What stood in the tables when asynchronous requests had just been taken. */
const whileWaiting: string[] = [];
const errors: { readonly asked: string; readonly answer: Answer }[] = [];
/** Answers to reviews of a report. */
const reviewed: Answer[] = [];
let folder: string;
let server: StartedFhirsight;

async function call(
  method: string,
  where: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await send(where.startsWith('http') ? where : `${server.url}${where}`, method, body, headers);
  if (answer.status >= 400)
    errors.push({ asked: `${where} ${JSON.stringify(body)} ${JSON.stringify(headers)}`, answer });
  return answer;
}

beforeAll(async () => {
  // What it knows is read now: it takes so long that the server would give up its idle connections meanwhile.
  strictR4Issues({ resourceType: 'Basic', code: { text: 'x' } });
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-canary-'));
  server = await startFhirsight({
    settings: {
      VALUES_KEY: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      AUDIT_FILE: path.join(folder, 'audit.ndjson'),
      LOG_LEVEL: 'debug',
    },
    logger: log.logger,
  });
  await everyEntrance();
}, 120_000);
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Good and bad calls at every entrance, with canaries wherever a caller can put a word. */
async function everyEntrance(): Promise<void> {
  const stored = await call('POST', '/fhir/R4', transactionOf(record, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
  const secret = {
    Authorization: `Bearer ${canary.token}`,
    Cookie: canary.token,
    'X-Request-Id': `${canary.header} x`,
  };
  for (const where of [
    `Patient?name=${canary.family}`,
    `Patient?identifier=${canary.identifier}`,
    `Patient?${canary.url}=1`,
    `Patient?birthdate=${canary.url}`,
    `Observation?patient=one&code=${canary.url}`,
    `Patient/${canary.url}%20x`,
    `Patient/${canary.url}`,
    `Patient/one/_history/${canary.url}`,
    `${canary.url}/1`,
    `AuditEvent?patient=${canary.url} x`,
    `AuditEvent/${canary.url}`,
    `Patient/one?_format=${canary.url}`,
    'Patient/one',
  ])
    await call('GET', `/fhir/R4/${where}`, undefined, { ...secret, 'If-None-Match': canary.header });
  await call('POST', '/fhir/R4/Patient/_search', `name=${canary.given}&_count=5`, {
    'Content-Type': 'application/x-www-form-urlencoded',
  });
  for (const [method, where, body, headers] of [
    ['POST', '/fhir/R4/Patient', { resourceType: 'Patient', [canary.body]: 1, birthDate: canary.body }, {}],
    ['POST', '/fhir/R4/Patient', `{"resourceType":"Patient","id":"${canary.body}`, {}],
    ['POST', '/fhir/R4/Patient', '{}', { 'Content-Type': `text/${canary.header}` }],
    ['POST', '/fhir/R4/Patient', { resourceType: 'Patient' }, { 'If-None-Exist': `${canary.header}=1` }],
    ['PUT', `/fhir/R4/Patient/${canary.url}x`, { resourceType: 'Patient', id: canary.body }, {}],
    ['PUT', '/fhir/R4/Patient/one', { resourceType: 'Patient', id: 'one' }, { 'If-Match': canary.header }],
    ['DELETE', `/fhir/R4/Patient/${canary.url}%20x`, undefined, {}],
    ['POST', '/fhir/R4/Patient/$predict', { resourceType: canary.body }, {}],
    ['POST', `/fhir/R4/Patient/one/$predict?${canary.url}=1`, undefined, {}],
    [
      'POST',
      '/fhir/R4/Patient/one/$predict',
      { resourceType: 'Parameters', parameter: [{ name: canary.body, valueString: canary.body }] },
      {},
    ],
    ['POST', `/fhir/R4/Patient/one/$${canary.url}`, {}, {}],
    ['POST', `/cds-services/${canary.url}`, {}, { 'Content-Type': 'application/json' }],
    ['POST', '/cds-services/prevent-base', { hook: canary.body }, { 'Content-Type': 'application/json' }],
    ['GET', `/models/${canary.url}`, undefined, {}],
    ['GET', `/runs/${canary.url}`, undefined, {}],
    ['GET', `/runs?state=${canary.url}`, undefined, {}],
    [
      'POST',
      '/runs',
      { model: canary.body, cohort: canary.body, [canary.body]: 1 },
      { 'Content-Type': 'application/json' },
    ],
    ['GET', `/deliveries?state=${canary.url}`, undefined, {}],
    ['POST', `/deliveries/redrive`, { [canary.body]: canary.body }, { 'Content-Type': 'application/json' }],
    ['POST', '/admin/models/reload', undefined, secret],
    ['POST', `/admin/subjects/forget`, { patient: canary.body }, { ...secret, 'Content-Type': 'application/json' }],
    ['GET', `/${canary.url}`, undefined, secret],
    ['GET', `/v2/models/${canary.url}`, undefined, secret],
  ] as const)
    await call(method, where, body, headers).catch(() => undefined);
  const calls: readonly PredictCall[] = [
    { model: 'prevent-base', writeBack: true },
    { model: canary.body },
    { model: 'prevent-base', asOf: canary.body },
    { model: 'prevent-base', encounter: `${canary.body} x` },
    { model: 'prevent-base', inputs: { [canary.body]: 1 } },
    { model: 'prevent-base', inputs: { sex: canary.body } },
    { model: 'prevent-base', inputs: { totalCholesterol: canary.cholesterol } },
    { model: 'prevent-base', resources: canaryPatient('two') },
  ];
  for (const asked of calls)
    await predictOverHttp(server.fhir, 'one', asked).then((answer) => {
      if (answer.status >= 400) errors.push({ asked: JSON.stringify(asked), answer });
    });
  const searched = { model: 'prevent-base', cohort: { search: `Patient?identifier=${canary.body}` } };
  for (const [times, status] of [202, 200].entries()) {
    const run = await call('POST', '/runs', searched, {
      'Content-Type': 'application/json',
      'Idempotency-Key': canary.header,
    });
    expect(run.status, `${times}: ${run.text}`).toBe(status);
  }
  const resources = canaryPatient('one').map((resource) => ({ name: 'resource', resource }));
  const asked = {
    resourceType: 'Parameters',
    parameter: [{ name: 'model', valueString: 'prevent-base' }, ...resources],
  };
  for (let times = 0; times < 3; times += 1) {
    const taken = await call('POST', '/fhir/R4/Patient/one/$predict', asked, { Prefer: 'respond-async' });
    expect(taken.status, taken.text).toBe(202);
  }
  whileWaiting.push(...(await canariesIn(server.house.database, mayHold)));
  const hook = { patient: 'one', prefetch: fullPrefetch(record) };
  const shown = await callHook(server.url, 'prevent-base', patientView(hook));
  await call(
    'POST',
    '/cds-services/prevent-base/feedback',
    {
      feedback: [
        {
          card: cardPrediction(shown) && shown.body.cards[0].uuid,
          outcome: 'overridden',
          outcomeTimestamp: '2026-03-01T12:00:00Z',
          overrideReason: {
            reason: { system: 'urn:x:reasons', code: 'r1', display: canary.comment },
            userComment: canary.comment,
          },
        },
      ],
    },
    { 'Content-Type': 'application/json' },
  );
  const made = reportRecord('a', { subjectId: 'one', fhirBase: server.fhir });
  const { resource: report } = await server.house.prediction.writeResult(made, reportResources(made));
  const verdict = { name: 'verdict', valueCode: 'rejected' };
  const reviewer = { name: 'reviewer', valueReference: { reference: 'Practitioner/17', display: canary.family } };
  for (const [parameter, headers] of [
    [[verdict, reviewer, { name: 'comment', valueString: canary.comment }], { 'If-Match': 'W/"1"' }],
    [[verdict, reviewer, { name: 'comment', valueString: canary.comment }], { 'If-Match': `W/"${canary.header}"` }],
    [[verdict, reviewer, { name: canary.body, valueString: canary.comment }], { 'If-Match': 'W/"2"' }],
    [[{ name: 'verdict', valueCode: canary.body }, reviewer], { 'If-Match': 'W/"2"' }],
    [[verdict, { name: 'reviewer', valueReference: { reference: `${canary.body} x` } }], { 'If-Match': 'W/"2"' }],
  ] as const)
    reviewed.push(
      await call(
        'POST',
        `/fhir/R4/DiagnosticReport/${report?.id}/$review`,
        { resourceType: 'Parameters', parameter },
        headers,
      ),
    );
  for (const body of [
    patientView({ ...hook, token: canary.token, fhirServer: `https://elsewhere.example/${canary.url}`, prefetch: {} }),
    patientView({ ...hook, token: canary.token, fhirServer: server.fhir, prefetch: {} }),
    patientView({ ...hook, user: `${canary.body} x` }),
    patientView({ ...hook, patient: `${canary.body} x` }),
    patientView({ ...hook, prefetch: { patient: { resourceType: 'Patient', [canary.body]: canary.body } } }),
  ])
    await call('POST', '/cds-services/prevent-base', body, { 'Content-Type': 'application/json' });
}

describe('a canary in names, values, tokens, bodies, headers and URLs', () => {
  it('had its turn at every entrance', () => {
    expect(errors.length).toBeGreaterThan(35);
    expect(
      errors.filter(({ answer }) => answer.status >= 500).map(({ asked, answer }) => [asked, answer.text]),
    ).toEqual([]);
  });

  it('stands in no log line', () => {
    expect(log.text().length).toBeGreaterThan(5_000);
    expect(log.lines().filter((line) => canaryPattern.test(JSON.stringify(line)))).toEqual([]);
  });

  it('stands in no metric', async () => {
    const response = await fetch(`${server.url}/metrics`);
    expect((await response.text()).split('\n').filter((line) => canaryPattern.test(line))).toEqual([]);
  });

  it('stands in no answer to a caller that did not send it in that very call', () => {
    for (const { asked, answer } of errors) {
      const words = answer.text.match(/zqcanary[a-z0-9]*|217\.3918\d*/gi) ?? [];
      expect(words.filter((word) => !decodeURIComponent(asked).includes(word))).toEqual([]);
    }
    expect(errors.map(({ answer }) => answer.text).join()).not.toContain(canary.token.slice(0, 13));
  });

  it('stands in no column of the database but those of the FHIR store', async () => {
    expect(whileWaiting).toEqual([]);
    expect(await canariesIn(server.house.database, mayHold)).toEqual([]);
  });

  it('was kept where somebody may read it again: the search of a run, and what a clinician wrote', async () => {
    const runs = await call('GET', '/runs');
    expect(runs.text).toContain(canary.body);
    const answers = await call('GET', '/cds-feedback?from=2026-03-01&to=2026-03-02&format=ndjson&comments=include');
    expect(answers.text.split(canary.comment)).toHaveLength(3);
  });

  it('stands in no report that was reviewed with it, and is given to whoever may read comments', async () => {
    expect(reviewed.map(({ status }) => status)).toEqual([200, 412, 400, 400, 400]);
    expect(reviewed[0]?.text).not.toMatch(canaryPattern);
    const year = new Date().getUTCFullYear();
    const period = `from=${year - 1}-01-01&to=${year + 1}-12-31`;
    const found = await call('GET', `/cds-feedback?of=reports&${period}&comments=include`);
    expect(found.text).toContain(canary.comment);
  });

  it('stands in no line of AUDIT_FILE, which has every event', async () => {
    const answered = await call('GET', '/fhir/R4/AuditEvent?_count=1000');
    const ids = ((answered.body as Bundle).entry ?? []).map(({ resource }) => resource?.id ?? '');
    const file = path.join(folder, 'audit.ndjson');
    await expect.poll(() => readFile(file, 'utf8'), { timeout: 20_000 }).toContain(ids.at(0) ?? '-');
    const text = await readFile(file, 'utf8');
    expect(ids.filter((id) => !text.includes(id))).toEqual([]);
    expect(canaryPattern.test(text)).toBe(false);
  });
});

describe('AUD-1: the same calls as AuditEvents', () => {
  async function search(query: string): Promise<AuditEvent[]> {
    const answer = await call('GET', `/fhir/R4/AuditEvent?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return ((answer.body as Bundle).entry ?? []).map(({ resource }) => resource as AuditEvent);
  }

  it('are valid R4, reads, writes, searches and predictions alike', async () => {
    const events = await search('_count=1000');
    expect(new Set(events.map(({ action }) => action))).toEqual(new Set(['C', 'R', 'U', 'D', 'E']));
    for (const event of events) {
      expect(strictR4Issues(event).filter(({ severity }) => severity === 'error')).toEqual([]);
      // All at once may take so long that the server, in the same process, gives up the connection that is used next.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('say who read which resource of whom', async () => {
    const [event] = await search('patient=one&action=R&subtype=read&outcome=0');
    expect(event).toMatchObject({
      type: { code: 'rest' },
      subtype: [{ code: 'read' }],
      agent: [
        { type: { coding: [{ code: '110152' }] }, requestor: true },
        { type: { coding: [{ code: '110153' }] }, requestor: false },
      ],
      source: { observer: { identifier: { value: server.fhir } } },
      outcome: '0',
    });
    expect(event?.entity?.map(({ what }) => what?.reference).filter((one) => one !== undefined)).toEqual([
      'Patient/one',
      'Patient/one',
    ]);
  });

  it('have a search as its parameters without their values, in base64', async () => {
    const [event] = await search('subtype=search-type&patient=one');
    const query = event?.entity?.find(({ role }) => role?.code === '24')?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe('Observation?patient=Patient/one&code');
  });

  it('have denials with outcome 4 and their reason', async () => {
    const denied = (await search('outcome=4&_count=1000')).filter(({ outcomeDesc }) => outcomeDesc?.startsWith('401'));
    expect(denied.map(({ outcomeDesc }) => outcomeDesc)).toContain('401: UNAUTHENTICATED');
    expect(denied.every(({ agent }) => agent?.[0]?.name === 'unidentified')).toBe(true);
  });
});

describe('forgetting the patient', () => {
  const forget = async (confirmed: boolean, of?: string) => {
    const answer = await send(
      `${server.url}/admin/subjects/forget`,
      'POST',
      { patient: 'one', confirmed, ...(of !== undefined && { server: of }) },
      { 'Content-Type': 'application/json', Authorization: `Bearer ${server.house.adminToken}` },
    );
    expect(answer.status, answer.text).toBe(200);
    return answer.body as { removed: Record<string, number>; stays: { where: string; rows: number }[] };
  };

  it('first says what would go, and removes nothing', async () => {
    const { removed, stays } = await forget(false);
    expect(Object.keys(removed)).toEqual(
      expect.arrayContaining(['prediction_values', 'report_reviews', 'outcomes', 'resource_versions', 'resources']),
    );
    expect(stays.map(({ where }) => where)).toEqual([
      'prediction_log',
      'prediction_log (records of callers)',
      'access_log',
    ]);
    expect((await call('GET', '/fhir/R4/Patient/one')).status).toBe(200);
  });

  it('then removes the record, its versions, the results, the values and the comments', async () => {
    await forget(true);
    for (const place of ['Patient/one', 'Patient/one/_history/1', 'Observation/one-cholesterol'])
      expect((await call('GET', `/fhir/R4/${place}`)).status).toBe(404);
    const results = await call('GET', '/fhir/R4/RiskAssessment?patient=one');
    expect((results.body as Bundle).entry ?? []).toEqual([]);
    const ofCaller = await forget(true, 'urn:fhirsight:caller');
    expect(ofCaller.removed).toMatchObject({ 'cds_feedback (words)': 1 });
    expect(await canariesIn(server.house.database, [])).toEqual([]);
  });

  it('finds nothing the second time, and is accounted for', async () => {
    expect((await forget(true)).removed).toEqual({});
    await expect
      .poll(
        async () => (await call('GET', '/fhir/R4/AuditEvent?patient=one&action=D&outcome=0')).body.entry?.length ?? 0,
      )

      .toBe(2);
  });
});
