import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import type { Database } from '../../src/platform/database.ts';
import { openDatabase } from '../../src/platform/open-database.ts';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { killsOfServer, mostKills } from '../support/kills-of-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { someModels } from '../support/some-models.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';

const kills = killsOfServer();
/** Enough that the run is not over before the last kill. */
const patients = Math.max(400, 50 * kills);
const killsInsideWrite = Math.ceil(kills / 4);
const killsWhileDelivering = Math.floor(kills / 5);
const marked = { nodeOptions: ['--import', path.join(root, 'test/support/mark-result-writes.ts')] };

const data = await createTestDataDir();
const modelsDir = await someModels(['prevent-base']);
const shared = data.settings.DATABASE_URL !== undefined;
const otherDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-other-'));
const sinksDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-sinks-'));
const filesDir = path.join(sinksDir, 'files');
/** Another fhirsight, with a database of its own. */
let ehr: StartedFhirsight;
afterAll(async () => {
  await ehr?.close();
  await data.remove();
  for (const folder of [otherDir, sinksDir]) await rm(folder, { recursive: true, force: true });
});

/** What waits must open at either of two servers; one alone has a key of its own in DATA_DIR. */
const keys: Readonly<Record<string, string>> = shared
  ? { VALUES_KEY: `k1:${Buffer.alloc(32, 1).toString('base64')}` }
  : {};

/** One server on an embedded database; two that share it on PostgreSQL. */
const settings: readonly Readonly<Record<string, string>>[] = [
  data.settings,
  ...(shared ? [{ ...data.settings, DATA_DIR: otherDir }] : []),
].map((own) => ({
  ...own,
  ...keys,
  MODELS_DIR: modelsDir,
  RUN_CHUNK_SIZE: '25',
  SINKS_FILE: path.join(sinksDir, 'sinks.json'),
}));

beforeAll(async () => {
  const loader = await startFhirsight({ data, settings: keys });
  ehr = await startFhirsight();
  const sinks = [
    { name: 'ehr', kind: 'fhir-transaction', url: ehr.fhir },
    { name: 'files', kind: 'ndjson', folder: 'files', batchSize: 40 },
  ];
  await writeFile(path.join(sinksDir, 'sinks.json'), JSON.stringify({ sinks }));
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

const timesIn = (output: string, mark: string): number => marksOf(output).filter((one) => one === mark).length;

/** True if a batch was claimed for a sink, and not settled. */
function isDelivering(output: string): boolean {
  return timesIn(output, 'claim') > timesIn(output, 'settle');
}

/**
 * Kills a server some statements after it began to write results; every third one as soon as it delivers what was
 * written before, which at most starts do at once. @returns what it died in the middle of
 */
async function killInside(
  server: FhirsightProcess,
  random: () => number,
  kill: number,
): Promise<{ readonly inWrite: boolean; readonly inDelivery: boolean }> {
  const delivering = kill % 3 === 2;
  const wanted = 1 + Math.floor(random() * 8) + (delivering ? 8 : 0);
  const delayMs = random() * 4;
  const deadline = performance.now() + 30_000;
  const reached = (output: string): boolean => timesIn(output, 'w') >= wanted || (delivering && isDelivering(output));
  while (!reached(server.output())) {
    if (performance.now() > deadline) throw new Error('the server wrote nothing: the run was over too early');
    await wait(2);
  }
  if (!delivering) await wait(delayMs);
  await server.stop('SIGKILL');
  return { inWrite: diedInsideWrite(server.output()), inDelivery: isDelivering(server.output()) };
}

async function stateOf(
  server: FhirsightProcess,
  run: string,
): Promise<{ state: string; tally: Record<string, number> }> {
  return (await (await fetch(`${server.url}/runs/${run}`)).json()) as { state: string; tally: Record<string, number> };
}

/** Waits until nothing is to be delivered any more: what a killed server was sending is taken up after its lease. */
async function deliver(server: FhirsightProcess): Promise<Summary[]> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await fetch(`${server.url}/deliveries/summary`);
    const { sinks } = (await answer.json()) as { sinks: Summary[] };
    if (sinks.every(({ pending, sending }) => pending + sending === 0)) return sinks;
    await wait(100);
  }
  throw new Error('not everything was delivered within a minute');
}

interface Summary {
  readonly sink: string;
  readonly pending: number;
  readonly sending: number;
  readonly delivered: number;
  readonly dead: number;
}

/** The resources of one type in all files of the sink; a draft that nobody finished is a file too much. */
async function delivered<Type extends Resource['resourceType']>(
  type: Type,
): Promise<Extract<Resource, { resourceType: Type }>[]> {
  const found: Extract<Resource, { resourceType: Type }>[] = [];
  for (const name of await readdir(filesDir)) {
    expect(name).toMatch(/^files-[0-9TZ]+-[0-9a-f]{8}\.ndjson$/);
    for (const line of (await readFile(path.join(filesDir, name), 'utf8')).trimEnd().split('\n')) {
      const resource = JSON.parse(line) as Resource;
      if (resource.resourceType === type) found.push(resource as Extract<Resource, { resourceType: Type }>);
    }
  }
  return found;
}

