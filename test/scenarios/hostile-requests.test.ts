import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesDir, casesPresent } from '../support/cases.ts';
import { fuzzSize } from '../support/fuzz/fuzz-size.ts';
import { expectToBear, type FuzzedServer, startFuzzedServer } from '../support/fuzz/fuzzed-server.ts';
import { sendRudeClients } from '../support/fuzz/rude-clients.ts';

const { toAnybody: requests, seed } = fuzzSize;

let fuzzed: FuzzedServer;
beforeAll(async () => {
  fuzzed = await startFuzzedServer();
});
afterAll(() => fuzzed?.close());

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

const tokenFor = (target: string): string => fuzzed.tokens[target.startsWith('/v2') ? 'protocol' : 'admin'];
const sendJson = (method: string, target: string, body: Buffer | string): Promise<Response> =>
  fetch(`${fuzzed.server.url}${target}`, {
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
      fhirServer: fuzzed.server.fhir,
      context: { userId: 'Practitioner/17', patientId: '1' },
    });
    const clients = await sendRudeClients(new URL(fuzzed.server.url), rude);
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
    const packed = await fetch(`${fuzzed.server.url}${target}`, {
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
  it(
    `answers ${requests} requests of seed ${seed} to every route in its own shapes, gives nothing away, and stays as it is`,
    {
      timeout: 60_000 + requests * 30,
    },
    () => expectToBear(fuzzed, seed, requests),
  );
});
