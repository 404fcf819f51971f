import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bundle, CapabilityStatement, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { root } from '../support/markdown-blocks.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { strictR4Issues } from '../support/strict-r4.ts';
import { transactionOf } from '../support/transaction-of.ts';

let now = new Date('2026-03-01T10:20:30.400Z');
const people = ['levels', 'preferred', 'unwritten', 'later', 'later-written'];

/** What was answered: held against R4 at the end, since reading its definitions takes longer than an idle connection is kept. */
const answered: Resource[] = [];

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ clock: { now: () => now } });
  const resources = people.flatMap((id) => scorablePatient(id));
  expect((await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }))).status).toBe(200);
});
afterAll(() => server?.close());

const model = { name: 'model', valueString: 'prevent-base' };
const subject = (id: string) => ({ name: 'subject', valueString: `Patient/${id}` });

function predict(place: string, parameter: readonly object[], headers: Record<string, string> = {}): Promise<Answer> {
  return send(
    `${server.fhir}${place}`,
    'POST',
    { resourceType: 'Parameters', parameter: [model, ...parameter] },
    headers,
  );
}

describe('the levels of $predict', () => {
  it('OP-3 OP-4 OP-11 system, type and instance level give the same bare resource, without an id where nothing is stored', async () => {
    const answers = [
      await predict('/$predict', [subject('levels')]),
      await predict('/Patient/$predict', [subject('levels')]),
      await predict('/Patient/levels/$predict', []),
      await predict('/Patient/levels/%24predict', []),
    ];
    for (const { status, body, text } of answers) {
      expect(status, text).toBe(200);
      expect(body).toEqual(answers[0]?.body);
    }
    const result = answers[0]?.body as RiskAssessment;
    expect([result.resourceType, result.id]).toEqual(['RiskAssessment', undefined]);
  });

  it('OP-2 OP-1 is defined by an OperationDefinition that keeps the rules of R4', async () => {
    const { body } = await send(`${server.fhir}/OperationDefinition/predict`);
    answered.push(body);
    expect(body).toMatchObject({ code: 'predict', kind: 'operation', affectsState: true });
    expect([body.system, body.type, body.instance, body.resource]).toEqual([
      true,
      true,
      true,
      ['Patient', 'ImagingStudy'],
    ]);
    expect(body.name).toMatch(/^[A-Z][A-Za-z0-9_]{0,254}$/);
    const check = (
      parameters: { name: string; type?: string; part?: []; searchType?: string; targetProfile?: [] }[],
    ) => {
      for (const { name, type, part, searchType, targetProfile } of parameters) {
        expect(name).toMatch(/^[a-z][A-Za-z0-9_]*$/);
        expect((type === undefined) !== (part === undefined), `opd-1 ${name}`).toBe(true);
        if (searchType !== undefined) expect(type, `opd-2 ${name}`).toBe('string');
        if (targetProfile !== undefined) expect(['Reference', 'canonical'], `opd-3 ${name}`).toContain(type);
        check(part ?? []);
      }
    };
    check(body.parameter);
  });
});

