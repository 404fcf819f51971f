import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
beforeAll(async () => {
  server = await startFhirTestServer();
});
afterAll(() => server.close());

const patient = (extra: object = {}) => ({ resourceType: 'Patient', ...extra });
const withIdentifier = (value: string, extra: object = {}) =>
  patient({ identifier: [{ system: 'urn:test', value }], ...extra });

test('a path with an encoded separator is refused: it would be read as one thing and accounted for as another', async () => {
  await send(`${server.base}/Patient/encoded`, 'PUT', patient({ id: 'encoded' }));
  const tried: [method: string, path: string, body?: object][] = [
    ['GET', 'Patient%2Fencoded'],
    ['GET', 'Patient%2fencoded%2F_history'],
    ['GET', 'Patient%3F_id=encoded'],
    ['GET', 'Patient%23/encoded'],
    ['GET', 'Patient%5Cencoded'],
    ['PUT', 'Patient%2Fencoded', patient({ id: 'encoded' })],
    ['DELETE', 'Patient%2Fencoded'],
    ['POST', 'Observation%2F_search'],
  ];
  for (const [method, path, body] of tried) {
    const answer = await send(`${server.base}/${path}`, method, body);
    expect([answer.status, answer.body.issue[0].code], `${method} ${path}`).toEqual([404, 'not-supported']);
  }
  expect((await send(`${server.base}/Patient/encoded`)).status).toBe(200);
});

