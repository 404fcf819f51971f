import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { send } from '../support/fhir-test-server.ts';
import { type FhirsightProcess, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';
import { transactionOf } from '../support/transaction-of.ts';

const data = await createTestDataDir();
const settings = { ...data.settings, MODELS_DIR: await someModels(['prevent-base']) };
afterAll(() => data.remove());

const people = Array.from({ length: 24 }, (_, index) => `p${index}`);

it('OP-55 answers every asynchronous request that was taken through a kill -9, and stores each result once', async () => {
  const servers: FhirsightProcess[] = [];
  const start = async (): Promise<FhirsightProcess> => {
    const server = await startFhirsightProcess(settings);
    servers.push(server);
    return server;
  };
  onTestFinished(() => {
    for (const { child } of servers) child.kill('SIGKILL');
  });
  const first = await start();
  const resources = people.flatMap((id) => scorablePatient(id));
  expect((await send(first.fhir, 'POST', transactionOf(resources, { fullUrls: false }))).status).toBe(200);
  const parameter = [
    { name: 'model', valueString: 'prevent-base' },
    { name: 'asOf', valueDateTime: '2026-03-01T10:00:00Z' },
    { name: 'writeBack', valueBoolean: true },
  ];
  const paths = await Promise.all(
    people.map(async (id) => {
      const body = { resourceType: 'Parameters', parameter };
      const taken = await send(`${first.fhir}/Patient/${id}/$predict`, 'POST', body, { Prefer: 'respond-async' });
      expect(taken.status, taken.text).toBe(202);
      return new URL(taken.headers.get('content-location') ?? '').pathname;
    }),
  );
  const statusOf = async (server: FhirsightProcess, place: string) => send(`${server.url}${place}`);
  await expect
    .poll(async () => (await statusOf(first, paths[0] ?? '')).status, { interval: 20, timeout: 30_000 })
    .toBe(200);
  await first.stop('SIGKILL');

  const second = await start();
  const waiting = await Promise.all(paths.map((place) => statusOf(second, place)));
  expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set([200, 202]));
  const bundles: Bundle[] = [];
  for (const place of paths) {
    await expect
      .poll(async () => (await statusOf(second, place)).status, { interval: 1_000, timeout: 60_000 })
      .toBe(200);
    bundles.push((await statusOf(second, place)).body);
  }
  for (const [index, { entry = [] }] of bundles.entries()) {
    expect(entry[0]?.response?.status).toBe('200 OK');
    expect(entry[0]?.resource).toMatchObject({ subject: { reference: `Patient/${people[index]}` } });
  }
  const stored = await send(`${second.fhir}/RiskAssessment?_summary=count`);
  expect(stored.body.total).toBe(people.length);
}, 180_000);
