import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle, DiagnosticReport, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { imagingSeries, imagingStudy } from '../support/build-imaging-study.ts';
import { evenPicture } from '../support/even-picture.ts';
import { type FakePacs, startFakePacs } from '../support/fake-pacs.ts';
import { send } from '../support/fhir-test-server.ts';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { writeImagingFile } from '../support/imaging-file.ts';
import { killsOfServer } from '../support/kills-of-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';

const kills = killsOfServer();
/** Enough that the run is not over before the last kill. */
const numbers = Array.from({ length: 8 * (kills + 1) }, (_, number) => number + 1);
const identifiers = 'https://example.org/patients';
const marked = { nodeOptions: ['--import', path.join(root, 'test/support/mark-result-writes.ts')] };

const data = await createTestDataDir();
let pacs: FakePacs;
let folder: string;
let settings: Readonly<Record<string, string>>;

beforeAll(async () => {
  pacs = await startFakePacs(
    numbers.map((number) => evenPicture(10 * number, { study: `1.2.3.${number}` }, { PatientID: '4711' })),
  );
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-studies-'));
  const imagingFile = await writeImagingFile(folder, pacs.base, identifiers);
  const MODELS_DIR = await someModels(['chest-phantom']);
  settings = { ...data.settings, MODELS_DIR, IMAGING_FILE: imagingFile };
});

afterAll(async () => {
  await pacs?.close();
  await data.remove();
  await rm(folder, { recursive: true, force: true });
});

function* resources(): Generator<Resource> {
  yield { resourceType: 'Patient', id: '1', identifier: [{ system: identifiers, value: '4711' }] };
  for (const number of numbers) {
    const { endpoint: _, ...study } = imagingStudy({
      id: `s${number}`,
      identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:1.2.3.${number}` }],
      subject: { reference: 'Patient/1' },
      started: '2026-11-20T08:00:00Z',
    });
    yield { ...study, series: [imagingSeries({ uid: `1.2.3.${number}.1` })] };
  }
}

/** Kills it some statements after it began to write results. */
async function killInside(server: FhirsightProcess, random: () => number): Promise<void> {
  const wanted = 1 + Math.floor(random() * 12);
  const deadline = performance.now() + 30_000;
  while (server.output().split('«w»').length <= wanted) {
    if (performance.now() > deadline) throw new Error('the server wrote too little: the run was over too early');
    await wait(2);
  }
  await wait(random() * 20);
  await server.stop('SIGKILL');
}

async function reportsAt(server: FhirsightProcess): Promise<DiagnosticReport[]> {
  const { body } = await send(`${server.fhir}/DiagnosticReport?_count=1000`);
  return ((body as Bundle<DiagnosticReport>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

it(`DR-1: finishes a run over ${numbers.length} studies through ${kills} kill -9, with one report of each, which was never amended`, async () => {
  const random = seededRandom(20_261_129);
  let server = await startFhirsightProcess(settings, marked);
  onTestFinished(() => void server.child.kill('SIGKILL'));
  for (const resource of resources()) {
    const { status, text } = await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
    expect(status, text).toBe(201);
  }
  await server.stop('SIGTERM');
  server = await startFhirsightProcess(settings, marked);
  const asked = { model: 'chest-phantom', cohort: { search: 'ImagingStudy?status=available' }, asOf: '2026-11-21' };
  const { status, text, body } = await send(`${server.url}/runs`, 'POST', asked);
  expect(status, text).toBe(202);

  for (let killed = 0; killed < kills; killed++) {
    if (killed > 0) server = await startFhirsightProcess(settings, marked);
    await killInside(server, random);
  }
  server = await startFhirsightProcess(settings, marked);
  const before = (await reportsAt(server)).length;
  const stateNow = async () => (await send(`${server.url}/runs/${body.id}`)).body;
  await expect.poll(async () => (await stateNow()).state, { timeout: 120_000, interval: 200 }).toBe('finished');

  const { tally } = await stateNow();
  expect(tally).toMatchObject({ pending: 0, failed: 0, abstained: 0, scored: numbers.length });
  expect(before, 'the last kill came too late to say anything').toBeLessThan(numbers.length);
  const reports = await reportsAt(server);
  expect(reports.map(({ meta, status: of }) => [meta?.versionId, of])).toEqual(numbers.map(() => ['1', 'preliminary']));
  expect(reports.map(({ imagingStudy: [study] = [] }) => study?.reference?.replace(/\/_history.*/, '')).sort()).toEqual(
    numbers.map((number) => `ImagingStudy/s${number}`).sort(),
  );
  expect(pacs.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
}, 300_000);