describe('what is served beside it', () => {
  it('OP-13 OP-41 OP-42 /metadata is valid R4 and lists the operations at the base and at their types, with definitions that are found', async () => {
    const statement = (await send(`${server.fhir}/metadata`)).body as CapabilityStatement;
    answered.push(statement);
    const [rest] = statement.rest ?? [];
    const offered = rest?.resource?.filter(({ operation }) => operation !== undefined) ?? [];
    const namesAt = offered.map(({ type, operation = [] }) => [type, operation.map(({ name }) => name)]);
    expect([['', rest?.operation?.map(({ name }) => name)], ...namesAt]).toEqual([
      ['', ['predict']],
      ['DiagnosticReport', ['review']],
      ['ImagingStudy', ['predict']],
      ['Patient', ['predict']],
    ]);
    const operations = [...(rest?.operation ?? []), ...offered.flatMap(({ operation = [] }) => operation)];
    for (const { name, definition } of operations) {
      const found = await send(`${server.fhir}/OperationDefinition?url=${definition}`);
      expect(found.body.entry?.map(({ resource }: { resource: Resource }) => resource.id)).toEqual([name]);
    }
  });

  it('OP-42 /metadata asks for no token and allows no other origin where the server does neither', async () => {
    const [rest] = ((await send(`${server.fhir}/metadata`)).body as CapabilityStatement).rest ?? [];
    expect([rest?.security?.service, rest?.security?.cors]).toEqual([undefined, false]);
    expect(rest?.security?.description).toMatch(/loopback/);
    const fromElsewhere = await send(`${server.fhir}/metadata`, 'GET', undefined, {
      Origin: 'https://elsewhere.example',
    });
    expect(fromElsewhere.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('OP-13 every definition of fhir-profiles/ is read by its id and found by its canonical URL', async () => {
    const folder = path.join(root, 'fhir-profiles');
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    expect(files.length).toBeGreaterThan(25);
    for (const file of files) {
      const definition = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
      const { meta: _meta, ...wanted } = definition;
      const { meta: _stored, ...served } = (await send(`${server.fhir}/${definition.resourceType}/${definition.id}`))
        .body;
      expect(served, file).toEqual(wanted);
      const canonical = definition.url ?? definition.uniqueId[0].value;
      const by = definition.resourceType === 'NamingSystem' ? 'value' : 'url';
      const found = await send(`${server.fhir}/${definition.resourceType}?${by}=${encodeURIComponent(canonical)}`);
      const ids = found.body.entry?.map(({ resource }: { resource: Resource }) => resource.id) ?? [];
      expect(ids, `${file} ${found.text.slice(0, 300)}`).toContain(definition.id);
    }
  });
});

describe('Prefer: return on $predict', () => {
  const stored = { name: 'writeBack', valueBoolean: true };

  it('OP-32 leaves a stored result out, or says that it is stored, and always where it lies', async () => {
    const whole = await predict('/Patient/preferred/$predict', [stored]);
    const { id } = whole.body;
    const minimal = await predict('/Patient/preferred/$predict', [stored], { Prefer: 'return=minimal' });
    const told = await predict('/Patient/preferred/$predict', [stored], { Prefer: 'return=OperationOutcome' });
    expect([minimal.status, minimal.text, minimal.headers.get('content-type')]).toEqual([
      200,
      '',
      'application/fhir+json; charset=utf-8',
    ]);
    expect([told.status, told.body.resourceType]).toEqual([200, 'OperationOutcome']);
    expect(told.body.issue[0].diagnostics).toBe(`RiskAssessment/${id} is stored.`);
    for (const { headers } of [whole, minimal, told]) {
      expect(headers.get('location')).toBe(`${server.fhir}/RiskAssessment/${id}/_history/1`);
      expect([headers.get('etag'), headers.get('last-modified')]).toEqual(['W/"1"', now.toUTCString()]);
    }
    expect((await send(minimal.headers.get('location') ?? '')).body).toEqual(whole.body);
  });

  it('OP-32 gives a result that is not stored whole, since nobody could read it later', async () => {
    for (const Prefer of ['return=minimal', 'return=OperationOutcome']) {
      const answer = await predict('/Patient/unwritten/$predict', [], { Prefer });
      expect([answer.status, answer.body.resourceType, answer.headers.get('location')]).toEqual([
        200,
        'RiskAssessment',
        null,
      ]);
    }
  });
});

describe('Prefer: respond-async on $predict', () => {
  const later = (place: string, parameter: readonly object[], Prefer = 'respond-async') =>
    predict(place, parameter, { Prefer });

  /** The Bundle of an asynchronous call, once there is one. */
  async function bundleOf(place: string, parameter: readonly object[], prefer?: string): Promise<Bundle> {
    const taken = await later(place, parameter, prefer);
    expect(taken.status, taken.text).toBe(202);
    const url = taken.headers.get('content-location') ?? '';
    expect(url.startsWith(`${server.fhir}/_async/`)).toBe(true);
    let answer: Answer | undefined;
    await expect
      .poll(
        async () => {
          now = new Date(now.getTime() + 1_000);
          answer = await send(url);
          return answer.status;
        },
        { timeout: 20_000 },
      )
      .toBe(200);
    if (answer !== undefined) answered.push(answer.body);
    return answer?.body;
  }

  it('OP-52 gives what the call would have given at once, as of the minute in which it was made', async () => {
    const asked = now;
    const bundle = await bundleOf('/Patient/later/$predict', []);
    expect([bundle.type, bundle.entry?.length, bundle.entry?.[0]?.response?.status]).toEqual([
      'batch-response',
      1,
      '200 OK',
    ]);
    const atOnce = await predict('/Patient/later/$predict', [
      { name: 'asOf', valueDateTime: `${asked.toISOString().slice(0, 16)}:00Z` },
    ]);
    const result = bundle.entry?.[0]?.resource as RiskAssessment;
    expect(result.identifier).toEqual(atOnce.body.identifier);
    expect(result.prediction).toEqual(atOnce.body.prediction);
    expect(result.id).toBeUndefined();
  });

  it('OP-52 OP-32 stores its result, and leaves it out of the Bundle where that is preferred', async () => {
    const stored = { name: 'writeBack', valueBoolean: true };
    const bundle = await bundleOf('/$predict', [subject('later-written'), stored], 'respond-async, return=minimal');
    const [entry] = bundle.entry ?? [];
    expect([entry?.resource, entry?.response?.status, entry?.response?.etag]).toEqual([undefined, '200 OK', 'W/"1"']);
    const read = await send(`${server.fhir}/${entry?.response?.location}`);
    expect([read.status, read.body.resourceType]).toEqual([200, 'RiskAssessment']);
    expect(entry?.fullUrl).toBe(`${server.fhir}/RiskAssessment/${read.body.id}`);
  });

  it.each([
    ['an abstention', '/Patient/young/$predict', [], '422 Unprocessable Entity', 'business-rule'],
    ['an unknown patient', '/Patient/nobody/$predict', [], '404 Not Found', 'not-found'],
    [
      'an as-of to come',
      '/Patient/later/$predict',
      [{ name: 'asOf', valueDateTime: '2999-01-01' }],
      '422 Unprocessable Entity',
      'business-rule',
    ],
  ])(
    'OP-52 GX-5 tells %s inside of the Bundle, with its status and its OperationOutcome',
    async (_what, place, parameter, status, code) => {
      const young = scorablePatient('young', { birthDate: '2020-01-01' });
      await send(server.fhir, 'POST', transactionOf(young, { fullUrls: false }));
      const [entry] = (await bundleOf(place, parameter)).entry ?? [];
      expect([entry?.resource, entry?.response?.status]).toEqual([undefined, status]);
      const outcome = entry?.response?.outcome as { resourceType: string; issue: { code: string }[] };
      expect([outcome.resourceType, outcome.issue[0]?.code]).toEqual(['OperationOutcome', code]);
    },
  );

  it('OP-50 OP-53 refuses at once what is malformed, and _outputFormat', async () => {
    const unknown = await later('/Patient/later/$predict', [{ name: 'modell', valueString: 'x' }]);
    expect([unknown.status, unknown.headers.get('content-location')]).toEqual([400, null]);
    const bulk = await later('/Patient/later/$predict?_outputFormat=application/fhir%2Bndjson', []);
    expect([bulk.status, bulk.body.issue[0].code]).toEqual([400, 'not-supported']);
    expect(bulk.body.issue[0].diagnostics).toMatch(/Bundle.*_outputFormat/);
    expect(
      (await send(`${server.fhir}/Patient/later/$predict`, 'GET', undefined, { Prefer: 'respond-async' })).status,
    ).toBe(405);
  });
});

describe('TM-1 $predict', () => {
  const whole = JSON.stringify({ resourceType: 'Parameters', parameter: [model] });
  const forms = [
    ['POST Parameters', 'POST', '/Patient/levels/$predict', whole, 200],
    ['POST with an empty body', 'POST', '/Patient/levels/$predict', undefined, 400],
    ['GET at instance level', 'GET', '/Patient/levels/$predict', undefined, 405],
    ['GET at type level', 'GET', '/Patient/$predict', undefined, 405],
  ] as const;
  const formats = [
    ['Accept: application/json', '', 'application/json', 'application/json'],
    ['Accept: application/fhir+json', '', 'application/fhir+json', 'application/fhir+json'],
    [
      'Accept: application/fhir+json; fhirVersion=4.0',
      '',
      'application/fhir+json; fhirVersion=4.0',
      'application/fhir+json',
    ],
    ['_format=json before Accept: text/html', '?_format=json', 'text/html', 'application/fhir+json'],
    ['Accept: application/fhir+xml', '', 'application/fhir+xml', undefined],
    ['_format=xml before Accept: application/json', '?_format=xml', 'application/json', undefined],
    ['Accept: application/fhir+json; fhirVersion=5.0', '', 'application/fhir+json; fhirVersion=5.0', undefined],
  ] as const;
  const cells = forms.flatMap((form) => formats.map((format) => [form[0], format[0], form, format] as const));

  it.each(cells)('as %s with %s', async (_form, _format, [, method, place, body, status], [, query, Accept, type]) => {
    const answer = await send(`${server.fhir}${place}${query}`, method, body, { Accept });
    expect(answer.status).toBe(type === undefined ? 406 : status);
    expect(answer.headers.get('content-type')).toBe(`${type ?? 'application/fhir+json'}; charset=utf-8`);
    expect(answer.body.resourceType).toBe(answer.status === 200 ? 'RiskAssessment' : 'OperationOutcome');
    if (answer.status === 405) expect(answer.headers.get('allow')).toBe('POST');
    if (answer.status >= 400) expect(answer.body.issue[0].code).toMatch(/^(not-supported|required)$/);
  });

  const hdl = (changes: object): Resource[] =>
    scorablePatient('held').map((one) => (one.id === 'held-hdl' ? ({ ...one, ...changes } as Resource) : one));
  const given = (value: object): object => ({
    valueQuantity: { value: 47, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL', ...value },
  });
  const twice = (): Resource[] => [...hdl({}), ...hdl({ id: 'held-hdl-2' }).filter(({ id }) => id === 'held-hdl-2')];

  it.each([
    ['every value', () => hdl({}), 200, undefined],
    ['one value twice', twice, 200, undefined],
    ['a value left out', () => hdl({}).filter(({ id }) => id !== 'held-hdl'), 422, /hdlCholesterol/],
    [
      'a value in a unit that cannot be converted',
      () => hdl(given({ unit: 'kg', code: 'kg' })),
      422,
      /hdlCholesterol.*unconvertible/,
    ],
    ['a value entered in error', () => hdl({ status: 'entered-in-error' }), 422, /hdlCholesterol/],
    ['a value of tomorrow', () => hdl({ effectiveDateTime: '2026-03-02T08:00:00Z' }), 422, /hdlCholesterol/],
    ['a value that is only known to be less', () => hdl(given({ comparator: '<' })), 422, /hdlCholesterol/],
  ] as const)('with %s answers %s', async (_what, resources, status, says) => {
    const parameter = [
      { name: 'useServerData', valueBoolean: false },
      { name: 'asOf', valueDateTime: '2026-03-01T10:20:00Z' },
      ...resources().map((resource) => ({ name: 'resource', resource })),
    ];
    const answer = await predict('/Patient/held/$predict', parameter);
    expect(answer.status, answer.text).toBe(status);
    if (says !== undefined) {
      expect(answer.body.issue[0].code).toBe('business-rule');
      expect(answer.text).toMatch(says);
    }
  });

  it('with an unknown model answers 404', async () => {
    const parameter = [{ name: 'model', valueString: 'no-such-model' }];
    const answer = await send(`${server.fhir}/Patient/levels/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter,
    });
    expect([answer.status, answer.body.issue[0].code]).toEqual([404, 'not-found']);
  });
});

it('OP-2 OP-11 OP-41 OP-52 definition, statement and Bundles of answers are valid R4', () => {
  expect(answered.map(({ resourceType }) => resourceType)).toEqual([
    'OperationDefinition',
    'CapabilityStatement',
    ...Array(5).fill('Bundle'),
  ]);
  for (const resource of answered) expect(strictR4Issues(resource), resource.resourceType).toEqual([]);
});