async function textsOf(database: Database, query: string): Promise<string[]> {
  const { rows } = await database.query<{ text: string }>(query);
  return rows.map(({ text }) => text).sort();
}

async function numberOf(database: Database, query: string): Promise<number> {
  const { rows } = await database.query<{ n: number }>(`select (${query})::int as n`);
  return rows[0]?.n ?? -1;
}

it(`finishes a run over ${patients} patients through ${kills} kill -9, ${killsInsideWrite} or more inside a write, with exactly one standing outcome and one current RiskAssessment each, in the store and in two sinks`, async () => {
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
  const answer = await asked.text();
  expect(asked.status, answer).toBe(202);
  const { id } = JSON.parse(answer) as { id: string };

  let insideWrite = 0;
  let whileDelivering = 0;
  const killedEnough = (killed: number): boolean =>
    killed >= mostKills ||
    (killed >= kills && insideWrite >= killsInsideWrite && whileDelivering >= killsWhileDelivering);
  for (let killed = 0; !killedEnough(killed); killed += servers.length) {
    if (killed > 0) await startAll();
    const deaths = await Promise.all(servers.map((server, index) => killInside(server, random, killed + index)));
    insideWrite += deaths.filter(({ inWrite }) => inWrite).length;
    whileDelivering += deaths.filter(({ inDelivery }) => inDelivery).length;
  }
  expect(insideWrite).toBeGreaterThanOrEqual(killsInsideWrite);
  expect(whileDelivering).toBeGreaterThanOrEqual(killsWhileDelivering);

  await startAll();
  let report = await stateOf(serverAt(0), id);
  for (let attempt = 0; report.state === 'running' && attempt < 600; attempt++) {
    await wait(100);
    report = await stateOf(serverAt(0), id);
  }
  expect(report).toMatchObject({ state: 'finished', tally: { pending: 0, failed: 0 } });
  const sinks = await deliver(serverAt(0));
  const { scored = 0 } = report.tally;
  expect(sinks).toMatchObject(['ehr', 'files'].map((sink) => ({ sink, delivered: scored, dead: 0 })));
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

  const identifiers = await textsOf(database, `select identifier as text from ${standing} and state = 'scored'`);
  const subjects = await textsOf(database, `select subject_id as text from run_members where state = 'scored'`);
  await database.close();
  await holdsEachOnceInEhr(identifiers, subjects);
  await holdsEachOnceInFiles(identifiers, subjects);
}, 300_000);

async function holdsEachOnceInEhr(identifiers: readonly string[], subjects: readonly string[]): Promise<void> {
  const { database } = ehr.house;
  const assessments = `resources where type = 'RiskAssessment'`;
  // The patients are named by the base of the server that delivered: its port is another one after each start.
  const subject = `substring(patients[1] from '^http://127.0.0.1:[0-9]+/fhir/R4/Patient/(.+)$')`;
  expect(await textsOf(database, `select ${subject} as text from ${assessments} and not deleted`)).toEqual(subjects);
  expect(
    await textsOf(database, `select body->'identifier'->0->>'value' as text from ${assessments} and not deleted`),
  ).toEqual(identifiers);
  expect(await numberOf(database, `select count(*) from ${assessments}`)).toBe(identifiers.length);
  expect(
    await numberOf(database, `select count(*) from ${assessments} and body->'meta'->>'tag' like '%superseded%'`),
  ).toBe(0);
  expect(await textsOf(database, `select id as text from resources where type = 'Provenance' and not deleted`)).toEqual(
    identifiers,
  );
  const made = `select r.body->'identifier'->0->>'value' as text from resources p join resources r
    on r.type = 'RiskAssessment' and split_part(p.body->'target'->0->>'reference', '/', 2) = r.id
    where p.type = 'Provenance'`;
  expect(await textsOf(database, made)).toEqual(identifiers);
  expect(await numberOf(database, `select count(*) from resources where type = 'Device'`)).toBe(1);
}

/** No result gave way in this run, so none may stand in two files. */
async function holdsEachOnceInFiles(identifiers: readonly string[], subjects: readonly string[]): Promise<void> {
  const assessments = await delivered('RiskAssessment');
  expect(assessments.map(({ identifier }) => identifier?.[0]?.value).sort()).toEqual(identifiers);
  expect(assessments.map(({ subject }) => subject.reference?.split('/Patient/')[1]).sort()).toEqual(subjects);
  const targets = (await delivered('Provenance')).map(
    ({ target }) => /\/RiskAssessment\/([^/]+)\/_history\/1$/.exec(target[0]?.reference ?? '')?.[1],
  );
  expect(targets.sort()).toEqual(assessments.map(({ id }) => id).sort());
}
