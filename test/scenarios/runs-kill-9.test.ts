import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import type { Database } from '../../src/platform/database.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startFhirsight } from '../support/start-fhirsight.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';
import { silentLogger } from '../support/test-database.ts';

const patients = 1_000;
const kills = 20;
const killsInsideWrite = 5;
const marked = { nodeOptions: ['--import', path.join(root, 'test/support/mark-result-writes.ts')] };

const data = await createTestDataDir();
const shared = data.settings.DATABASE_URL !== undefined;
const otherDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-other-'));
afterAll(async () => {
  await data.remove();
  await rm(otherDir, { recursive: true, force: true });
});

/** One server on an embedded database; two that share it on PostgreSQL. */
const settings: readonly Readonly<Record<string, string>>[] = [
  data.settings,
  ...(shared ? [{ ...data.settings, DATA_DIR: otherDir }] : []),
].map((own) => ({ ...own, RUN_CHUNK_SIZE: '25' }));

beforeAll(async () => {
  const loader = await startFhirsight({ data });
  await loadSamplePatients(loader.house, { patients, seed: 4, referenceDate: '2026-11-20' });
  await loader.close();
}, 120_000);

const marksOf = (output: string): string[] => [...output.matchAll(/«(\w+)»/g)].map(([, mark = '']) => mark);

/** True if the last that the database was told lies inside a transaction in which a result was being written. */
function diedInsideWrite(output: string): boolean {
  const marks = marksOf(output);
  const ended = Math.max(marks.lastIndexOf('commit'), marks.lastIndexOf('rollback'));
  const begun = marks.indexOf('begin', ended + 1);
  return begun > ended && marks.slice(begun).includes('w');
}

/** Kills a server some statements after it began to write results. @returns whether it died inside a write */
async function killWhileWriting(server: FhirsightProcess, random: () => number): Promise<boolean> {
  const wanted = 1 + Math.floor(random() * 8);
  const delayMs = random() * 4;
  const deadline = performance.now() + 30_000;
  while (marksOf(server.output()).filter((mark) => mark === 'w').length < wanted) {
    if (performance.now() > deadline) throw new Error('the server wrote nothing: the run was over too early');
    await wait(2);
  }
  await wait(delayMs);
  await server.stop('SIGKILL');
  return diedInsideWrite(server.output());
}

async function stateOf(
  server: FhirsightProcess,
  run: string,
): Promise<{ state: string; tally: Record<string, number> }> {
  return (await (await fetch(`${server.url}/runs/${run}`)).json()) as { state: string; tally: Record<string, number> };
}

async function numberOf(database: Database, query: string): Promise<number> {
  const { rows } = await database.query<{ n: number }>(`select (${query})::int as n`);
  return rows[0]?.n ?? -1;
}

it(`finishes a run over ${patients} patients through ${kills} kill -9, ${killsInsideWrite} or more inside a write, with exactly one standing outcome and one current RiskAssessment each`, async () => {
  const random = seededRandom(20_261_123);
  let servers: FhirsightProcess[] = [];
  const startAll = async (): Promise<void> => {
    servers = await Promise.all(settings.map((own) => startFhirsightProcess(own, marked)));
  };
  await startAll();
  onTestFinished(() => {
    for (const { child } of servers) child.kill('SIGKILL');
  });
  const serverAt = (index: number): FhirsightProcess => servers[index] as FhirsightProcess;
  const asked = await fetch(`${serverAt(0).url}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'kill-9' },
    body: JSON.stringify({ model: 'prevent-base', cohort: { all: true }, asOf: '2026-11-21T08:00:00Z' }),
  });
  expect(asked.status).toBe(202);
  const { id } = (await asked.json()) as { id: string };

  let insideWrite = 0;
  for (let killed = 0; killed < kills; killed += servers.length) {
    if (killed > 0) await startAll();
    const deaths = await Promise.all(servers.map((server) => killWhileWriting(server, random)));
    insideWrite += deaths.filter((inside) => inside).length;
  }
  expect(insideWrite).toBeGreaterThanOrEqual(killsInsideWrite);

  await startAll();
  let report = await stateOf(serverAt(0), id);
  for (let attempt = 0; report.state === 'running' && attempt < 600; attempt++) {
    await wait(100);
    report = await stateOf(serverAt(0), id);
  }
  expect(report).toMatchObject({ state: 'finished', tally: { pending: 0, failed: 0 } });
  expect(await Promise.all(servers.map((server) => server.stop('SIGTERM')))).toEqual(
    servers.map(() => ({ code: 0, signal: null })),
  );

  const { DATA_DIR: dataDir = '', DATABASE_URL: databaseUrl } = data.settings;
  const database = await openDatabase({
    dataDir,
    logger: silentLogger,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const computable = await numberOf(database, `select count(*) from run_members where state = 'scored'`);
  expect(computable).toBe(report.tally.scored);
  expect(computable).toBeGreaterThan(patients / 4);
  const standing = `outcomes where superseded_by is null and not what_if`;
  expect(await numberOf(database, `select count(*) from ${standing}`)).toBe(patients);
  expect(await numberOf(database, `select count(distinct subject_id) from ${standing}`)).toBe(patients);
  expect(await numberOf(database, 'select count(*) from outcomes')).toBe(patients);
  const current = `resources where type = 'RiskAssessment' and not deleted
    and coalesce(body->'meta'->'tag', '[]')::jsonb @> '[{"code": "superseded"}]' = false`;
  expect(await numberOf(database, `select count(*) from ${current}`)).toBe(computable);
  expect(await numberOf(database, `select count(distinct patients[1]) from ${current}`)).toBe(computable);
  expect(await numberOf(database, `select count(*) from resources where type = 'RiskAssessment'`)).toBe(computable);
  expect(await numberOf(database, `select count(*) from resources where type = 'Provenance'`)).toBe(computable);
  const unlike = `run_members m left join outcomes o on o.identifier = m.result and o.subject_id = m.subject_id
    where o.identifier is null or o.state <> m.state or o.resource_id is distinct from m.resource_id`;
  expect(await numberOf(database, `select count(*) from ${unlike}`)).toBe(0);
  await database.close();
}, 300_000);
