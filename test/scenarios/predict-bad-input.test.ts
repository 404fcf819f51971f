import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import type { OperationOutcome, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { casesDir, casesPresent } from '../support/cases.ts';
import { copyModel } from '../support/model-folder.ts';
import { laboratoryResult, privateDetails, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const now = new Date('2026-03-01T10:20:30.400Z');
const model: ParametersParameter = { name: 'model', valueString: 'prevent-base' };

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ clock: { now: () => now } });
  const stored = await fetch(server.fhir, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(
      transactionOf([...scorablePatient('subject'), ...scorablePatient('other')], { fullUrls: false }),
    ),
  });
  expect(stored.status).toBe(200);
});
afterAll(() => server?.close());

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

interface Refused {
  readonly status: number;
  readonly headers: Headers;
  readonly outcome: OperationOutcome;
}

const instance = '/Patient/subject/$predict';

function parameters(...parameter: object[]): string {
  return JSON.stringify({ resourceType: 'Parameters', parameter } as Parameters);
}

function call(sent: Sent): Promise<Response> {
  return fetch(`${server.fhir}${sent.path ?? instance}`, {
    method: sent.method ?? 'POST',
    headers: { ...(sent.body === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...sent.headers },
    ...(sent.body === undefined ? {} : { body: sent.body }),
  });
}

/** Every refusal is an OperationOutcome in FHIR JSON with a request id, and repeats nothing of the record. */
async function refused(sent: Sent): Promise<Refused> {
  const response = await call(sent);
  const text = await response.text();
  expect(response.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
  expect(response.headers.get('x-request-id')).toMatch(/^[\w.-]+$/);
  const outcome = JSON.parse(text) as OperationOutcome;
  expect(outcome.resourceType).toBe('OperationOutcome');
  for (const issue of outcome.issue) {
    expect(issue.severity).toBe('error');
    expect(issue.diagnostics ?? issue.details?.text).toMatch(/\w{3}/);
  }
  for (const detail of Object.values(privateDetails)) expect(text).not.toContain(String(detail));
  expect(text).not.toMatch(/\s+at .*:\d+:\d+/);
  return { status: response.status, headers: response.headers, outcome };
}

async function expectRefusal(
  sent: Sent,
  status: number,
  code: string,
  says: RegExp,
  expression?: string,
): Promise<void> {
  const answer = await refused(sent);
  const [issue] = answer.outcome.issue;
  expect({ status: answer.status, code: issue?.code }).toEqual({ status, code });
  expect(issue?.diagnostics ?? issue?.details?.text).toMatch(says);
  if (expression !== undefined) expect(issue?.expression).toEqual([expression]);
}

async function expectPrediction(): Promise<void> {
  const response = await call({ body: parameters(model) });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ resourceType: 'RiskAssessment' });
}

// Whatever came before, the server still predicts.
afterEach(expectPrediction);