describe('create, read, update, delete', () => {
  test('OP-60 create ignores the id in the body and answers 201 with Location, ETag and Last-Modified', async () => {
    const made = await send(
      `${server.base}/Patient`,
      'POST',
      patient({ id: 'mine', meta: { versionId: '7' }, gender: 'female' }),
    );
    expect(made.status).toBe(201);
    expect(made.body.id).not.toBe('mine');
    expect(made.body.meta.versionId).toBe('1');
    expect(made.headers.get('location')).toBe(`${server.base}/Patient/${made.body.id}/_history/1`);
    expect(made.headers.get('etag')).toBe('W/"1"');
    expect(Date.parse(made.headers.get('last-modified') ?? '')).not.toBeNaN();
    const read = await send(`${server.base}/Patient/${made.body.id}`);
    expect(read.body).toEqual(made.body);
    expect(read.headers.get('etag')).toBe('W/"1"');
  });

  test('OP-62 update creates under the id of the client with 201, then updates with 200', async () => {
    const first = await send(`${server.base}/Patient/up-1`, 'PUT', patient({ id: 'up-1' }));
    expect([first.status, first.body.meta.versionId]).toEqual([201, '1']);
    const second = await send(`${server.base}/Patient/up-1`, 'PUT', patient({ id: 'up-1', gender: 'male' }));
    expect([second.status, second.body.meta.versionId]).toEqual([200, '2']);
    const old = await send(`${server.base}/Patient/up-1/_history/1`);
    expect(old.body.gender).toBeUndefined();
  });

  test('OP-62 refuses an update whose body has another id than the URL, or none', async () => {
    for (const body of [patient({ id: 'other' }), patient()]) {
      const answer = await send(`${server.base}/Patient/up-2`, 'PUT', body);
      expect([answer.status, answer.body.issue[0].code]).toEqual([400, 'invalid']);
    }
    expect((await send(`${server.base}/Patient/up-2`)).status).toBe(404);
  });

  test('OP-20 a resource that never was is 404 not-found, a deleted one 410 deleted, and can be made again', async () => {
    const never = await send(`${server.base}/Patient/never`);
    expect([never.status, never.body.issue[0].code]).toEqual([404, 'not-found']);
    await send(`${server.base}/Patient/gone`, 'PUT', patient({ id: 'gone' }));
    expect((await send(`${server.base}/Patient/gone`, 'DELETE')).status).toBe(200);
    const read = await send(`${server.base}/Patient/gone`);
    expect([read.status, read.body.issue[0].code]).toEqual([410, 'deleted']);
    expect((await send(`${server.base}/Patient/gone/_history/2`)).status).toBe(410);
    expect((await send(`${server.base}/Patient/gone/_history/1`)).status).toBe(200);
    expect((await send(`${server.base}/Patient?_id=gone`)).body.entry).toBeUndefined();
    const again = await send(`${server.base}/Patient/gone`, 'PUT', patient({ id: 'gone' }));
    expect([again.status, again.body.meta.versionId]).toEqual([201, '3']);
    expect((await send(`${server.base}/Patient/absent`, 'DELETE')).status).toBe(200);
  });

  test('OP-63 refuses an update whose If-Match names an older version, and one whose If-Match makes no sense', async () => {
    await send(`${server.base}/Patient/im`, 'PUT', patient({ id: 'im' }));
    await send(`${server.base}/Patient/im`, 'PUT', patient({ id: 'im', active: true }));
    const stale = await send(`${server.base}/Patient/im`, 'PUT', patient({ id: 'im' }), { 'If-Match': 'W/"1"' });
    expect([stale.status, stale.body.issue[0].code]).toEqual([412, 'conflict']);
    expect(stale.body.issue[0].diagnostics).toContain('version is 2');
    const odd = await send(`${server.base}/Patient/im`, 'PUT', patient({ id: 'im' }), { 'If-Match': '2' });
    expect(odd.status).toBe(400);
    expect((await send(`${server.base}/Patient/im`, 'DELETE', undefined, { 'If-Match': 'W/"1"' })).status).toBe(412);
    const fresh = await send(`${server.base}/Patient/im`, 'PUT', patient({ id: 'im' }), { 'If-Match': 'W/"2"' });
    expect([fresh.status, fresh.body.meta.versionId]).toEqual([200, '3']);
    expect(
      (await send(`${server.base}/Patient/im-none`, 'PUT', patient({ id: 'im-none' }), { 'If-Match': 'W/"1"' })).status,
    ).toBe(412);
  });

  test('OP-62 an update that does not mention tags and security labels does not lose them', async () => {
    const url = `${server.base}/Patient/tagged`;
    const restricted = { system: 'urn:label', code: 'R', display: 'restricted' };
    await send(
      url,
      'PUT',
      patient({ id: 'tagged', meta: { tag: [{ system: 'urn:t', code: '1' }], security: [restricted] } }),
    );
    const plain = await send(url, 'PUT', patient({ id: 'tagged', gender: 'male' }));
    expect(plain.body.meta).toMatchObject({ tag: [{ system: 'urn:t', code: '1' }], security: [restricted] });
    const more = await send(
      url,
      'PUT',
      patient({
        id: 'tagged',
        meta: { tag: [{ system: 'urn:t', code: '2' }], security: [{ system: 'urn:label', code: 'R' }] },
      }),
    );
    expect(more.body.meta.tag.map((tag: { code: string }) => tag.code)).toEqual(['2', '1']);
    expect(more.body.meta.security).toEqual([{ system: 'urn:label', code: 'R' }]);
    expect((await send(url)).body).toEqual(more.body);
    await send(url, 'DELETE');
    expect((await send(url, 'PUT', patient({ id: 'tagged' }))).body.meta.tag).toBeUndefined();
  });

  test('two hundred concurrent updates of one resource leave a history without a gap', async () => {
    await send(`${server.base}/Patient/busy`, 'PUT', patient({ id: 'busy' }));
    const answers = await Promise.all(
      Array.from({ length: 200 }, () =>
        send(`${server.base}/Patient/busy`, 'PUT', patient({ id: 'busy', active: true })),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    const { body } = await send(`${server.base}/Patient/busy/_history?_count=1000`);
    const versions = body.entry.map((entry: { resource: { meta: { versionId: string } } }) =>
      Number(entry.resource.meta.versionId),
    );
    expect(versions).toEqual(Array.from({ length: 201 }, (_, index) => 201 - index));
  });

  test('history pages newest first by next and shows deletions', async () => {
    await send(`${server.base}/Patient/hist`, 'PUT', patient({ id: 'hist' }));
    await send(`${server.base}/Patient/hist`, 'PUT', patient({ id: 'hist', active: true }));
    await send(`${server.base}/Patient/hist`, 'DELETE');
    const first = await send(`${server.base}/Patient/hist/_history?_count=2`);
    expect(first.body).toMatchObject({ type: 'history', total: 3 });
    expect(first.body.entry.map((entry: { request: { method: string } }) => entry.request.method)).toEqual([
      'DELETE',
      'PUT',
    ]);
    expect(first.body.entry[0].resource).toBeUndefined();
    const next = first.body.link.find((link: { relation: string }) => link.relation === 'next').url;
    const second = await send(next);
    expect(second.body.entry).toHaveLength(1);
    expect(second.body.link.map((link: { relation: string }) => link.relation)).toEqual(['self']);
    expect((await send(`${server.base}/Patient/hist/_history?_since=2024`)).status).toBe(400);
    expect((await send(`${server.base}/Patient/nobody/_history`)).status).toBe(404);
  });

  test('a read answers 304 where the caller has the version, and HEAD answers without a body', async () => {
    await send(`${server.base}/Patient/etag`, 'PUT', patient({ id: 'etag' }));
    expect((await send(`${server.base}/Patient/etag`, 'GET', undefined, { 'If-None-Match': 'W/"1"' })).status).toBe(
      304,
    );
    const head = await send(`${server.base}/Patient/etag`, 'HEAD');
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', 'W/"1"']);
  });

  test('decimals come back as they were written', async () => {
    const text =
      '{"resourceType":"Observation","id":"dec","status":"final","code":{"text":"x"},"valueQuantity":{"value":0.10},' +
      '"component":[{"code":{"text":"y"},"valueQuantity":{"value":1.0E+2}},{"code":{"text":"z"},"valueQuantity":{"value":3.14159265358979323846}}]}';
    await send(`${server.base}/Observation/dec`, 'PUT', text);
    const read = await send(`${server.base}/Observation/dec`);
    for (const literal of ['"value":0.10}', '"value":1.0E+2}', '"value":3.14159265358979323846}'])
      expect(read.text).toContain(literal);
    expect((await send(`${server.base}/Observation?_id=dec`)).text).toContain('"value":0.10}');
  });
});

describe('conditional interactions', () => {
  test('OP-61 conditional create makes one, returns it when it is there, and refuses where several match', async () => {
    const headers = { 'If-None-Exist': 'identifier=urn:test|cc-1' };
    const made = await send(`${server.base}/Patient`, 'POST', withIdentifier('cc-1'), headers);
    const again = await send(`${server.base}/Patient`, 'POST', withIdentifier('cc-1'), headers);
    expect([made.status, again.status, again.body.id]).toEqual([201, 200, made.body.id]);
    await send(`${server.base}/Patient`, 'POST', withIdentifier('cc-1'));
    const several = await send(`${server.base}/Patient`, 'POST', withIdentifier('cc-1'), headers);
    expect([several.status, several.body.issue[0].code]).toEqual([412, 'multiple-matches']);
    const unknown = await send(`${server.base}/Patient`, 'POST', patient(), { 'If-None-Exist': 'favourite=1' });
    expect(unknown.status).toBe(400);
    expect((await send(`${server.base}/Patient`, 'POST', patient(), { 'If-None-Exist': '_sort=_id' })).status).toBe(
      400,
    );
  });

  test('OP-61 concurrent conditional creates make no duplicate where they spell their criteria differently', async () => {
    const spellings = ['identifier=urn:test|apart', '?identifier=urn%3Atest%7Capart', 'identifier=urn:test|apart&'];
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        send(`${server.base}/Patient`, 'POST', withIdentifier('apart'), {
          'If-None-Exist': spellings[index % spellings.length] ?? '',
        }),
      ),
    );
    expect((await send(`${server.base}/Patient?identifier=urn:test|apart&_total=accurate`)).body.total).toBe(1);
    const limited = await send(`${server.base}/Patient`, 'POST', withIdentifier('apart'), {
      'If-None-Exist': 'identifier=urn:test|apart&_count=5',
    });
    expect([limited.status, limited.body.issue[0].expression]).toEqual([400, ['http._count']]);
  });

  test('OP-61 twenty concurrent conditional creates with one identifier create one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        send(`${server.base}/Patient`, 'POST', withIdentifier('race'), { 'If-None-Exist': 'identifier=urn:test|race' }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([...Array(19).fill(200), 201]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  });

  test('OP-62 conditional update creates for none, updates for one, refuses another id and several', async () => {
    const url = `${server.base}/Patient?identifier=urn:test|cu-1`;
    const made = await send(url, 'PUT', withIdentifier('cu-1'));
    const updated = await send(url, 'PUT', withIdentifier('cu-1', { active: true }));
    expect([made.status, updated.status, updated.body.id, updated.body.meta.versionId]).toEqual([
      201,
      200,
      made.body.id,
      '2',
    ]);
    expect((await send(url, 'PUT', withIdentifier('cu-1', { id: 'else' }))).status).toBe(400);
    await send(`${server.base}/Patient`, 'POST', withIdentifier('cu-1'));
    expect((await send(url, 'PUT', withIdentifier('cu-1'))).status).toBe(412);
    expect((await send(`${server.base}/Patient`, 'PUT', withIdentifier('cu-1'))).status).toBe(400);
  });
});

describe('what is not offered', () => {
  test.each([
    ['PATCH', 'Patient/1', 405],
    ['DELETE', 'Patient?identifier=1', 405],
    ['GET', '', 405],
    ['GET', 'Patient/_search', 405],
    ['POST', '$graphql', 404],
    ['GET', '$graphql', 404],
    ['POST', 'Patient/1/$everything', 404],
    ['GET', 'Patient/_history', 404],
    ['GET', '_history', 404],
    ['GET', 'Project', 404],
    ['GET', 'Bogus/1', 404],
    ['POST', 'metadata', 405],
    ['GET', `Patient/${'x'.repeat(65)}`, 404],
    ['GET', 'Patient/%E0%A4%A', 400],
    ['GET', 'Patient/a%2Fb', 404],
  ])('OP-20 %s %s is %i with an OperationOutcome', async (method, path, status) => {
    const answer = await send(`${server.base}/${path}`, method, method === 'PATCH' ? {} : undefined);
    expect(answer.status).toBe(status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/[A-Z]/);
    if (status !== 400) expect(answer.body.issue[0].code).toMatch(/^not-(supported|found)$/);
  });

  test('OP-40 OP-41 OP-42 /metadata says what is done and no more', async () => {
    const { status, body } = await send(`${server.base}/metadata`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ fhirVersion: '4.0.1', kind: 'instance', status: 'active' });
    expect(body.implementation.description).toBeTruthy();
    const types = body.rest[0].resource.map((resource: { type: string }) => resource.type);
    expect(new Set(types).size).toBe(types.length);
    expect(types).not.toContain('Project');
    const observation = body.rest[0].resource.find((resource: { type: string }) => resource.type === 'Observation');
    expect(observation.interaction.map((interaction: { code: string }) => interaction.code)).not.toContain('patch');
    for (const parameter of observation.searchParam) {
      const value = parameter.type === 'date' ? '2024' : parameter.type === 'reference' ? 'Patient/1' : 'x';
      const url = `${server.base}/Observation?${parameter.name}=${parameter.name === 'encounter' ? '1' : value}`;
      expect((await send(url)).status, parameter.name).toBe(200);
    }
  });
});

describe('/metadata', () => {
  test('OP-40 is the same whatever mode is asked for, and 304 for whom it has not changed', async () => {
    const first = await send(`${server.base}/metadata`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"/);
    for (const mode of ['full', 'normative', 'terminology'])
      expect((await send(`${server.base}/metadata?mode=${mode}`)).text).toBe(first.text);
    const again = await send(`${server.base}/metadata`, 'GET', undefined, { 'If-None-Match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await send(`${server.base}/metadata`, 'GET', undefined, { 'If-None-Match': 'W/"x"' })).status).toBe(200);
    const head = await send(`${server.base}/metadata`, 'HEAD');
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', etag]);
    const wrong = await send(`${server.base}/metadata?mode=short`);
    expect([wrong.status, wrong.body.issue[0].code]).toEqual([400, 'value']);
  });
});
