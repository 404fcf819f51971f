import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { type FhirsightProcess, root, startFhirsightProcess } from '../fhirsight-process.ts';
import { someModels } from '../some-models.ts';
import { createTestDataDir } from '../test-data-dir.ts';
import { type FuzzTokens, fuzzCall, fuzzedRoutes as routes } from './fuzz-call.ts';
import { runFuzz } from './run-fuzz.ts';
import { canary, person } from './valid-bodies.ts';

/** A server in a process of its own that lets in anybody, with one patient and every entrance open. */
export interface FuzzedServer {
  readonly server: FhirsightProcess;
  /** Of the entrances that have one. */
  readonly tokens: FuzzTokens;
  /** What no answer may hold. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const tokens = { protocol: 'protocol-token-of-the-fuzzer', admin: 'admin-token-of-the-fuzzer' };
  const data = await createTestDataDir();
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-fuzz-'));
  for (const [name, token] of Object.entries(tokens)) await writeFile(path.join(folder, name), token);
  const server = await startFhirsightProcess({
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
  return {
    server,
    tokens,
    secrets: [...Object.values(tokens), folder, root, ...Object.values(data.settings)],
    close: async () => {
      await server.stop('SIGTERM');
      await rm(folder, { recursive: true });
      await data.remove();
    },
  };
}

/** Sends it the requests of a seed, and expects that every answer is right and that it stays as it is. */
export async function expectToBear(fuzzed: FuzzedServer, seed: number, requests: number): Promise<void> {
  const { server, tokens, secrets } = fuzzed;
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
  expectAccount(server.output());
  // A log is read by many: neither names nor tokens are in it.
  for (const word of [canary, ...Object.values(tokens)]) expect(server.output()).not.toContain(word);
}

/** Everything was accounted for: one row that cannot be kept would hold up all others, until nothing is answered any more. */
export function expectAccount(log: string): void {
  for (const event of ['access-log.failed', 'access-log.refused', 'access-log.lost', 'prediction-log.failed'])
    expect(log).not.toContain(event);
}
