import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesDir, casesPresent } from '../support/cases.ts';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { fuzzCall, fuzzedRoutes as routes } from '../support/fuzz/fuzz-call.ts';
import { fuzzSize } from '../support/fuzz/fuzz-size.ts';
import { sendRudeClients } from '../support/fuzz/rude-clients.ts';
import { runFuzz } from '../support/fuzz/run-fuzz.ts';
import { canary, person } from '../support/fuzz/valid-bodies.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir, type TestDataDir } from '../support/test-data-dir.ts';

const { toAnybody: requests, seed } = fuzzSize;
const tokens = { protocol: 'protocol-token-of-the-fuzzer', admin: 'admin-token-of-the-fuzzer' };

let data: TestDataDir;
let folder: string;
let server: FhirsightProcess;
beforeAll(async () => {
  data = await createTestDataDir();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-fuzz-'));
  for (const [name, token] of Object.entries(tokens)) await writeFile(path.join(folder, name), token);
  server = await startFhirsightProcess({
    ...data.settings,
    MODELS_DIR: await someModels(['prevent-base']),
    INFERENCE_PROTOCOL: 'on',
    INFERENCE_PROTOCOL_TOKEN_FILE: path.join(folder, 'protocol'),
    ADMIN_TOKEN_FILE: path.join(folder, 'admin'),
    LOG_LEVEL: 'warn',
  });
  for (const resource of person) {
    const url = `${server.fhir}/${resource.resourceType}/${resource.id}`;
    const body = JSON.stringify(resource);
    const stored = await fetch(url, { method: 'PUT', body, headers: { 'Content-Type': 'application/fhir+json' } });
    if (stored.status !== 201) throw new Error(`PUT ${url}: ${stored.status} ${await stored.text()}`);
  }
});
afterAll(async () => {
  await server.stop('SIGTERM');
  await rm(folder, { recursive: true });
  await data.remove();
});

/** Every route that takes JSON, and how it is asked. */
const bodyRoutes: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/fhir/R4'],
  ['POST', '/fhir/R4/Patient'],
  ['PUT', '/fhir/R4/Patient/1'],
  ['POST', '/fhir/R4/$predict'],
  ['POST', '/fhir/R4/Patient/$predict'],
  ['POST', '/fhir/R4/Patient/1/$predict'],
  ['POST', '/cds-services/prevent-base'],
  ['POST', '/cds-services/prevent-base/feedback'],
  ['POST', '/runs'],
  ['POST', '/v2/models/prevent-base/infer'],
  ['POST', '/admin/models/prevent-base/enable'],
];

/** No JSON, or, where a route takes short bodies only, too much of it. */
const refusals = [400, 413];

const tokenFor = (target: string): string => (target.startsWith('/v2') ? tokens.protocol : tokens.admin);
const sendJson = (method: string, target: string, body: Buffer | string): Promise<Response> =>
  fetch(`${server.url}${target}`, {
    method,
    body,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${tokenFor(target)}` },
  });

describe.runIf(casesPresent)('the JSON test suite', () => {
  const folder = path.join(casesDir, 'hostile/json_test_suite');
  const files = casesPresent ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];

  it.each(bodyRoutes)(
    'is refused by %s %s: as no JSON, or as JSON that is not what the route takes',
    async (method, target) => {
      expect(files.length).toBeGreaterThan(100);
      const ask = async (file: string): Promise<void> => {
        const answer = await sendJson(method, target, readFileSync(path.join(folder, file)));
        const body = (await answer.json()) as object;
        if (file.startsWith('n_')) expect(refusals, file).toContain(answer.status);
        else expect([200, 404, 409, 422, ...refusals], file).toContain(answer.status);
        if (answer.status >= 400) expect('error' in body || 'issue' in body, file).toBe(true);
        // `{}` switches a model on that is on already.
        if (answer.status === 200) expect(target).toMatch(/^\/admin\//);
      };
      // Not all at once: more than MAX_OPEN_REQUESTS would be refused unread.
      const left = [...files];
      const some = async (): Promise<void> => {
        for (let file = left.pop(); file !== undefined; file = left.pop()) await ask(file);
      };
      await Promise.all(Array.from({ length: 8 }, some));
    },
  );
});

/** Small on the wire, fifty megabytes where somebody unpacks it. */
const bomb = gzipSync(Buffer.alloc(50_000_000));

describe('a client that behaves', () => {
  it('is answered at the bedside within two seconds while thousands of others hold connections, drip, hang up and send in a row', async () => {
    const rude = { idle: 2_000, slow: 200, halfClosed: 50, pipelined: 20, target: '/fhir/R4/Patient' };
    const bedside = JSON.stringify({
      hook: 'patient-view',
      hookInstance: '1d5c2f54-2b94-4d5e-9d47-02a3b8f0c7aa',
      fhirServer: server.fhir,
      context: { userId: 'Practitioner/17', patientId: '1' },
    });
    const clients = await sendRudeClients(new URL(server.url), rude);
    expect(clients.count).toBe(2_270);
    const times: number[] = [];
    try {
      for (let asked = 0; asked < 50; asked += 1) {
        const startedMs = performance.now();
        const answer = await sendJson('POST', '/cds-services/prevent-base', bedside);
        await answer.arrayBuffer();
        expect(answer.status).toBe(200);
        times.push(performance.now() - startedMs);
      }
    } finally {
      clients.close();
    }
    const median = times.toSorted((a, b) => a - b)[25] ?? Number.NaN;
    process.stdout.write(
      `behind ${clients.count} rude clients: median ${Math.round(median)} ms, worst ${Math.round(Math.max(...times))} ms\n`,
    );
    expect(median).toBeLessThan(2_000);
  });

  it.each(bodyRoutes)('is not harmed by a compressed bomb or by deep JSON sent to %s %s', async (method, target) => {
    const packed = await fetch(`${server.url}${target}`, {
      method,
      body: bomb,
      headers: {
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        Authorization: `Bearer ${tokenFor(target)}`,
      },
    });
    expect([packed.status, (await packed.text()).length < 2_000]).toEqual([415, true]);
    for (const deep of [
      '['.repeat(1_000_000),
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    ]) {
      const answer = await sendJson(method, target, deep);
      expect(refusals, deep.slice(-9)).toContain(answer.status);
      expect((await answer.text()).length).toBeLessThan(2_000);
    }
  });
});

describe('a server that is sent anything', () => {
  it(`answers ${requests} requests of seed ${seed} to every route in its own shapes, gives nothing away, and stays as it is`, {
    timeout: 60_000 + requests * 30,
  }, async () => {
    const secrets = [tokens.protocol, tokens.admin, folder, root, String(data.settings.DATA_DIR)];
    const callOf = (own: number) => fuzzCall(own, routes, tokens);
    const report = await runFuzz(server, { seed, requests, callOf, secrets });
    process.stdout.write(`fuzz: ${JSON.stringify({ ...report, routes: routes.length })}\n`);
    expect(report.faults.join('\n\n')).toBe('');
    expect(report.requests).toBe(requests);
    expect(report.routesReached).toBe(routes.length);
    // Memory comes and goes by its collector; what grows with the requests would be past this at once.
    expect(report.rssMb.late - report.rssMb.early).toBeLessThan(400);
    expect(report.slowestHealthMs).toBeLessThan(10_000);
    expect(server.child.exitCode).toBeNull();
    expect((await fetch(`${server.fhir}/metadata`)).status).toBe(200);
    // A log is read by many: neither names nor tokens are in it.
    for (const word of [canary, tokens.protocol, tokens.admin]) expect(server.output()).not.toContain(word);
  });
});
