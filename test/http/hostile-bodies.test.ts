import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseJsonBody } from '../../src/http/read-body.ts';
import { casesDir, casesPresent } from '../support/cases.ts';
import { type FhirTestServer, maxBodyBytes, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
beforeAll(async () => {
  server = await startFhirTestServer();
});
afterAll(() => server.close());

const patientUrl = () => `${server.base}/Patient`;

describe('bodies that cannot be read', () => {
  test.each([
    ['nothing', '', 'structure'],
    ['half an object', '{"resourceType":"Patient",', 'structure'],
    ['a hundred thousand open brackets', '['.repeat(100_000), 'structure'],
  ])('OP-20 %s is 400', async (_name, body, code) => {
    const answer = await send(patientUrl(), 'POST', body, { 'Content-Type': 'application/fhir+json' });
    expect([answer.status, answer.body.issue[0].code]).toEqual([400, code]);
  });

  test('the message says where it breaks and repeats nothing of the body', async () => {
    const answer = await send(patientUrl(), 'POST', '{"resourceType":"Patient","name":[{"family":"Secretperson"}]');
    expect(answer.body.issue[0].diagnostics).toMatch(/character \d+/);
    expect(answer.text).not.toContain('Secret');
    expect(JSON.stringify(server.events)).not.toContain('Secret');
  });

  test.each([
    ['brackets', '['.repeat(100_000) + ']'.repeat(100_000)],
    [
      'objects with decimals',
      `{"resourceType":"Patient","extension":${'[{"a":'.repeat(50_000)}1.50${'}]'.repeat(50_000)}}`,
    ],
    ['a string', '"Patient"'],
    ['null', 'null'],
    ['a number', '17'],
    ['an array', '[{"resourceType":"Patient"}]'],
  ])('valid JSON that is no resource is 400: %s', async (_name, body) => {
    const answer = await send(patientUrl(), 'POST', body);
    expect([answer.status, answer.body.resourceType]).toEqual([400, 'OperationOutcome']);
  });

  test('__proto__ and constructor are unknown elements and change nothing', async () => {
    for (const body of [
      '{"resourceType":"Patient","__proto__":{"polluted":true}}',
      '{"resourceType":"Patient","constructor":{"prototype":{"polluted":true}}}',
    ]) {
      expect((await send(patientUrl(), 'POST', body)).status).toBe(400);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    'text/plain',
    'application/xml',
    'application/fhir+xml',
    'application/fhir+json; charset=latin1',
    'application/fhir+json; fhirVersion=3.0',
    'nonsense',
  ])('OP-31 Content-Type %s is 415 not-supported', async (type) => {
    const answer = await send(patientUrl(), 'POST', '{"resourceType":"Patient"}', { 'Content-Type': type });
    expect([answer.status, answer.body.issue[0].code]).toEqual([415, 'not-supported']);
  });

  test.each([
    'application/fhir+json; fhirVersion=4.0',
    'application/json; charset=UTF-8',
    'APPLICATION/FHIR+JSON;charset="utf-8"',
  ])('OP-31 Content-Type %s is read', async (type) => {
    expect((await send(patientUrl(), 'POST', '{"resourceType":"Patient"}', { 'Content-Type': type })).status).toBe(201);
  });

  test('bytes that are not UTF-8, and compressed bodies, are refused', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"resourceType":"Patient","language":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const invalid = await fetch(patientUrl(), {
      method: 'POST',
      body: bytes,
      headers: { 'Content-Type': 'application/json' },
    });
    expect(invalid.status).toBe(400);
    const packed = await fetch(patientUrl(), {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    });
    expect(packed.status).toBe(415);
  });
});

describe('bodies that are too large', () => {
  test('OP-20 fifty megabytes with a Content-Length are 413 too-long', async () => {
    const answer = await fetch(patientUrl(), {
      method: 'POST',
      body: Buffer.alloc(50 * 2 ** 20, 32),
      headers: { 'Content-Type': 'application/fhir+json' },
    });
    expect([answer.status, ((await answer.json()) as { issue: { code: string }[] }).issue[0]?.code]).toEqual([
      413,
      'too-long',
    ]);
  });

  test('a caller who goes on sending in chunks gets the 413 and little is kept in memory', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(patientUrl(), {
        method: 'POST',
        headers: { 'Content-Type': 'application/fhir+json', 'Transfer-Encoding': 'chunked' },
      });
      const chunk = Buffer.alloc(2 ** 20, 32);
      let sent = 0;
      let answered = false;
      request.on('response', (response) => {
        answered = true;
        response.resume();
        response.on('end', () => {
          request.destroy();
          resolve(response.statusCode);
        });
      });
      request.on('error', (error) => (answered ? undefined : reject(error)));
      const more = () => {
        if (answered || sent++ >= 50) return;
        request.write(chunk, () => setImmediate(more));
      };
      more();
    });
    expect(status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 2 ** 20);
    expect((await send(`${server.base}/metadata`)).status).toBe(200);
  });

  test('a body at the limit is read', async () => {
    const body = Buffer.concat([Buffer.from('{"resourceType":"Patient"}'), Buffer.alloc(maxBodyBytes - 26, 32)]);
    const answer = await fetch(patientUrl(), {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/fhir+json' },
    });
    expect(answer.status).toBe(201);
  });
});

describe.runIf(casesPresent)('the JSON test suite', () => {
  const folder = path.join(casesDir, 'hostile/json_test_suite');
  const files = casesPresent ? readdirSync(folder) : [];

  test('refuses every n_ file with 400, parses every y_ file, and answers afterwards', async () => {
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const body = readFileSync(path.join(folder, file));
      if (file.startsWith('y_')) expect(() => parseJsonBody(body), file).not.toThrow();
      const answer = await fetch(patientUrl(), {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/fhir+json' },
      });
      const outcome = (await answer.json()) as { issue: { code: string }[] };
      expect(answer.status, file).toBe(400);
      if (file.startsWith('n_')) expect(outcome.issue[0]?.code, file).toBe('structure');
    }
    expect((await send(`${server.base}/metadata`)).status).toBe(200);
  });
});
