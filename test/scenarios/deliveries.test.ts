import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle, DocumentReference, Observation, Provenance, RiskAssessment } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { send } from '../support/fhir-test-server.ts';
import { type FhirsightProcess, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { killsOfServer } from '../support/kills-of-server.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { someModels } from '../support/some-models.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';
import { transactionOf } from '../support/transaction-of.ts';

const kills = Math.ceil(killsOfServer() / 5);

let folder: string;
let sinksFile: string;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-deliveries-'));
  sinksFile = path.join(folder, 'sinks.json');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await rm(folder, { recursive: true });
});

async function start(settings: Record<string, string> = {}): Promise<StartedFhirsight> {
  const started = await startFhirsight({ settings });
  open.push(started);
  return started;
}

async function declare(...sinks: object[]): Promise<Record<string, string>> {
  await writeFile(sinksFile, JSON.stringify({ sinks }));
  return { SINKS_FILE: sinksFile };
}

async function load(fhir: string, ids: readonly string[]): Promise<void> {
  const { status } = await send(
    fhir,
    'POST',
    transactionOf(
      ids.flatMap((id) => scorablePatient(id)),
      { fullUrls: false },
    ),
  );
  expect(status).toBe(200);
}

async function predict(fhir: string, id: string, asOf: string): Promise<void> {
  const { status, text } = await predictOverHttp(fhir, id, { model: 'prevent-base', asOf, writeBack: true });
  if (status !== 200) throw new Error(`${status}: ${text}`);
}

async function all<Kind>(fhir: string, type: string): Promise<Kind[]> {
  const { body } = await send(`${fhir}/${type}?_count=1000`);
  return ((body as Bundle).entry ?? []).map(({ resource }) => resource as Kind);
}

async function count(fhir: string, type: string): Promise<number> {
  return (await send(`${fhir}/${type}?_summary=count`)).body.total;
}

/** Looks until everything is delivered; what a killed server was sending waits for the end of its lease. */
async function delivered(url: string): Promise<void> {
  for (let look = 0; look < 1_200; look++) {
    const { body } = await send(`${url}/deliveries/summary`);
    const sinks = body.sinks as { pending: number; sending: number; dead: number }[];
    if (sinks.some(({ dead }) => dead > 0)) throw new Error((await send(`${url}/deliveries?state=dead`)).text);
    if (sinks.every(({ pending, sending }) => pending + sending === 0)) return;
    await wait(50);
  }
  throw new Error('not delivered within a minute');
}

const isCurrent = ({ meta }: RiskAssessment | Observation) => !meta?.tag?.some(({ code }) => code === 'superseded');

test.each(['fhir-transaction', 'fhir-creates'])(
  'results reach another fhirsight by %s: one current RiskAssessment each, once, about the patient of the server they come from',
  async (kind) => {
    const ehr = await start();
    const own = await start(await declare({ name: 'ehr', kind, url: ehr.fhir }));
    // Both servers hold a Patient/1, and they are not the same person.
    await load(ehr.fhir, ['1']);
    await load(own.fhir, ['1', '2']);
    for (const asOf of ['2026-02-01T10:00:00Z', '2026-02-02T10:00:00Z']) {
      for (const id of ['1', '2']) await predict(own.fhir, id, asOf);
      await delivered(own.url);
    }
    const results = await all<RiskAssessment>(ehr.fhir, 'RiskAssessment');
    expect(results).toHaveLength(4);
    expect(
      results
        .filter(isCurrent)
        .map(({ subject }) => subject?.reference)
        .sort(),
    ).toEqual([`${own.fhir}/Patient/1`, `${own.fhir}/Patient/2`]);
    expect(await all<Provenance>(ehr.fhir, 'Provenance')).toHaveLength(4);
    const { body } = await send(`${ehr.fhir}/RiskAssessment?patient=Patient/1`);
    expect((body as Bundle).entry ?? []).toEqual([]);
    const { body: chosen } = await send(`${own.fhir}/RiskAssessment?patient=Patient/1`);
    expect((chosen as Bundle).entry).toHaveLength(2);
  },
);