describe('OP-9 bodies that are no request', () => {
  it.each<[string, string, number, string, RegExp]>([
    ['text that is not JSON', '{"resourceType":', 400, 'structure', /not valid JSON/],
    ['nothing but blanks', '  \n ', 400, 'structure', /empty/],
    ['a list', '[]', 400, 'invalid', /takes a Parameters resource/],
    ['null', 'null', 400, 'invalid', /takes a Parameters resource/],
    ['a number', '17', 400, 'invalid', /takes a Parameters resource/],
    ['an object that is no resource', '{}', 400, 'invalid', /not a FHIR resource/],
    ['a resource type that does not exist', '{"resourceType":"Prediction"}', 400, 'invalid', /a Prediction/],
    ['a Patient', JSON.stringify(scorablePatient('subject')[0]), 400, 'invalid', /a Patient/],
    [
      'a Bundle',
      JSON.stringify(transactionOf(scorablePatient('subject'), { fullUrls: false })),
      400,
      'invalid',
      /a Bundle/,
    ],
    ['Parameters without any', '{"resourceType":"Parameters"}', 400, 'required', /model/],
    [
      'Parameters that are no list',
      '{"resourceType":"Parameters","parameter":{}}',
      400,
      'invalid',
      /must|list|array|empty|least/i,
    ],
    [
      'Parameters with an empty list',
      '{"resourceType":"Parameters","parameter":[]}',
      400,
      'invalid',
      /must|list|array|empty|least/i,
    ],
    ['Parameters with an element of its own', '{"resourceType":"Parameters","modell":"x"}', 400, 'structure', /modell/],
  ])('answers %s with OP-20', (_what, body, status, code, says) => expectRefusal({ body }, status, code, says));

  it('OP-7 answers an empty body with what is missing', async () => {
    await expectRefusal({ headers: { 'content-length': '0' } }, 400, 'required', /needs the parameter 'model'/);
  });

  it('answers bytes that are not UTF-8 with 400', async () => {
    const body = Uint8Array.from([...Buffer.from('{"resourceType":"'), 0xff, 0xfe, ...Buffer.from('"}')]);
    await expectRefusal({ body }, 400, 'structure', /UTF-8/);
  });

  it.each(['text/plain', 'application/xml', 'application/fhir+xml', 'application/x-www-form-urlencoded', 'nonsense'])(
    'answers Content-Type %s with 415',
    (type) =>
      expectRefusal(
        { body: parameters(model), headers: { 'content-type': type } },
        415,
        'not-supported',
        /application\/fhir\+json/,
      ),
  );

  it('answers a body for another version of FHIR, or compressed, with 415', async () => {
    const version = { 'content-type': 'application/fhir+json; fhirVersion=5.0' };
    await expectRefusal({ body: parameters(model), headers: version }, 415, 'not-supported', /fhirVersion 4\.0/);
    const encoding = { 'content-encoding': 'gzip' };
    await expectRefusal({ body: parameters(model), headers: encoding }, 415, 'not-supported', /Content-Encoding/);
  });

  it('answers a body of 50 MB with 413, announced or not', async () => {
    const blanks = new Uint8Array(50_000_000).fill(0x20);
    await expectRefusal({ body: blanks }, 413, 'too-long', /MAX_BODY_MB/);
    const answer = await sendInChunks(blanks);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'too-long' }] });
  });

  it('answers deeply nested JSON with 4xx', async () => {
    const depth = 100_000;
    const nested = `{"resourceType":"Parameters","parameter":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const answer = await refused({ body: nested });
    expect(answer.status).toBe(400);
  });
});

describe.skipIf(!casesPresent)('the JSON test suite as bodies', () => {
  const folder = path.join(casesDir, 'hostile/json_test_suite');
  const files = casesPresent ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];

  it.each([
    ['n_', 'must be refused', 100],
    ['y_', 'is JSON but no request', 50],
    ['i_', 'may be either', 20],
  ] as const)('answers every %s*, which %s, with 4xx', async (prefix, _what, atLeast) => {
    const chosen = files.filter((name) => name.startsWith(prefix));
    expect(chosen.length).toBeGreaterThanOrEqual(atLeast);
    const surprising: string[] = [];
    for (const name of chosen) {
      const body = Uint8Array.from(readFileSync(path.join(folder, name)));
      const { status, outcome } = await refused({ body, headers: { 'content-type': 'application/json' } }).catch(
        (cause: unknown) => Promise.reject(new Error(`${name} was not refused as it must be`, { cause })),
      );
      const [issue] = outcome.issue;
      const expected = prefix === 'n_' ? issue?.code === 'structure' || issue?.code === 'required' : true;
      if (status !== 400 || !expected) surprising.push(`${name}: ${status} ${issue?.code}`);
    }
    expect(surprising).toEqual([]);
  });
});

describe('names that are not known', () => {
  it('answers an unknown model or version with 404, naming what is served', async () => {
    const unknown = parameters({ name: 'model', valueString: 'no-such-model' });
    await expectRefusal({ body: unknown }, 404, 'not-found', /no model no-such-model.*prevent-base@1\.0\.0/);
    const version = parameters(model, { name: 'version', valueString: '9.9.9' });
    await expectRefusal({ body: version }, 404, 'not-found', /prevent-base@9\.9\.9/);
  });

  it('OP-3 answers an unknown patient with 404, at instance, type and system level', async () => {
    const nobody = { path: '/Patient/nobody/$predict', body: parameters(model) };
    await expectRefusal(nobody, 404, 'not-found', /no Patient\/nobody/);
    const subject = parameters(model, { name: 'subject', valueString: 'Patient/nobody' });
    for (const path of ['/Patient/$predict', '/$predict'])
      await expectRefusal({ path, body: subject }, 404, 'not-found', /no Patient\/nobody/);
  });

  it('answers an id that is none with 404', async () => {
    const answer = await refused({ path: `/Patient/${'x'.repeat(65)}/$predict`, body: parameters(model) });
    expect(answer.status).toBe(404);
  });

  it('answers an unknown encounter with 404, and one of another patient with 4xx', async () => {
    const unknown = parameters(model, { name: 'encounter', valueString: 'Encounter/none' });
    await expectRefusal({ body: unknown }, 404, 'not-found', /Encounter/);
    const foreign = await refused({
      body: parameters(model, { name: 'encounter', valueString: 'Encounter/other-visit' }),
    });
    expect(foreign.status).toBe(422);
  });

  it.each([
    '/Patient/subject/$predicted',
    '/Observation/x/$predict',
    '/Observation/$predict',
    '/$everything',
    '/Patient/$predict/x',
  ])('answers %s with 404', async (place) => {
    const answer = await refused({ path: place, body: parameters(model) });
    expect(answer.status).toBe(404);
  });

  it('OP-12 answers an unknown parameter with 400 and its place, and lists the known ones', async () => {
    const body = parameters(model, { name: 'modell', valueString: 'x' });
    await expectRefusal({ body }, 400, 'invalid', /no parameter 'modell'; it takes model,/, 'Parameters.parameter[1]');
    const out = parameters(model, { name: 'return', valueString: 'x' });
    await expectRefusal({ body: out }, 400, 'invalid', /no parameter 'return'/, 'Parameters.parameter[1]');
    const nameless = await refused({ body: parameters(model, { valueString: 'x' }) });
    expect(nameless.status).toBe(400);
  });
});

describe('parameters that are not as defined', () => {
  const observation: Resource = laboratoryResult('subject', 'new', '2093-3', 200, 'mg/dL');

  it.each<[string, object[], string, RegExp, string | undefined]>([
    ['no model', [{ name: 'asOf', valueDate: '2026-01-01' }], 'invalid', /asOf/, undefined],
    [
      'a model of the wrong type',
      [{ name: 'model', valueInteger: 1 }],
      'invalid',
      /valueString/,
      'Parameters.parameter[0]',
    ],
    ['a model without a value', [{ name: 'model' }], 'invalid', /exactly one|nothing/, undefined],
    ['two models', [model, model], 'invalid', /1 time/, 'Parameters.parameter'],
    [
      'two writeBack',
      [model, { name: 'writeBack', valueBoolean: true }, { name: 'writeBack', valueBoolean: true }],
      'invalid',
      /writeBack/,
      'Parameters.parameter',
    ],
    [
      'writeBack as text',
      [model, { name: 'writeBack', valueString: 'true' }],
      'invalid',
      /valueBoolean/,
      'Parameters.parameter[1]',
    ],
    [
      'subject at instance level',
      [model, { name: 'subject', valueString: 'Patient/subject' }],
      'invalid',
      /stands in the URL/,
      'Parameters.parameter[1]',
    ],
    [
      'an encounter that is a Patient',
      [model, { name: 'encounter', valueString: 'Patient/subject' }],
      'invalid',
      /Encounter/,
      'Parameters.parameter[1]',
    ],
    [
      'a resource as text',
      [model, { name: 'resource', valueString: 'x' }],
      'invalid',
      /resource/,
      'Parameters.parameter[1]',
    ],
    [
      'an input without parts',
      [model, { name: 'input', valueDecimal: 120 }],
      'invalid',
      /part/,
      'Parameters.parameter[1]',
    ],
  ])('refuses %s with 400', (_what, parameter, code, says, expression) =>
    expectRefusal({ body: parameters(...parameter) }, 400, code, says, expression),
  );

  it('OP-10 refuses two values in one parameter, and a value beside a resource, with 400', async () => {
    const twoValues = await refused({ body: parameters({ ...model, valueInteger: 1 }) });
    expect(twoValues.status).toBe(400);
    const valueAndResource = await refused({
      body: parameters(model, { name: 'resource', valueString: 'x', resource: observation }),
    });
    expect(valueAndResource.status).toBe(400);
    expect(JSON.stringify(valueAndResource.outcome)).toContain('Parameters.parameter[1]');
  });

  it.each(['/Patient/$predict', '/$predict'])(
    'refuses %s without subject, and with a subject elsewhere, with 400',
    async (path) => {
      await expectRefusal({ path, body: parameters(model) }, 400, 'required', /needs the parameter 'subject'/);
      for (const valueString of ['https://elsewhere.example/fhir/Patient/subject', 'Observation/subject', 'a b', '']) {
        const answer = await refused({ path, body: parameters(model, { name: 'subject', valueString }) });
        expect(answer.status).toBe(400);
      }
    },
  );

  it.each([
    '2026-02-30',
    '2026',
    '2026-02',
    '2026-02-01T10:00:00',
    '2026-02-01T25:00:00Z',
    '01.02.2026',
    'yesterday',
    '2026-02-01 10:00:00Z',
  ])('refuses the as-of %s with 400', async (valueDateTime) => {
    const answer = await refused({ body: parameters(model, { name: 'asOf', valueDateTime }) });
    expect(answer.status).toBe(400);
    expect(answer.outcome.issue[0]?.expression?.[0]).toMatch(/^Parameters\.parameter\[1\]/);
  });

  it.each([
    '2026-03-01T10:20:31Z',
    '2026-03-01T10:21:00Z',
    '2026-03-01T12:30:00+01:00',
    '2026-03-02',
    '2999-01-01',
    '2026-03-01',
  ])('refuses the as-of %s, which has not come yet, with 422', (valueDateTime) =>
    expectRefusal({ body: parameters(model, { name: 'asOf', valueDateTime }) }, 422, 'business-rule', /in the future/),
  );

  it('OP-8 refuses parameters in the URL with 400 instead of dropping them', async () => {
    const path = `${instance}?model=prevent-base`;
    await expectRefusal({ path, headers: { 'content-length': '0' } }, 400, 'invalid', /in the body, not in the URL/);
    await expectRefusal({ path: `${instance}?asOf=2026-01-01`, body: parameters(model) }, 400, 'invalid', /'asOf'/);
  });

  it('OP-6 answers every other method with 405 and Allow: POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      for (const place of [instance, '/Patient/$predict', '/$predict', `${instance}?model=prevent-base`]) {
        const answer = await refused({ path: place, method });
        expect(answer.status, `${method} ${place}`).toBe(405);
        expect(answer.headers.get('allow')).toBe('POST');
        expect(answer.outcome.issue[0]?.code).toBe('not-supported');
      }
    }
    expect((await call({ method: 'HEAD' })).status).toBe(405);
  });

  it('OP-30 answers with 406 where only XML will do', async () => {
    const headers = { accept: 'application/fhir+xml' };
    await expectRefusal({ headers, body: parameters(model) }, 406, 'not-supported', /application\/fhir\+json/);
    const path = `${instance}?_format=xml`;
    await expectRefusal({ path, body: parameters(model) }, 406, 'not-supported', /_format/);
  });

  it('takes %24predict for $predict', async () => {
    const response = await call({ path: '/Patient/subject/%24predict', body: parameters(model) });
    expect(response.status).toBe(200);
    const answer = await refused({ path: '/Patient/subject/%24predict', method: 'GET' });
    expect(answer.status).toBe(405);
  });
});

describe('asserted inputs that cannot be', () => {
  const input = (name: unknown, value: object): object => ({
    name: 'input',
    part: [
      { name: 'name', valueString: name },
      { name: 'value', ...value },
    ],
  });
  const mmHg = { unit: 'kPa', system: 'http://unitsofmeasure.org', code: 'kg' };

  it.each<[string, object, RegExp]>([
    [
      'an unknown feature',
      input('systolicPressure', { valueDecimal: 120 }),
      /Unknown input 'systolicPressure'.*systolicBloodPressure/,
    ],
    ['a feature of every JavaScript object', input('constructor', { valueDecimal: 120 }), /Unknown input/],
    ['text for a number', input('systolicBloodPressure', { valueString: '120' }), /is a number/],
    ['a yes for a number', input('systolicBloodPressure', { valueBoolean: true }), /is a number/],
    ['a number for a yes-or-no', input('diabetes', { valueInteger: 1 }), /valueBoolean/],
    ['an unknown code', input('sex', { valueCode: 'other' }), /female, male/],
    [
      'a unit of another kind',
      input('systolicBloodPressure', { valueQuantity: { value: 120, ...mmHg } }),
      /systolicBloodPressure/,
    ],
    [
      'a Quantity without a unit',
      input('systolicBloodPressure', { valueQuantity: { value: 120 } }),
      /systolicBloodPressure/,
    ],
    [
      'a limit instead of a value',
      input('systolicBloodPressure', {
        valueQuantity: {
          value: 120,
          comparator: '<',
          unit: 'mmHg',
          system: 'http://unitsofmeasure.org',
          code: 'mm[Hg]',
        },
      }),
      /systolicBloodPressure/,
    ],
    ['a value that cannot be', input('systolicBloodPressure', { valueDecimal: 5000 }), /40 to 300/],
  ])('refuses %s with 400 and its place', (_what, parameter, says) =>
    expectRefusal({ body: parameters(model, parameter) }, 400, 'value', says, 'Parameters.parameter[1]'),
  );

  it('refuses a feature asserted twice, and parts that are missing, doubled or unknown, with 400', async () => {
    const systolic = input('systolicBloodPressure', { valueDecimal: 120 });
    await expectRefusal(
      { body: parameters(model, systolic, systolic) },
      400,
      'value',
      /twice/,
      'Parameters.parameter[2]',
    );
    const part = { name: 'name', valueString: 'systolicBloodPressure' };
    const value = { name: 'value', valueDecimal: 120 };
    for (const parts of [
      [part],
      [value],
      [part, part, value],
      [part, value, value],
      [part, value, { name: 'unit', valueString: 'kPa' }],
      [],
    ]) {
      const answer = await refused({ body: parameters(model, { name: 'input', part: parts }) });
      expect(answer.status).toBe(400);
      expect(answer.outcome.issue[0]?.expression?.[0]).toMatch(/^Parameters\.parameter\[1\]/);
    }
  });

  it('refuses to write a what-if back with 422', async () => {
    const body = parameters(model, input('systolicBloodPressure', { valueDecimal: 120 }), {
      name: 'writeBack',
      valueBoolean: true,
    });
    await expectRefusal({ body }, 422, 'business-rule', /never written back/);
    const found = await (await fetch(`${server.fhir}/RiskAssessment?patient=subject&_summary=count`)).json();
    expect(found).toMatchObject({ resourceType: 'Bundle', total: 0 });
  });
});

describe('resources of the caller that may not be used', () => {
  const own = laboratoryResult('subject', 'extra', '2093-3', 201, 'mg/dL', '2026-02-01T08:00:00Z');
  const foreign = laboratoryResult('other', 'extra', '2093-3', 300, 'mg/dL', '2026-02-01T08:00:00Z');
  const resource = (content: object): object => ({ name: 'resource', resource: content });

  it('refuses a resource of another patient with 422 and its place', async () => {
    const place = 'Parameters.parameter[2].resource';
    await expectRefusal(
      { body: parameters(model, resource(own), resource(foreign)) },
      422,
      'business-rule',
      /another patient/,
      place,
    );
    const person = scorablePatient('other')[0] as Resource;
    await expectRefusal(
      { body: parameters(model, resource(own), resource(person)) },
      422,
      'business-rule',
      /another patient/,
      place,
    );
  });

  it('refuses a Bundle that holds a foreign patient with 422 and the place of the entry', async () => {
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: own }, { resource: foreign }] };
    const place = 'Parameters.parameter[1].resource.entry[1].resource';
    await expectRefusal({ body: parameters(model, resource(bundle)) }, 422, 'business-rule', /another patient/, place);
  });

  it('refuses a resource that names no patient with 422', async () => {
    const { subject: _, ...nobodys } = own;
    await expectRefusal({ body: parameters(model, resource(nobodys)) }, 422, 'business-rule', /names no patient/);
  });

  it('refuses a resource that contradicts the one on the server, or another one of the call, with 422', async () => {
    const changed = laboratoryResult('subject', 'cholesterol', '2093-3', 150, 'mg/dL');
    await expectRefusal({ body: parameters(model, resource(changed)) }, 422, 'business-rule', /differs from the one/);
    const twice = { ...own, valueQuantity: { ...own.valueQuantity, value: 199 } };
    await expectRefusal(
      { body: parameters(model, resource(own), resource(twice)) },
      422,
      'business-rule',
      /differs from the one/,
    );
  });

  it.each<[string, object, string]>([
    ['a status that does not exist', { ...own, status: 'finished' }, 'Parameters.parameter[1].resource.status'],
    ['no code', { ...own, code: undefined }, 'Parameters.parameter[1].resource'],
    [
      'a date that is none',
      { ...own, effectiveDateTime: '2026-13-01' },
      'Parameters.parameter[1].resource.effectiveDateTime',
    ],
    [
      'a value as text',
      { ...own, valueQuantity: { ...own.valueQuantity, value: '201' } },
      'Parameters.parameter[1].resource.valueQuantity.value',
    ],
    ['two values', { ...own, valueString: 'x' }, 'Parameters.parameter[1].resource'],
    [
      'an element that does not exist',
      { ...own, patient: { reference: 'Patient/subject' } },
      'Parameters.parameter[1].resource',
    ],
  ])('refuses a resource with %s with 400 and its place', async (_what, content, place) => {
    const answer = await refused({ body: parameters(model, resource(content)) });
    expect(answer.status).toBe(400);
    expect(answer.outcome.issue[0]?.expression?.[0]).toContain(place);
  });

  it('refuses a resource that is no resource with 400', async () => {
    for (const content of [{}, { resourceType: 'Observations' }, { resourceType: 17 }]) {
      const answer = await refused({ body: parameters(model, resource(content)) });
      expect(answer.status).toBe(400);
    }
  });
});

it('echoes an X-Request-Id that is one, and makes another for one that is not', async () => {
  const good = await refused({ body: '{', headers: { 'x-request-id': 'ward-7.42' } });
  expect(good.headers.get('x-request-id')).toBe('ward-7.42');
  const bad = await refused({ body: '{', headers: { 'x-request-id': 'Patient/17 <script>' } });
  expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

it('answers 503 transient for a model whose folder was refused', async () => {
  await using models = await copyModel('prevent-base');
  await models.write('model.onnx', 'not a model');
  const lame = await startFhirsight({ settings: { MODELS_DIR: models.modelsDir } });
  try {
    const response = await fetch(`${lame.fhir}/Patient/x/$predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: parameters(model),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ issue: [{ code: 'transient' }] });
  } finally {
    await lame.close();
  }
});

/** A body whose length the caller does not say. */
function sendInChunks(body: Uint8Array): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${server.fhir}${instance}`,
      { method: 'POST', headers: { 'content-type': 'application/fhir+json', 'transfer-encoding': 'chunked' } },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