test('an EHR that takes no RiskAssessment gets Observations or documents, each valid there and with the same percentage', async () => {
  const ehr = await start();
  const own = await start(
    await declare(
      { name: 'rows', kind: 'fhir-creates', url: ehr.fhir, as: 'observation', subjectReferences: 'relative' },
      { name: 'papers', kind: 'fhir-creates', url: ehr.fhir, as: 'document-reference' },
    ),
  );
  await load(ehr.fhir, ['1']);
  await load(own.fhir, ['1']);
  await predict(own.fhir, '1', '2026-02-01T10:00:00Z');
  await delivered(own.url);
  const [result] = await all<RiskAssessment>(own.fhir, 'RiskAssessment');
  const { body } = await send(`${ehr.fhir}/Observation?patient=Patient/1&_count=1000`);
  const twins = ((body as Bundle).entry ?? []).flatMap(({ resource }) =>
    (resource as Observation).identifier === undefined ? [] : [resource as Observation],
  );
  expect(twins.map(({ valueQuantity }) => valueQuantity?.value).sort()).toEqual(
    result?.prediction?.map(({ probabilityDecimal }) => probabilityDecimal).sort(),
  );
  expect(await all<DocumentReference>(ehr.fhir, 'DocumentReference')).toHaveLength(1);
  expect(await all<RiskAssessment>(ehr.fhir, 'RiskAssessment')).toEqual([]);
});

test('a bad SINKS_FILE ends the start and says where', async () => {
  const settings = await declare({ name: 'ehr', kind: 'fhir-transaction' });
  await expect(startFhirsight({ settings })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining("/sinks/0 lacks the field 'url'"),
  });
});

test('a server that is killed again and again loses nothing, and two sinks hold every current result exactly once', async () => {
  const ehr = await start();
  const data = await createTestDataDir();
  open.push({ close: data.remove });
  const settings = {
    ...data.settings,
    MODELS_DIR: await someModels(['prevent-base']),
    ...(await declare(
      { name: 'together', kind: 'fhir-transaction', url: ehr.fhir, batchSize: 7 },
      { name: 'singly', kind: 'fhir-creates', url: ehr.fhir, as: 'document-reference', batchSize: 5 },
    )),
  };
  const ids = Array.from({ length: 30 }, (_, number) => `p${number}`);
  const random = seededRandom(20_260_301);
  const predicted = new Set<string>();
  let running: FhirsightProcess = await startFhirsightProcess(settings);
  await load(running.fhir, ids);
  for (let kill = 0; kill < kills; kill++) {
    const before = Math.floor(random() * 12);
    const asking = (async () => {
      for (const id of ids) {
        if (predicted.has(id)) continue;
        await predict(running.fhir, id, '2026-02-01T10:00:00Z');
        predicted.add(id);
      }
    })().catch(() => 'the server was killed under it');
    // Between requests to the sink, and within them: the moment is a number of the sink's own requests.
    const goal = (await count(ehr.fhir, 'DocumentReference')) + before;
    // Not for as long as a lease of the server before: it may be killed under one, too.
    for (let look = 0; look < 1_000; look++) {
      if ((await count(ehr.fhir, 'DocumentReference')) >= goal) break;
      await wait(10);
    }
    await running.stop('SIGKILL');
    await asking;
    running = await startFhirsightProcess(settings);
  }
  for (const id of ids) await predict(running.fhir, id, '2026-02-01T10:00:00Z');
  await delivered(running.url);
  const identifiersOf = (resources: readonly (RiskAssessment | DocumentReference)[]) =>
    resources.map(({ identifier }) => identifier?.[0]?.value ?? '').sort();
  const stored = identifiersOf((await all<RiskAssessment>(running.fhir, 'RiskAssessment')).filter(isCurrent));
  expect(new Set(stored).size).toBe(ids.length);
  expect(identifiersOf((await all<RiskAssessment>(ehr.fhir, 'RiskAssessment')).filter(isCurrent))).toEqual(stored);
  expect(identifiersOf(await all<DocumentReference>(ehr.fhir, 'DocumentReference'))).toEqual(stored);
  expect(await count(ehr.fhir, 'Provenance')).toBe(2 * ids.length);
  await running.stop('SIGTERM');
}, 240_000);
